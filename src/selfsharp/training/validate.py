"""Scores of a training network on crops of photos that it is never trained on."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor, nn

from selfsharp.blur.kinds import shake
from selfsharp.blur.regions import blob, everywhere
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.recipe import Recipe
from selfsharp.training.batches import stack_crops, stack_rounds
from selfsharp.training.draws import cut
from selfsharp.training.losses import as_seen
from selfsharp.training.motion import average_frames
from selfsharp.training.pool import Guess, Pool
from selfsharp.training.psf_losses import lost_by_each, tidied
from selfsharp.training.rounds import draw_round
from selfsharp.training.samples import Crop, as_crop, draw_crop, guessed_crop
from selfsharp.training.scenes import region

CROPS = 24
"""Crops per kind of validation sample."""


def validate(
    network: nn.Module, average: Mapping[str, Tensor], pool: Pool, recipe: Recipe
) -> dict[str, float]:
    """Scores of the averaged weights on fixed samples.

    Returns:
        For a generator, the mean gain in dB over the blurred region: `shake` (fully
        blurred), `partly` (blob of 30 %), `mixed` (as trained), `frames` (real motion), all
        four without proposals; `proposed` (mixed) and `proposed frames` with those of
        estimates; `referred` with references, too, as the recipe has them; `harm`: by how many
        grey levels (RMS) it changes sharp crops.
        For the detector, accuracy on blurred and on sharp pixels, the radius error, and, with
        context, the mean absolute error of what a person sees (`seen`).
        For the estimator, what undoing PSFs in place of the true ones is expected to lose, in dB:
        those to set out from (`at first`), and after one and two rounds.
    """
    judged = averaged_network(network, average)
    with torch.inference_mode():
        if recipe.network == "detector":
            return _detector_scores(judged, pool, replace(recipe, seed=recipe.seed + 10_000))
        if recipe.network == "estimator":
            return _estimator_scores(judged, pool, replace(recipe, seed=recipe.seed + 10_000))
        return _generator_scores(judged, pool, recipe)


def averaged_network(network: nn.Module, average: Mapping[str, Tensor]) -> nn.Module:
    """A copy of a network with its averaged weights, to be judged."""
    judged = copy.deepcopy(network).eval()
    judged.load_state_dict(dict(average))
    return judged


@torch.inference_mode()
def answer(
    network: nn.Module, crop: Crop, recipe: Recipe
) -> Float32[np.ndarray, "rows columns channels"]:
    """What a network answers to one crop, in the recipe's precision: residual, or findings."""
    planes = stack_crops([crop], detector=recipe.network == "detector")
    inputs = [planes[name].to(recipe.device) for name in network.inputs]  # type: ignore[union-attr]
    kind = torch.device(recipe.device).type
    with torch.autocast(kind, torch.bfloat16, enabled=recipe.precision == "bfloat16"):
        found = network(*inputs)[0]
    return found.float().cpu().numpy().transpose(1, 2, 0)


def _generator_scores(network: nn.Module, pool: Pool, recipe: Recipe) -> dict[str, float]:
    size = max(recipe.crop, 192)
    whole = replace(recipe, crop=size)

    def shaken(generator: np.random.Generator, share: float) -> Crop:
        sharp = cut(pool.sharp[generator.integers(len(pool.sharp))], size, generator)
        psf = shake.psf_of_extent(generator.uniform(10, 26), generator)
        everything = everywhere(size, size)
        region = everything if share == 1 else blob(size, size, generator, share)
        return as_crop(blur_region(sharp, psf, region, Camera(), generator), generator)

    makers: dict[str, Callable[[np.random.Generator], Crop]] = {
        "shake": lambda generator: shaken(generator, 1.0),
        "partly": lambda generator: shaken(generator, 0.3),
        "mixed": lambda generator: as_crop(region.draw(pool, whole, generator), generator),
    }
    if len(pool.frames) > 15 and min(pool.frames[0].shape[:2]) >= size:
        makers["frames"] = lambda generator: as_crop(
            average_frames(pool.frames, size, generator), generator
        )
    for name, guesses in _by_kind(pool).items():
        makers[name] = lambda generator, guesses=guesses: guessed_crop(
            pool, whole, guesses[generator.integers(len(guesses))], generator
        )
    if recipe.mix.referred and "proposed" in makers:
        blurred, told = _by_kind(pool)["proposed"], replace(whole.mix, referred=1.0, known=0.0)
        makers["referred"] = lambda generator: guessed_crop(
            pool,
            replace(whole, mix=told),
            blurred[generator.integers(len(blurred))],
            generator,
        )
    scores = {}
    for name, make in makers.items():
        crops = [make(np.random.default_rng([77, number])) for number in range(CROPS)]
        gains = [_gain(network, crop, recipe) for crop in crops]
        scores[name] = round(float(np.mean(gains)), 3)
    return scores


