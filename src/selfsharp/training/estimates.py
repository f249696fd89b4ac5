"""PSFs estimated from blurred training photos, with just the errors that estimates have.

A generator is to mend what physics proposes. What a proposal gets wrong cannot be made up:
it comes from the estimate itself. So before training the estimate is run on many photos
that are blurred by a known PSF, and crops of those photos later come with its proposals. What the
check would not show a generator, it is not shown in training either.
"""

import hashlib
import json
import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from rich.progress import Progress

from selfsharp.blur.camera import through_camera
from selfsharp.blur.estimate import estimate_psf
from selfsharp.blur.learnt_round import LearntRound
from selfsharp.blur.psf import Psf
from selfsharp.blur.regions import blob, everywhere
from selfsharp.blur.sharpness import FLAT, means_of_cells, structure
from selfsharp.blur.synthesis import blur_region
from selfsharp.image import Plane, atomic_output, grey_of
from selfsharp.model_folder import find_model, read_card
from selfsharp.recipe import Recipe, as_method
from selfsharp.restore.fit import as_shown
from selfsharp.restore.partition import core_of
from selfsharp.restore.runtime import read_learnt_round
from selfsharp.training.draws import draw_camera, draw_psf
from selfsharp.training.interruption import Interruption, ignore_signals
from selfsharp.training.motion import averaged
from selfsharp.training.pool import Guess, Pixels, Pool

HELD_OUT = 64
"""Estimates that validation uses."""
CANDIDATES = 8
"""Windows of sharp photos of which the softest is taken, to learn to leave it alone."""
UNREAD = ("scenes", "footage", "referred", "known", "proposed", "shown")
"""Shares of a recipe's mix that no estimate depends on."""
LEAST, LARGEST = 288, 512
"""Sides of the windows that PSFs are estimated from, in pixels."""


