"""Crops whose blur the loader leaves to the device: sent as plans, blurred there as a batch.

The loader draws all that is drawn, noise included, so a sample is the same wherever it is
blurred, but for rounding.
"""

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import torch
from torch import Tensor

from selfsharp.blur.psf import blur_radius
from selfsharp.networks.blocks import CHANNELS
from selfsharp.recipe import Recipe
from selfsharp.training.crop import Unblurred, draw_turn
from selfsharp.training.device_blur import (
    Cameras,
    blur_regions,
    stack_cameras,
    stack_noise,
    stack_psfs,
)

PLANS = "plans/"
"""What the names of a batch's plans begin with, beside its finished planes."""


def stack_plans(
    plans: Sequence[Unblurred], places: Sequence[int], numbers: Sequence[int], recipe: Recipe
) -> dict[str, Tensor]:
    """Plans of equal size as tensors, by names that begin with `plans/`.

    Args:
        places: where in the batch each belongs.
        numbers: of the samples, which say how each is turned.
    """
    turns = [draw_turn(recipe, number) for number in numbers]
    of_sensor, of_file = stack_noise([one.noise for one in plans], plans[0].image.shape)
    told = [one.knowledge for one in plans]
    stacked = {
        "place": torch.tensor(places),
        "margin": torch.tensor(plans[0].margin),
        "image": _stacked([one.image.transpose(2, 0, 1) for one in plans]),
        "psf": stack_psfs([one.psf for one in plans], "cpu"),
        "radius": _settings([blur_radius(one.psf) for one in plans]),
        "region": _stacked([one.region[None] for one in plans]),
        "of_sensor": of_sensor,
        "of_file": of_file,
        "scale": _settings([one.scale for one in told]),
        "mean": _settings([float(one.radius == "mean") for one in told]),
        "none": _settings([float(one.radius == "none") for one in told]),
        "opened": _settings([float(one.opened) for one in told]),
        "turns": torch.tensor([turn for turn, _ in turns]),
        "mirrored": torch.tensor([mirrored for _, mirrored in turns]),
    }
    cameras = stack_cameras([one.camera for one in plans])
    stacked |= {f"camera/{name}": value for name, value in vars(cameras).items()}
    return {f"{PLANS}{name}": value for name, value in stacked.items()}


def carry_out_plans(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """The batch with its plans blurred and put into their places, on the device they are on."""
    plans = {name[len(PLANS) :]: v for name, v in batch.items() if name.startswith(PLANS)}
    finished = {name: v for name, v in batch.items() if not name.startswith(PLANS)}
    if plans:
        for name, planes in _carried_out(plans).items():
            finished[name] = finished[name].index_copy(0, plans["place"], planes)
    return finished


@torch.no_grad()
def _carried_out(plans: dict[str, Tensor]) -> dict[str, Tensor]:
    """What a generator sees of each plan, and what it should make of it, as `crop.as_crop`."""
    cameras = Cameras(**{field.name: plans[f"camera/{field.name}"] for field in fields(Cameras)})
    psfs, noise = plans["psf"], (plans["of_sensor"], plans["of_file"])
    done = blur_regions(plans["image"], psfs, plans["radius"], plans["region"], cameras, noise)
    margin = int(plans["margin"])
    inner = slice(margin, -margin or None)
    image, sharp, radius = (planes[:, :, inner, inner] for planes in done)
    inside = (radius > 0).to(image)

    told = radius * plans["scale"]
    covered = inside.sum((2, 3), keepdim=True)
    mean = (told * inside).sum((2, 3), keepdim=True) / covered.clamp_min(1)
    told = torch.where(plans["mean"] > 0, inside * mean, told) * (1 - plans["none"])
    # Outside the blurred part the photo is left alone, noise and all.
    crops = {
        "image": image,
        "target": torch.where(inside > 0, sharp, image),
        "blur": torch.cat([torch.maximum(inside, plans["opened"]), told], dim=1),
        "proposals": image.repeat(1, 2, 1, 1),
        "references": image.new_zeros(len(image), CHANNELS["references"], *image.shape[2:]),
        "correction": torch.zeros_like(image[:, :2]),
        "weight": inside.clamp_min(0.1),
        "blurred": inside,
    }
    turns = list(zip(plans["turns"].tolist(), plans["mirrored"].tolist(), strict=True))
    return {name: _turned(planes, turns) for name, planes in crops.items()}


def _turned(planes: Tensor, turns: Sequence[tuple[int, bool]]) -> Tensor:
    """Each sample turned by quarters, and mirrored after that, as `crop.turned`."""
    quarters = (
        torch.rot90(one, turn, (1, 2)) for one, (turn, _) in zip(planes, turns, strict=True)
    )
    mirrored = (
        one.flip(2) if flipped else one for one, (_, flipped) in zip(quarters, turns, strict=True)
    )
    return torch.stack(list(mirrored))


def _stacked(planes: Sequence[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(planes))


def _settings(values: Sequence[float]) -> Tensor:
    """One number for each sample, to be multiplied with its planes."""
    return torch.tensor(values, dtype=torch.float32)[:, None, None, None]
