"""A sheet of sample pictures: what a network makes of crops that it is never trained on."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from selfsharp.image import Image, Plane, quantize
from selfsharp.recipe import Recipe
from selfsharp.training.batches import stack_rounds
from selfsharp.training.pool import Pool
from selfsharp.training.rounds import draw_round
from selfsharp.training.samples import draw_crop
from selfsharp.training.validate import answer, averaged_network

ROWS = 4
SEED = 20_000
"""Added to the recipe's, so that the samples are none of the training's."""


def draw_sheet(
    network: nn.Module, average: Mapping[str, Tensor], pool: Pool, recipe: Recipe
) -> UInt8[np.ndarray, "height width 3"]:
    """A row for each of four crops: input, what the averaged network makes of it, truth.

    Of the estimator: the crop, the PSF to set out from, what a round makes of it, the true one.
    """
    if recipe.network == "estimator":
        return _psf_sheet(averaged_network(network, average), pool, recipe)
    judged, detector = averaged_network(network, average), recipe.network == "detector"
    drawn = replace(recipe, seed=recipe.seed + SEED, distinct=0, crop=max(recipe.crop, 128))
    rows = []
    for number in range(ROWS):
        crop = draw_crop(pool, drawn, number, detector=detector)
        found = answer(judged, crop, recipe)
        if detector:
            side = crop.image.shape[0] // found.shape[0]
            likely = (1 / (1 + np.exp(-found[:, :, 0]))).repeat(side, 0).repeat(side, 1)
            panels = [crop.image, _grey(likely), _grey(crop.truth[:, :, 0] / 2 + 0.5)]
        else:
            panels = [crop.image, np.clip(crop.image + found, 0, 1), crop.target]
        rows.append(np.concatenate(panels, axis=1))
    return quantize(np.concatenate(rows))


@torch.inference_mode()
def _psf_sheet(
    judged: nn.Module, pool: Pool, recipe: Recipe
) -> UInt8[np.ndarray, "height width 3"]:
    rows = []
    for number in range(ROWS):
        batch = stack_rounds([draw_round(pool, replace(recipe, seed=recipe.seed + SEED), number)])
        batch = {name: plane.to(recipe.device) for name, plane in batch.items()}
        found = judged(*(batch[name] for name in judged.inputs))  # type: ignore[union-attr]
        given = batch["given"][0, 0].cpu().numpy()
        psfs = [
            plane[0, 0].float().cpu().numpy() for plane in (batch["psf"], found, batch["truth"])
        ]
        times = given.shape[0] // psfs[0].shape[0]
        large = [np.kron(psf / psf.max(), np.ones((times, times), np.float32)) for psf in psfs]
        below = given.shape[0] - large[0].shape[0]
        panels = [_grey(given), *(_grey(np.pad(plane, ((0, below), (0, 0)))) for plane in large)]
        rows.append(np.concatenate(panels, axis=1))
    return quantize(np.concatenate(rows))


def _grey(plane: Plane) -> Image:
    """A plane in 0..1 as a picture; undecided places of a truth are grey."""
    return np.repeat(np.clip(plane, 0, 1)[:, :, None], 3, axis=2).astype(np.float32)