def guess(pool: Pool, recipe: Recipe, number: int) -> Guess:
    """Estimate `number` of the training that a recipe describes."""
    generator = np.random.default_rng([recipe.seed, 7, number])
    mix, choice = recipe.mix, generator.uniform()
    frames = mix.frames if len(pool.frames) > 2 else 0.0
    if frames and choice > 1 - frames:
        reach = int(generator.integers(1, min(8, (len(pool.frames) + 1) // 2)))
        place = int(generator.integers(reach, len(pool.frames) - reach))
        corner, size = _draw_window(pool.frames[place], generator)
        made = Guess(place, reach, corner, size, None, _NO_PSFS)
        burst = pool.frames[place - reach : place + reach + 1]
        image = averaged([made.window(frame) for frame in burst], linear=False)
        region = everywhere(*size)
    else:
        made = _draw_place(pool, generator)
        if choice < mix.sharp:
            others = [_draw_place(pool, generator) for _ in range(CANDIDATES - 1)]
            made = max(
                [made, *others], key=lambda one: _softness(one.window(pool.sharp[one.place]))
            )
        else:
            made = replace(made, psf=draw_psf(mix, generator))
        image = made.window(pool.sharp[made.place]).astype(np.float32) / np.float32(255)
        region, camera = _draw_region(made.size, generator), draw_camera(generator, mix.cameras)
        if made.psf is None:
            image = through_camera(image, camera, generator)
        else:
            image = blur_region(image, made.psf, region, camera, generator).blurred
    core = (core_of(region) if region.min() == 0 else region > 0).astype(np.float32)
    grey = grey_of(image)
    estimate = estimate_psf(grey, core, learnt=_learnt_round(recipe.estimator))
    shown = as_shown(estimate, grey, region, core)
    return replace(made, both=shown.both if shown else _NO_PSFS)


@lru_cache(maxsize=1)
def _learnt_round(model: str) -> LearntRound | None:
    """The learnt round of a model, by its name or folder; every process opens its own.

    Raises:
        ValueError: there is no such model, or it has no learnt round.
    """
    if not model:
        return None
    folder = find_model(model)
    learnt = read_learnt_round(folder, read_card(folder), threads=1)
    if learnt is None:
        raise ValueError(f"model {model} has no learnt round; give one that has, or no estimator")
    return learnt


def add_guesses(pool: Pool, held_out: Pool, recipe: Recipe, folder: Path) -> None:
    """Gives the pools of a training and of its validation the estimates that a recipe asks for."""
    pool.guesses = load_guesses(pool, recipe, folder / "estimates.npz")
    few = replace(recipe, estimates=min(HELD_OUT, recipe.estimates), seed=recipe.seed + 1)
    held_out.guesses = load_guesses(
        held_out, few, folder / "estimates-held-out.npz", "estimating PSFs for validation"
    )


def load_guesses(
    pool: Pool, recipe: Recipe, path: Path, note: str = "estimating PSFs"
) -> list[Guess]:
    """The estimates of a recipe, from the file where they are kept, else made and kept.

    Takes two to three seconds each. Those made so far are kept when it is interrupted, and it
    goes on from them; the file is made anew when the recipe draws others.

    Args:
        note: what is said beside the progress bar.

    Raises:
        KeyboardInterrupt: it was asked to stop; says how many are made and kept.
    """
    if not recipe.estimates:
        return []
    key = _key(pool, recipe)
    guesses = _kept(path, key)[: recipe.estimates]
    if len(guesses) == recipe.estimates:
        return guesses
    saved = time.monotonic()
    with (
        Progress() as progress,
        Interruption() as interruption,
        _making(pool, recipe, len(guesses)) as others,
    ):
        bar = progress.add_task(note, total=recipe.estimates, completed=len(guesses))
        for made in others:
            guesses.append(made)
            progress.advance(bar)
            if interruption.wished:
                _keep(path, key, guesses)
                raise KeyboardInterrupt(
                    f"stopped after {len(guesses)} of {recipe.estimates} estimates; "
                    "saved, resume any time"
                )
            if time.monotonic() - saved > recipe.save_every:
                _keep(path, key, guesses)
                saved = time.monotonic()
    _keep(path, key, guesses)
    return guesses


def _key(pool: Pool, recipe: Recipe) -> str:
    """What tells the estimates of a recipe and a pool from others."""
    method = as_method(recipe)
    drawn = {"seed": method["seed"]}
    # Estimates read nothing else; those of recipes without cameras outlast this setting.
    read = {key: value for key, value in method["mix"].items() if key not in UNREAD}
    drawn["mix"] = read if read.pop("cameras") == 0 else read | {"cameras": recipe.mix.cameras}
    if recipe.estimator:
        drawn["estimator"] = read_card(find_model(recipe.estimator)).sha256["edges"]
    drawn["photos"] = [len(pool.sharp), len(pool.frames)]
    return hashlib.sha256(json.dumps(drawn, sort_keys=True).encode()).hexdigest()


def _kept(path: Path, key: str) -> list[Guess]:
    """The estimates in a file, or none where they are another recipe's."""
    if not path.exists():
        return []
    with np.load(path) as kept:
        return _unpacked(dict(kept)) if str(kept["key"]) == key else []


def _keep(path: Path, key: str, guesses: list[Guess]) -> None:
    """Writes estimates to a file."""
    with atomic_output(path, overwrite=True) as temporary, temporary.open("wb") as file:
        places, psfs, both = _packed(guesses)
        np.savez(file, key=np.array(key), places=places, psfs=psfs, both=both)


@contextmanager
def _making(pool: Pool, recipe: Recipe, first: int) -> Iterator[Iterator[Guess]]:
    """Estimate after estimate from `first` on, made by as many processes as make samples."""
    numbers = range(first, recipe.estimates)
    if recipe.workers == 0:
        yield (guess(pool, recipe, number) for number in numbers)
        return
    _SHARED.update(pool=pool, recipe=recipe)
    context = multiprocessing.get_context("fork")  # The photos need not be copied.
    processes = ProcessPoolExecutor(
        recipe.workers, mp_context=context, initializer=ignore_signals, initargs=(0,)
    )
    try:
        yield processes.map(_guess_shared, numbers)
    finally:
        _SHARED.clear()
        try:
            processes.shutdown(cancel_futures=True)
        except KeyboardInterrupt:
            # Whoever asks twice does not wait; nor would the interpreter's end, for these.
            for process in multiprocessing.active_children():
                process.kill()
            raise


_SHARED: dict = {}
_NO_PSFS = (np.ones((1, 1), np.float32), np.ones((1, 1), np.float32))


def _guess_shared(number: int) -> Guess:
    return guess(_SHARED["pool"], _SHARED["recipe"], number)


def _draw_place(pool: Pool, generator: np.random.Generator) -> Guess:
    """A window of a sharp photo, not yet blurred, nor estimated from."""
    place = int(generator.integers(len(pool.sharp)))
    corner, size = _draw_window(pool.sharp[place], generator)
    return Guess(place, 0, corner, size, None, _NO_PSFS)


def _softness(window: Pixels) -> float:
    """Contrast over cells of 4x4 pixels against that of single pixels; large where out of focus.

    A sharp photo's soft places are those where blur is found, and undone, by mistake.
    """
    image = window.astype(np.float32) / np.float32(255)
    coarse = structure(image)
    seen = coarse > FLAT
    if seen.mean() < 0.3:
        return 0.0
    grey = np.pad(grey_of(image), ((0, 1), (0, 0)), "edge")
    fine = means_of_cells(np.abs(np.diff(grey, axis=0)))
    return float(coarse[seen].mean() / (fine[seen].mean() + 1e-4))


def _draw_window(
    photo: Pixels, generator: np.random.Generator
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Corner and size of a random window of a photo."""
    sides, corner = [], []
    for length in photo.shape[:2]:
        side = int(min(length, generator.integers(LEAST, LARGEST + 1)))
        sides.append(side)
        corner.append(int(generator.integers(length - side + 1)))
    return (corner[0], corner[1]), (sides[0], sides[1])


def _draw_region(size: tuple[int, int], generator: np.random.Generator) -> Plane:
    if generator.uniform() < 0.25:
        return everywhere(*size)
    return blob(*size, generator, generator.uniform(0.25, 0.9))


def _packed(guesses: list[Guess]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places, true PSFs and estimates, as arrays for a file."""
    side = max((one.psf.shape[0] for one in guesses if one.psf is not None), default=1)
    true = np.zeros((len(guesses), side, side), np.float32)
    for canvas, one in zip(true, guesses, strict=True):
        if one.psf is not None:
            _place(one.psf, canvas)
    places = np.array(
        [(g.place, g.reach, *g.corner, *g.size, g.both[0].shape[0]) for g in guesses], np.int32
    )
    side = max(psf.shape[0] for one in guesses for psf in one.both)
    both = np.zeros((len(guesses), 2, side, side), np.float32)
    for canvases, one in zip(both, guesses, strict=True):
        for canvas, psf in zip(canvases, one.both, strict=True):
            _place(psf, canvas)
    return places, true, both


def _place(psf: Psf, canvas: Float32[np.ndarray, "side side"]) -> None:
    """Lays a PSF into the middle of an empty canvas."""
    start = (canvas.shape[0] - psf.shape[0]) // 2
    canvas[start : start + psf.shape[0], start : start + psf.shape[0]] = psf


def _unpacked(arrays: dict[str, np.ndarray]) -> list[Guess]:
    guesses = []
    for places, psf, both in zip(arrays["places"], arrays["psfs"], arrays["both"], strict=True):
        place, reach, row, column, height, width, side = (int(value) for value in places)
        known = _middle(psf, _reach(psf)) if psf.any() else None
        first, second = (_middle(one, side // 2) for one in both)
        pair = (first, first if np.array_equal(first, second) else second)
        guesses.append(Guess(place, reach, (row, column), (height, width), known, pair))
    return guesses


def _middle(psf: Psf, reach: int) -> Float32[np.ndarray, "inner inner"]:
    """What lies at most `reach` rows and columns off the middle of a PSF."""
    inner = slice(psf.shape[0] // 2 - reach, psf.shape[0] // 2 + reach + 1)
    return psf[inner, inner].copy()


def _reach(psf: Psf) -> int:
    """How far the light of a PSF reaches from its middle."""
    return int(np.abs(np.argwhere(psf) - psf.shape[0] // 2).max())
