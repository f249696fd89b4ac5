"""What losses see of crops that restoring would correct is what it makes of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from selfsharp.blur.explain import lacking
from selfsharp.blur.kinds import shake
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import grey_of
from selfsharp.recipe import Recipe
from selfsharp.training.batches import stack_crops
from selfsharp.training.crop import as_crop, draw_turn, turned
from selfsharp.training.explaining import DAMPING, corrected, with_correction

SIDE, RIM = 96, 24


@pytest.fixture
def generator():
    return np.random.default_rng(4)


@pytest.fixture
def psf(generator):
    return shake.psf_of_extent(9.0, generator)


@pytest.fixture
def crop(generator, psf):
    coarse = generator.random((SIDE // 4, SIDE // 4, 3), np.float32)
    sharp = coarse.repeat(4, axis=0).repeat(4, axis=1)
    region = np.ones((SIDE, SIDE), np.float32)
    sample = blur_region(sharp, psf, region, Camera("display", noise=1 / 255), generator)
    return with_correction(as_crop(sample, generator), psf)


def seen_by_losses(crop, restored: np.ndarray) -> np.ndarray:
    batch = stack_crops([crop], detector=False)
    planes = torch.from_numpy(restored).permute(2, 0, 1)[None]
    found = corrected(planes, batch["target"], batch["blur"][:, :1], batch["correction"])
    return found[0].permute(1, 2, 0).numpy()


def test_it_is_what_restoring_makes_of_them(generator, psf, crop):
    error = generator.normal(0, 0.1, (SIDE, SIDE, 3)).astype(np.float32)
    error[:RIM] = error[-RIM:] = 0  # What lies beside a crop is sharp, as far as it is told.
    error[:, :RIM] = error[:, -RIM:] = 0
    restored = crop.target + gaussian_filter(error, (1, 1, 0))
    gate = crop.blur[:, :, 0]
    more = lacking(grey_of(restored), grey_of(crop.image), gate, psf, DAMPING)
    np.testing.assert_allclose(
        seen_by_losses(crop, restored), restored + more[:, :, None], atol=2e-4
    )


def test_a_missed_detail_that_the_psf_tells_costs_less(crop):
    rows = np.arange(SIDE, dtype=np.float32)[:, None, None]
    slow = crop.target + 0.1 * np.sin(rows * 2 * np.pi / 48)
    quick = crop.target + 0.1 * np.sin(rows * 2 * np.pi / 2.5)
    inner = slice(RIM, -RIM)

    def left(restored: np.ndarray) -> float:
        error = seen_by_losses(crop, restored.astype(np.float32)) - crop.target
        return float((error[inner, inner] ** 2).mean())

    assert left(slow) < left(quick) / 4


@pytest.mark.parametrize("number", range(8))
def test_it_is_turned_with_its_crop(crop, number):
    recipe = Recipe(network="mending")
    turns, mirrored = draw_turn(recipe, number)

    def turn(plane: np.ndarray) -> np.ndarray:
        plane = np.rot90(plane, turns)
        return np.ascontiguousarray(plane[:, ::-1] if mirrored else plane)

    error = np.zeros((SIDE, SIDE, 3), np.float32)
    error[40:56, 30:60] = 0.1
    other = turned(crop, recipe, number)
    here = seen_by_losses(crop, crop.target + error) - crop.target
    there = seen_by_losses(other, other.target + turn(error)) - other.target
    # A crop has no middle pixel, so the PSF moves by one when turned; it is undone all the same.
    np.testing.assert_allclose(there, turn(here), atol=5e-3)


def test_crops_without_a_psf_are_left_as_they_are(generator, crop):
    restored = generator.random((SIDE, SIDE, 3), np.float32)
    plain = replace(crop, correction=None)
    np.testing.assert_allclose(seen_by_losses(plain, restored), restored, atol=1e-6)
