"""One PSF holds all over an even blur, and not where movements differ."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfsharp.blur.kinds import KINDS, shake
from selfsharp.blur.misfit import misfit
from selfsharp.blur.psf import Psf
from selfsharp.blur.regions import everywhere
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import Plane, grey_of, read_photo

FLOWERS = Path(__file__).parents[2] / "examples" / "photos" / "sharp" / "flowers.webp"
CAMERA = Camera(light="display", noise=1 / 255)


@pytest.fixture(scope="module")
def sharp() -> np.ndarray:
    return read_photo(FLOWERS).image[40:424, 40:488].copy()


def blurred(sharp: np.ndarray, psf: Psf) -> Plane:
    region = everywhere(*sharp.shape[:2])
    sample = blur_region(sharp, psf, region, CAMERA, np.random.default_rng(1))
    return grey_of(sample.blurred)


def drawn(kind: str, radius: float, seed: int) -> Psf:
    return KINDS.load(kind).psf(radius, np.random.default_rng(seed))


@pytest.mark.parametrize("kind", KINDS.names())
@pytest.mark.parametrize("radius", [2.5, 4.0, 6.0])
def test_a_true_psf_fits_everywhere(kind, radius, sharp):
    psf = drawn(kind, radius, 1)
    grey = blurred(sharp, psf)
    whole = everywhere(*grey.shape)
    assert misfit(grey, whole, whole, psf) < 0.06


@pytest.mark.parametrize("seed", range(4))
def test_a_movement_of_half_the_part_does_not_fit_the_other(seed, sharp):
    psf = drawn("motion", 5.0, seed)
    grey = blurred(sharp, psf)
    across = grey.shape[1] // 2
    grey[:, across:] = grey_of(sharp)[:, across:]
    whole, left = everywhere(*grey.shape), everywhere(*grey.shape)
    left[:, across - 30 :] = 0
    assert misfit(grey, whole, whole, psf) > 0.09
    assert misfit(grey, whole, left, psf) < misfit(grey, whole, whole, psf)


@pytest.mark.parametrize("side", [8, 60, 96])
def test_a_part_too_small_tells_nothing(side):
    noise = np.random.default_rng(0).uniform(size=(120, 120)).astype(np.float32)
    core = np.zeros((120, 120), np.float32)
    core[:side, :side] = 1
    assert misfit(noise, core, core, drawn("shake", 3.0, 0)) == 0


def test_an_even_plane_tells_nothing():
    plane = np.full((200, 200), 0.5, np.float32)
    whole = everywhere(200, 200)
    assert abs(misfit(plane, whole, whole, drawn("shake", 3.0, 0))) < 0.06


@settings(max_examples=15, deadline=None)
@given(height=st.integers(9, 260), width=st.integers(9, 260), seed=st.integers(0, 9))
def test_it_is_a_number_whatever_the_part(height, width, seed):
    generator = np.random.default_rng(seed)
    plane = generator.uniform(size=(height, width)).astype(np.float32)
    core = (generator.uniform(size=(height, width)) < 0.9).astype(np.float32)
    psf = shake.psf_of_extent(9.0, generator)
    assert np.isfinite(misfit(plane, core, core, psf))