def _by_kind(pool: Pool) -> dict[str, list[Guess]]:
    """Estimates by what was blurred: a photo, a burst, nothing."""
    kinds = {
        "proposed": [one for one in pool.guesses if one.psf is not None],
        "proposed frames": [one for one in pool.guesses if one.reach],
        "harm": [one for one in pool.guesses if one.psf is None and not one.reach],
    }
    return {name: guesses for name, guesses in kinds.items() if guesses}


def _gain(network: nn.Module, crop: Crop, recipe: Recipe) -> float:
    """Gain in dB over the blurred region, or, of a sharp crop, the change in grey levels (RMS)."""
    inside = crop.weight == 1
    restored = np.clip(crop.image + answer(network, crop, recipe), 0, 1)
    errors = [((x - crop.target)[inside] ** 2).mean() for x in (crop.image, restored)]
    if errors[0] == 0:
        return 255 * float(np.sqrt(errors[1]))
    return 10 * float(np.log10(max(errors[0], 1e-9) / max(errors[1], 1e-9)))


def _detector_scores(network: nn.Module, pool: Pool, recipe: Recipe) -> dict[str, float]:
    right = {0.0: [], 1.0: []}
    errors, unlike = [], []
    for number in range(4 * CROPS):
        crop = draw_crop(pool, recipe, number, detector=True)
        image = torch.from_numpy(crop.image.transpose(2, 0, 1).copy())[None].to(recipe.device)
        found = network(image)[0].float().cpu().numpy().repeat(4, axis=1).repeat(4, axis=2)
        if len(found) > 2:
            seen = as_seen(torch.from_numpy(crop.truth).permute(2, 0, 1)[None])[0].numpy()
            off = np.abs(1 / (1 + np.exp(-found[2])) - seen)
            unlike.append(float(off[seen >= 0].mean()))
        for label, shares in right.items():
            here = crop.truth[:, :, 0] == label
            if here.any():
                shares.append(float(((found[0] > 0) == bool(label))[here].mean()))
        known = (crop.truth[:, :, 1] > 0.7) & (crop.truth[:, :, 0] == 1)
        if known.any():
            radius = crop.truth[:, :, 1][known]
            errors.append(float((np.abs(found[1][known] - radius) / radius).mean()))
    scores = {"sharp": right[0.0], "blurred": right[1.0], "radius": errors}
    scores |= {"seen": unlike} if unlike else {}
    return {name: round(float(np.mean(each)), 4) for name, each in scores.items()}


def _estimator_scores(network: nn.Module, pool: Pool, recipe: Recipe) -> dict[str, float]:
    lost = {"at first": [], "one round": [], "two rounds": []}
    for number in range(CROPS):
        batch = {
            name: plane.to(recipe.device)
            for name, plane in stack_rounds([draw_round(pool, recipe, number)]).items()
        }
        truth = batch.pop("truth")[:, 0]
        for losses in lost.values():
            losses.append(float(lost_by_each(batch["psf"][:, 0], truth)))
            batch["psf"] = tidied(network(*batch.values()))
    return {name: round(float(np.mean(losses)), 3) for name, losses in lost.items()}
