"""A PSF is found from a blurred part, and undone in it."""

from pathlib import Path

import numpy as np
import pytest

from selfsharp.blur.deconvolve import deconvolve
from selfsharp.blur.estimate import estimate_psf
from selfsharp.blur.kinds import shake
from selfsharp.blur.psf import blur_radius
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import read_photo
from selfsharp.metrics import psnr

FLOWERS = Path(__file__).parents[2] / "examples" / "photos" / "sharp" / "flowers.webp"


@pytest.fixture(scope="module")
def shaken():
    """Part of a photo, its middle blurred by hand shake; the sample and the PSF."""
    generator = np.random.default_rng(4)
    sharp = read_photo(FLOWERS).image[120:440, 60:420]
    psf = shake.psf_of_extent(17.0, generator)
    region = np.zeros(sharp.shape[:2], np.float32)
    region[40:-40, 40:-40] = 1
    return blur_region(sharp, psf, region, Camera(), generator), psf


def test_undoing_the_true_psf_gains_inside_and_does_not_ring_at_the_border(shaken):
    sample, psf = shaken
    restored = deconvolve(sample.blurred, sample.mask, psf)
    inside = sample.mask > 0
    rim = inside.copy()
    rim[56:-56, 56:-56] = False
    for part in (inside, rim):
        before = psnr.measure(sample.blurred, sample.sharp, part)
        assert psnr.measure(restored, sample.sharp, part) > before + 2.5


def test_the_estimate_is_a_psf_of_about_the_true_radius(shaken):
    sample, psf = shaken
    found = estimate_psf(sample.blurred.mean(axis=2), sample.mask)
    assert found.psf.sum() == pytest.approx(1, abs=1e-4)
    assert found.psf.min() >= 0
    assert found.psf.shape[0] % 2 == 1
    assert blur_radius(found.psf) == pytest.approx(blur_radius(psf), rel=0.25)
    assert 0.9 < found.agreement <= 1.0001


def test_undoing_the_estimate_gains(shaken):
    sample, _ = shaken
    found = estimate_psf(sample.blurred.mean(axis=2), sample.mask)
    restored = deconvolve(sample.blurred, sample.mask, found.psf)
    inside = sample.mask > 0
    before = psnr.measure(sample.blurred, sample.sharp, inside)
    assert psnr.measure(restored, sample.sharp, inside) > before + 1


def test_the_identity_psf_changes_next_to_nothing(shaken):
    sample, _ = shaken
    same = deconvolve(sample.sharp, sample.mask, np.ones((1, 1), np.float32))
    assert psnr.measure(same, sample.sharp) > 38


def test_a_flat_picture_tells_no_psf_and_breaks_nothing():
    found = estimate_psf(np.full((80, 90), 0.5, np.float32), np.ones((80, 90), np.float32))
    assert np.isfinite(found.psf).all()
    assert np.isfinite([found.agreement, found.spread]).all()
