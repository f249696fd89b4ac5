"""Scores of a training network on crops of photos that it is never trained on."""

import copy
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from selfsharp.blur.kinds import shake
from selfsharp.blur.regions import blob, everywhere
from selfsharp.blur.synthesis import Camera, Sample, blur_region
from selfsharp.config import Recipe
from selfsharp.training.pool import Pool
from selfsharp.training.samples import average_frames, blur_crop, cut, draw_crop

CROPS = 24
"""Crops per kind of validation sample."""


def validate(
    network: nn.Module, average: Mapping[str, Tensor], pool: Pool, recipe: Recipe
) -> dict[str, float]:
    """Scores of the averaged weights on fixed samples.

    Returns:
        For a generator, the mean gain in dB over the blurred region: `shake` (fully
        blurred), `partly` (blob of 30 %), `mixed` (as trained), `frames` (real motion).
        For the detector, accuracy on blurred and on sharp pixels, and the radius error.
    """
    judged = copy.deepcopy(network).eval()
    judged.load_state_dict(dict(average))
    with torch.inference_mode():
        if recipe.network == "detector":
            return _detector_scores(judged, pool, replace(recipe, seed=recipe.seed + 10_000))
        return _generator_scores(judged, pool, recipe)


def _generator_scores(network: nn.Module, pool: Pool, recipe: Recipe) -> dict[str, float]:
    size = max(recipe.crop, 192)
    whole = replace(recipe, crop=size)

    def shaken(generator: np.random.Generator, share: float) -> Sample:
        sharp = cut(pool.sharp[generator.integers(len(pool.sharp))], size, generator)
        psf = shake.psf_of_extent(generator.uniform(10, 26), generator)
        everything = everywhere(size, size)
        region = everything if share == 1 else blob(size, size, generator, share)
        return blur_region(sharp, psf, region, Camera(), generator)

    makers = {
        "shake": lambda generator: shaken(generator, 1.0),
        "partly": lambda generator: shaken(generator, 0.3),
        "mixed": lambda generator: blur_crop(pool, whole, generator),
    }
    if len(pool.frames) > 15 and min(pool.frames[0].shape[:2]) >= size:
        makers["frames"] = lambda generator: average_frames(pool.frames, size, generator)
    scores = {}
    for name, make in makers.items():
        gains = [
            _gain(network, make(np.random.default_rng([77, number])), recipe)
            for number in range(CROPS)
        ]
        scores[name] = round(float(np.mean(gains)), 3)
    return scores


def _gain(network: nn.Module, sample: Sample, recipe: Recipe) -> float:
    """Gain in dB over the blurred region, with the true blur given."""
    blur = np.stack([sample.mask, sample.blur_map], axis=2)
    image, known = (
        torch.from_numpy(plane.transpose(2, 0, 1).copy())[None].to(recipe.device)
        for plane in (sample.blurred, blur)
    )
    kind = torch.device(recipe.device).type
    with torch.autocast(kind, torch.bfloat16, enabled=recipe.precision == "bfloat16"):
        residual = network(image, known)[0].float().cpu().numpy().transpose(1, 2, 0)
    inside = sample.blur_map > 0
    restored = np.clip(sample.blurred + residual, 0, 1)
    errors = [((x - sample.sharp)[inside] ** 2).mean() for x in (sample.blurred, restored)]
    return 10 * float(np.log10(max(errors[0], 1e-9) / max(errors[1], 1e-9)))


def _detector_scores(network: nn.Module, pool: Pool, recipe: Recipe) -> dict[str, float]:
    right = {0.0: [], 1.0: []}
    errors = []
    for number in range(4 * CROPS):
        crop = draw_crop(pool, recipe, number, detector=True)
        image = torch.from_numpy(crop.image.transpose(2, 0, 1).copy())[None].to(recipe.device)
        found = network(image)[0].float().cpu().numpy().repeat(4, axis=1).repeat(4, axis=2)
        for label, shares in right.items():
            here = crop.truth[:, :, 0] == label
            if here.any():
                shares.append(float(((found[0] > 0) == bool(label))[here].mean()))
        known = (crop.truth[:, :, 1] > 0.7) & (crop.truth[:, :, 0] == 1)
        if known.any():
            radius = crop.truth[:, :, 1][known]
            errors.append(float((np.abs(found[1][known] - radius) / radius).mean()))
    return {
        "sharp": round(float(np.mean(right[0.0])), 4),
        "blurred": round(float(np.mean(right[1.0])), 4),
        "radius": round(float(np.mean(errors)), 4),
    }
