"""Blur of a lens is told from blur by a movement, and its radius is found."""

from pathlib import Path

import numpy as np
import pytest

from selfsharp.blur.kinds import KINDS
from selfsharp.blur.lens import fit_round_blur, measure_power, unevenness
from selfsharp.blur.psf import blur_radius
from selfsharp.blur.regions import everywhere
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import read_photo

FLOWERS = Path(__file__).parents[2] / "examples" / "photos" / "sharp" / "flowers.webp"


@pytest.fixture(scope="module")
def sharp() -> np.ndarray:
    return read_photo(FLOWERS).image[60:440, 40:460]


def power_of(sharp: np.ndarray, kind: str, radius: float):
    """The power spectrum of a photo blurred all over, with noise."""
    generator = np.random.default_rng(5)
    psf = KINDS.load(kind).psf(radius, generator)
    camera = Camera(light="display", noise=1 / 255)
    blurred = blur_region(sharp, psf, everywhere(*sharp.shape[:2]), camera, generator).blurred
    return measure_power(blurred.mean(axis=2), np.ones(sharp.shape[:2], np.float32))


@pytest.mark.parametrize("side", [150, 90])
def test_the_power_of_white_noise_is_its_variance_at_every_frequency(side):
    noise = np.random.default_rng(1).normal(0.5, 0.1, (4 * side, 5 * side)).astype(np.float32)
    mask = np.zeros(noise.shape, np.float32)
    mask[:side] = 1
    power = measure_power(noise, mask)
    assert power.side == (128 if side == 150 else 64)
    # The mean is taken out of each block, and with it the lowest frequencies.
    assert power.values[3:-3, 3:].mean() == pytest.approx(0.01, rel=0.03)


def test_a_part_that_holds_no_block_has_no_power(sharp):
    mask = np.zeros(sharp.shape[:2], np.float32)
    assert measure_power(sharp.mean(axis=2), mask) is None
    mask[100:150, 100:400] = 1
    assert measure_power(sharp.mean(axis=2), mask) is None
    assert measure_power(sharp[:40].mean(axis=2), mask[:40]) is None


def test_what_lies_outside_the_mask_does_not_count(sharp):
    mask = np.zeros(sharp.shape[:2], np.float32)
    mask[:200] = 1
    other = sharp.copy()
    other[200:] = 0.2
    powers = [measure_power(image.mean(axis=2), mask) for image in (sharp, other)]
    assert np.array_equal(powers[0].values, powers[1].values)


@pytest.mark.parametrize("kind", ["gaussian", "defocus"])
@pytest.mark.parametrize("radius", [2.0, 3.5, 6.0, 10.0])
def test_kind_and_radius_of_round_blur_are_found(sharp, kind, radius):
    found = fit_round_blur(power_of(sharp, kind, radius))
    assert found.kind == kind
    assert 0 < found.margin < found.evidence
    assert found.radius == pytest.approx(radius, rel=0.12)
    assert blur_radius(found.psf) == pytest.approx(found.radius, rel=0.01)


def test_stronger_blur_has_more_evidence_than_none(sharp):
    power = measure_power(sharp.mean(axis=2), np.ones(sharp.shape[:2], np.float32))
    evidence = [fit_round_blur(power).evidence]
    evidence += [
        fit_round_blur(power_of(sharp, "gaussian", radius)).evidence for radius in (1.5, 3.0)
    ]
    assert evidence == sorted(evidence)
    assert evidence[1] > 1000


def test_a_movement_is_more_uneven_than_a_lens(sharp):
    lens = [unevenness(power_of(sharp, kind, 4.0)) for kind in ("gaussian", "defocus")]
    moved = [unevenness(power_of(sharp, kind, 4.0)) for kind in ("motion", "shake")]
    assert max(lens) < 0.8 < min(moved)


def test_noise_alone_is_even():
    noise = np.random.default_rng(2).normal(0.5, 0.02, (300, 300)).astype(np.float32)
    assert unevenness(measure_power(noise, np.ones((300, 300), np.float32))) < 0.2
