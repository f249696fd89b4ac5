"""Estimates go on together, and each as it would alone."""

from pathlib import Path

import numpy as np
import pytest

from selfsharp.blur.alternation import EFFORTS, SIDES, SIZE, begin, estimate_once, go_on, scaled
from selfsharp.blur.blurred_part import BlurredPart
from selfsharp.blur.kinds import KINDS
from selfsharp.blur.psf import Psf, similarity
from selfsharp.blur.regions import everywhere
from selfsharp.blur.spectrum import corner_of, derivatives, divergence, psf_spectrum, transform
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import grey_of, read_photo

FLOWERS = Path(__file__).parents[2] / "examples" / "photos" / "sharp" / "flowers.webp"
GENERATOR = np.random.default_rng(0)
TRUE: Psf = KINDS.load("shake").psf(3.0, GENERATOR)


@pytest.fixture(scope="module")
def shaken() -> np.ndarray:
    """A grey photo of 220x260 px, all of it shaken."""
    sharp = read_photo(FLOWERS).image[:220, :260].copy()
    camera = Camera(light="display", noise=1 / 255)
    return grey_of(blur_region(sharp, TRUE, everywhere(220, 260), camera, GENERATOR).blurred)


@pytest.mark.parametrize("side", [SIDES[-1], SIDES[-3], SIZE])
def test_together_they_become_what_each_becomes_alone(shaken, side):
    small, inside = (scaled(plane, side / SIZE) for plane in (shaken, np.ones_like(shaken)))
    part = BlurredPart.of(small, inside, side)
    several = [begin(effort) for effort in EFFORTS]
    together = go_on(side, part, several)
    for one, other in zip(several, together, strict=True):
        (alone,) = go_on(side, part, [one])
        assert np.array_equal(alone.psf, other.psf)
        assert alone.effort == other.effort
        assert alone.psf.shape == (side, side)
        assert alone.psf.sum() == pytest.approx(1, abs=1e-5)


def test_a_scale_leaves_more_gradients_to_the_next(shaken):
    part = BlurredPart.of(*(scaled(p, SIDES[-1] / SIZE) for p in (shaken, shaken + 1)), SIDES[-1])
    (after,) = go_on(SIDES[-1], part, [begin(EFFORTS[0])])
    assert after.effort.flattening < EFFORTS[0].flattening
    assert after.effort.rounds == EFFORTS[0].rounds


def test_one_estimate_comes_close_to_the_path(shaken):
    found = estimate_once(shaken, np.ones_like(shaken), EFFORTS[2])
    known = np.pad(TRUE, (SIZE - TRUE.shape[0]) // 2)
    assert similarity(found, known) > 0.7


@pytest.mark.parametrize("shape", [(24, 30), (25, 32)])
def test_spectra_of_several_planes_are_those_of_each(shape):
    planes = GENERATOR.random((3, *shape), dtype=np.float32)
    psfs = GENERATOR.random((3, 5, 5), dtype=np.float32)
    across, below = derivatives(planes)
    summed = divergence(across, below)
    for at, (plane, psf) in enumerate(zip(planes, psfs, strict=True)):
        assert np.array_equal(transform(planes)[at], transform(plane))
        assert np.array_equal(psf_spectrum(psfs, shape)[at], psf_spectrum(psf, shape))
        assert np.array_equal(summed[at], divergence(*derivatives(plane)))
        corners = corner_of(transform(planes), shape, 7)
        around_first = np.roll(plane, (3, 3), (0, 1))[:7, :7]
        np.testing.assert_allclose(corners[at], around_first, atol=1e-6)


@pytest.mark.parametrize("shape", [(24, 30), (25, 32)])
def test_the_spectrum_of_a_psf_is_that_of_it_on_the_first_pixel(shape):
    psf = GENERATOR.random((7, 7), dtype=np.float32)
    plane = np.zeros(shape, np.float32)
    plane[:7, :7] = psf
    wanted = np.fft.rfft2(np.roll(plane, (-3, -3), (0, 1)))
    np.testing.assert_allclose(psf_spectrum(psf, shape), wanted, atol=1e-5)
