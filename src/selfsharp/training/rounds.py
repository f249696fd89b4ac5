"""Samples of the estimator: blurred crops, their true PSFs, and wrong ones to set out from."""

from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Float32
from PIL import Image as PillowImage

from selfsharp.blur.alternation import EFFORTS, SIZE, estimate_once
from selfsharp.blur.blurred_part import BlurredPart
from selfsharp.blur.convolve import convolve
from selfsharp.blur.kinds import gaussian
from selfsharp.blur.psf import Psf, tidied
from selfsharp.blur.synthesis import blur_region
from selfsharp.image import Plane, grey_of
from selfsharp.recipe import Recipe
from selfsharp.restore.partition import core_of
from selfsharp.training.crop import draw_turn
from selfsharp.training.draws import cut, draw_camera, draw_psf, draw_region, pick
from selfsharp.training.pool import Pool

LEAST_CORE, LEAST_CONTRAST = 0.15, 0.04
"""Share of a crop that is blurred for certain, and standard deviation of its values, at least."""
KEPT = 0.98
"""Light of a PSF that has to fall within the size that is looked for."""


@dataclass(frozen=True)
class Round:
    """A blurred crop, and a PSF of it that is to become better.

    Attributes:
        given: the crop with its border, grey.
        inside: 1 where it is blurred for certain.
        trusted: weight of the edges that tell the PSF.
        truth: the true PSF.
        psf: the one to set out from.
    """

    given: Plane
    inside: Plane
    trusted: Plane
    truth: Psf
    psf: Psf


def draw_round(pool: Pool, recipe: Recipe, number: int) -> Round:
    """Sample `number` of the estimator's training, as it lies in its photo."""
    generator = np.random.default_rng([recipe.seed, number])
    while True:
        truth = fitted(draw_psf(recipe.mix, generator))
        if truth is None:
            continue
        photo = pool.sharp[generator.integers(len(pool.sharp))]
        sharp = cut(photo, recipe.crop, generator)
        region = draw_region(pick(recipe.mix.regions, generator), recipe.crop, generator)
        camera = draw_camera(generator, recipe.mix.cameras)
        grey = grey_of(blur_region(sharp, truth, region, camera, generator).blurred)
        core = core_of(region) if region.min() == 0 else region > 0
        if core.mean() < LEAST_CORE or grey.std() < LEAST_CONTRAST:
            continue
        mask = core.astype(np.float32)
        if generator.uniform() < recipe.mix.estimated:
            psf = estimate_once(grey, mask, EFFORTS[generator.integers(len(EFFORTS))])
        else:
            psf = mistaken(truth, generator)
        part = BlurredPart.of(grey, mask, SIZE)
        return Round(part.given, part.inside, part.trusted, truth, psf)


def turned_round(one: Round, recipe: Recipe, number: int) -> Round:
    """The sample turned by quarters and mirrored, by its number."""
    turns, mirrored = draw_turn(recipe, number)

    def turn(plane: np.ndarray) -> np.ndarray:
        plane = np.rot90(plane, turns)
        return np.ascontiguousarray(plane[:, ::-1] if mirrored else plane)

    return replace(one, **{field.name: turn(getattr(one, field.name)) for field in fields(one)})


def fitted(psf: Psf) -> Float32[np.ndarray, "side side"] | None:
    """A PSF on the square that is looked for; None where too much of its light falls beyond."""
    beyond = psf.shape[0] - SIZE
    if beyond <= 0:
        return np.pad(psf, -beyond // 2)
    inner = psf[beyond // 2 : -(beyond // 2), beyond // 2 : -(beyond // 2)]
    return None if inner.sum() < KEPT * psf.sum() else (inner / inner.sum()).astype(np.float32)


def mistaken(truth: Psf, generator: np.random.Generator) -> Psf:
    """A PSF with errors of the kinds that estimates have: coarse, smeared, blotched, doubled."""
    if generator.uniform() < 0.5:
        coarse = PillowImage.fromarray(truth).resize((23, 23), PillowImage.Resampling.HAMMING)
        wrong = np.asarray(coarse.resize(truth.shape, PillowImage.Resampling.BICUBIC))
    else:
        smear = gaussian.psf(float(generator.uniform(0.3, 2.8)), generator)
        wrong = _smeared(truth, smear)
    if generator.uniform() < 0.6:
        blotches = gaussian.psf(float(generator.uniform(0.8, 2.8)), generator)
        noise = _smeared(generator.normal(size=truth.shape).astype(np.float32), blotches)
        wrong = wrong * np.exp(noise / noise.std() * generator.uniform(0.2, 1.2))
    if generator.uniform() < 0.15:
        share = generator.uniform(0, 0.5)
        ghost = np.rot90(truth, int(generator.integers(1, 4)))
        wrong = (1 - share) * wrong / wrong.sum() + share * ghost
    return tidied(np.maximum(wrong, 0).astype(np.float32), 0.02)


def _smeared(plane: Plane, psf: Psf) -> Plane:
    return convolve(plane[:, :, None], psf)[:, :, 0]
