"""A path explains the spectrum of what it blurred better than a round PSF does, and only that."""

from pathlib import Path

import numpy as np
import pytest

from selfsharp.blur.direction import apart, is_round, margin_over_round
from selfsharp.blur.kinds import KINDS
from selfsharp.blur.lens import WIDEST, RoundBlur, fit_round_blur, measure_power
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


@pytest.mark.parametrize("kind", ["gaussian", "defocus", "shake"])
@pytest.mark.parametrize("radius", [1.3, 2.0, 5.0])
def test_what_blurred_light_or_heavy_is_told_to_be_round_or_not(kind, radius, sharp):
    # A light shake covers hardly fewer pixels than a disc does, and is none.
    psf = drawn(kind, radius, 4)
    generator, region = np.random.default_rng(5), everywhere(*sharp.shape[:2])
    camera = Camera(light="display", noise=1 / 255)
    blurred = blur_region(sharp, psf, region, camera, generator).blurred
    power = measure_power(blurred.mean(axis=2), region)
    assert power is not None
    found = fit_round_blur(power)
    assert is_round(power, psf, found) == (kind != "shake")
    # As wide as is looked for: nothing round explains it.
    assert not is_round(power, psf, RoundBlur(found.kind, WIDEST[found.kind], 1.0, 1.0))


def test_radii_are_compared_by_their_ratio():
    lens = RoundBlur("defocus", 6.0, 1.0, 1.0)
    same, half = drawn("defocus", 6.0, 0), drawn("gaussian", 3.0, 0)
    assert apart(same, lens) == pytest.approx(0, abs=0.03)
    assert apart(half, lens) == pytest.approx(np.log(2), abs=0.08)


def test_a_psf_larger_than_a_block_is_taken_as_far_as_it_reaches(sharp):
    wide = np.zeros((201, 201), np.float32)
    wide[100, 100] = 1
    point = np.ones((1, 1), np.float32)
    psf = drawn("shake", 4.0, 0)
    assert margin(sharp, psf, wide) == pytest.approx(margin(sharp, psf, point))
