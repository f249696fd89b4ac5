"""How blurred a picture is against its sharp original, and how much there is to see in it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsharp.blur.camera import Camera, through_camera
from selfsharp.blur.convolve import convolve
from selfsharp.blur.kinds import gaussian
from selfsharp.blur.regions import everywhere
from selfsharp.blur.sharpness import (
    CELL,
    FLAT,
    LADDER,
    radius_between,
    structure,
    structure_over_noise,
)
from selfsharp.blur.synthesis import blur_region


def gaussian_psf(radius: float) -> np.ndarray:
    return gaussian.psf(radius, np.random.default_rng(0))


@pytest.mark.parametrize("radius", [0.0, 0.3, 0.65, 1.0, 1.5, 2.2, 3.0, 4.2, 5.0, 6.0, 7.0])
def test_a_gaussians_radius_is_found_within_its_step_of_the_ladder(photo, radius):
    found = radius_between(photo, convolve(photo, gaussian_psf(radius)))
    below = max(step for step in LADDER if step <= radius)
    above = min(step for step in LADDER if step >= radius)
    assert np.isin(found, np.float32([below, above])).all()


@pytest.mark.parametrize("radius", [0.0, 1.2, 2.6, 5.0])
def test_a_radius_of_the_ladder_is_found_in_a_rounded_photo_too(photo, radius):
    region = everywhere(*photo.shape[:2])
    sample = blur_region(
        photo, gaussian_psf(radius), region, Camera(noise=0.0), np.random.default_rng(0)
    )
    assert (radius_between(photo, sample.blurred) == np.float32(radius)).mean() > 0.95


def test_the_radius_is_local(photo):
    blurred = convolve(photo, gaussian_psf(3.6))
    left = photo.shape[1] // 2
    blurred[:, :left] = photo[:, :left]
    found = radius_between(photo, blurred, window=4.0)
    assert found[:, : left - 16].max() == 0
    assert found[:, left + 16 :].min() == np.float32(3.6)


def test_in_flat_places_the_least_radius_wins():
    flat = np.full((24, 24, 3), 0.4, np.float32)
    assert radius_between(flat, flat).max() == 0


# ---------------------------------------------------------------------------- structure


def test_structure_is_the_deviation_of_the_cells_around(photo):
    ndimage = pytest.importorskip("scipy.ndimage")
    height, width = photo.shape[0] // CELL, photo.shape[1] // CELL
    grey = photo.astype(np.float64).mean(axis=2)
    cells = grey.reshape(height, CELL, width, CELL).mean(axis=(1, 3))
    mean, square = (ndimage.uniform_filter(x, 5, mode="nearest") for x in (cells, cells**2))
    found = structure(photo)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.sqrt(square - mean**2), atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (4, 5), (7, 16), (33, 2)])
def test_structure_has_a_value_for_every_cell_begun(photo, height, width):
    found = structure(photo[:height, :width])
    assert found.shape == (-(-height // CELL), -(-width // CELL))
    assert np.isfinite(found).all()


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_flat_places_have_no_structure_however_noisy(level):
    flat = np.full((64, 64, 3), level, np.float32)
    noisy = through_camera(flat, Camera(noise=2.5 / 255), np.random.default_rng(0))
    assert structure(flat).max() < FLAT / 4
    assert structure(noisy).max() < FLAT


@pytest.mark.parametrize("radius", [1.0, 3.0, 7.0])
def test_blurred_texture_still_has_structure(photo, radius):
    assert (structure(convolve(photo, gaussian_psf(radius))) > FLAT).mean() > 0.98


@given(st.floats(0.5, 12), st.floats(-0.9, 0.9), st.integers(0, 99))
def test_noise_on_even_shading_has_no_structure(sigma: float, slope: float, seed: int):
    shading = np.tile(np.linspace(-slope / 2, slope / 2, 120), (90, 1)) * 0.4 + 0.5
    noise = np.random.default_rng(seed).normal(0, sigma / 255, shading.shape)
    grey = (shading + noise).astype(np.float32)
    told = structure_over_noise(grey, np.ones_like(grey))
    assert told == pytest.approx(1, abs=0.25)


def test_structure_stands_out_of_noise_however_blurred(photo):
    grey = photo.mean(axis=2)
    noise = np.random.default_rng(0).normal(0, 1 / 255, grey.shape).astype(np.float32)
    for radius in (1.0, 4.0, 11.0):
        blurred = convolve(grey[:, :, None], gaussian_psf(radius))[:, :, 0] + noise
        assert structure_over_noise(blurred, np.ones_like(blurred)) > 1.5


def test_a_part_too_small_to_tell_has_no_structure():
    grey = np.random.default_rng(0).uniform(size=(40, 40)).astype(np.float32)
    assert structure_over_noise(grey, np.zeros_like(grey)) == 0
    assert structure_over_noise(grey[:2, :2], np.ones((2, 2), np.float32)) == 0
