"""A path explains the spectrum of what it blurred better than a round PSF does, and only that."""

from pathlib import Path

import numpy as np
import pytest

from selfsharp.blur.direction import margin_over_round
from selfsharp.blur.kinds import KINDS
from selfsharp.blur.lens import fit_round_blur, measure_power
from selfsharp.blur.psf import Psf
from selfsharp.blur.regions import everywhere
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import read_photo

FLOWERS = Path(__file__).parents[2] / "examples" / "photos" / "sharp" / "flowers.webp"


@pytest.fixture(scope="module")
def sharp() -> np.ndarray:
    return read_photo(FLOWERS).image[60:440, 40:460]


def drawn(kind: str, radius: float, seed: int) -> Psf:
    return KINDS.load(kind).psf(radius, np.random.default_rng(seed))


def margin(sharp: np.ndarray, blurred_by: Psf, asked: Psf) -> float:
    """By how much a PSF explains what another one, or itself, has blurred."""
    generator, region = np.random.default_rng(5), everywhere(*sharp.shape[:2])
    camera = Camera(light="display", noise=1 / 255)
    blurred = blur_region(sharp, blurred_by, region, camera, generator).blurred
    power = measure_power(blurred.mean(axis=2), region)
    assert power is not None
    return margin_over_round(power, asked, fit_round_blur(power))


@pytest.mark.parametrize("kind", ["shake", "motion"])
@pytest.mark.parametrize("radius", [2.5, 5.0])
@pytest.mark.parametrize("seed", range(3))
def test_the_true_path_explains_it_better_than_a_wrong_one(kind, radius, seed, sharp):
    psf = drawn(kind, radius, seed)
    assert margin(sharp, psf, psf) > 500
    assert margin(sharp, psf, psf.T.copy()) < margin(sharp, psf, psf)


@pytest.mark.parametrize("kind", ["gaussian", "defocus"])
@pytest.mark.parametrize("radius", [2.5, 5.0])
def test_no_path_explains_round_blur(kind, radius, sharp):
    for seed in range(3):
        assert margin(sharp, drawn(kind, radius, seed), drawn("shake", radius, seed)) < 0


def test_a_psf_larger_than_a_block_is_taken_as_far_as_it_reaches(sharp):
    wide = np.zeros((201, 201), np.float32)
    wide[100, 100] = 1
    point = np.ones((1, 1), np.float32)
    psf = drawn("shake", 4.0, 0)
    assert margin(sharp, psf, wide) == pytest.approx(margin(sharp, psf, point))
