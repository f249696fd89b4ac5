"""sharpness_gain rises with sharpening, falls with every kind of blur, and noise is neither."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfsharp.blur.convolve import convolve
from selfsharp.blur.kinds import KINDS, gaussian
from selfsharp.image import read_photo
from selfsharp.metrics.sharpness_gain import measure

FLOWERS = Path(__file__).parents[2] / "examples" / "photos" / "sharp" / "flowers.webp"
every_kind = pytest.mark.parametrize("kind", KINDS.names())


@pytest.fixture(scope="module")
def flowers():
    """A real photo's middle, 256 x 256."""
    return np.ascontiguousarray(read_photo(FLOWERS).image[160:416, 160:416])


def blurred(image, radius, kind="gaussian", seed=1):
    return convolve(image, KINDS.load(kind).psf(radius, np.random.default_rng(seed)))


def sharpened(image, strength=1.0):
    """Unsharp masking."""
    soft = convolve(image, gaussian.psf(1.5, np.random.default_rng(0)))
    return np.clip(image + np.float32(strength) * (image - soft), 0, 1)


def noisy(image, sigma, seed=0):
    """The image with noise of so many grey levels."""
    noise = np.random.default_rng(seed).standard_normal(image.shape, np.float32)
    return np.clip(image + np.float32(sigma / 255) * noise, 0, 1)


def plain_gain(after, before):
    """What a plain energy of gradients would say."""
    energies = [sum((g**2).mean() for g in np.gradient(x.mean(axis=2))) for x in (after, before)]
    return 10 * math.log10(energies[0] / energies[1])


@every_kind
@given(radius=st.floats(0.5, 6), seed=st.integers(0, 50))
@settings(max_examples=8)
def test_every_blur_loses_sharpness_and_undoing_it_gains_as_much(kind, radius, seed, photo):
    soft = blurred(photo, radius, kind, seed)
    lost = measure(soft, photo)
    assert lost < -0.05
    assert measure(photo, soft) == pytest.approx(-lost)


@every_kind
def test_more_blur_loses_more(kind, flowers):
    lost = [measure(blurred(flowers, radius, kind), flowers) for radius in (0.7, 1.5, 3.0, 6.0)]
    assert lost == sorted(lost, reverse=True)
    assert lost[0] < -0.1
    assert lost[-1] < -4


@pytest.mark.parametrize("radius", [0.0, 1.0, 3.0])
def test_sharpening_gains_and_more_of_it_gains_more(radius, photo, flowers):
    for image in (photo, flowers):
        before = blurred(image, radius)
        gains = [measure(sharpened(before, strength), before) for strength in (0.3, 1.0, 2.0)]
        assert 0.1 < gains[0] < gains[1] < gains[2]


@pytest.mark.parametrize("sigma", [1.0, 3.0, 8.0, 15.0])
@pytest.mark.parametrize("radius", [0.0, 2.0, 5.0, 8.0])
def test_noise_alone_is_not_sharpness(sigma, radius, flowers):
    before = blurred(flowers, radius)
    after = noisy(before, sigma)
    assert abs(measure(after, before)) < 0.03 + 0.015 * plain_gain(after, before)


def test_noise_taken_away_is_no_blur(flowers):
    assert abs(measure(flowers, noisy(flowers, 8))) < 0.02


def test_sharpening_under_noise_gains_what_it_gains_without(flowers):
    before = blurred(flowers, 2.0)
    wanted = measure(sharpened(before), before)
    with_noise = noisy(before, 3)
    assert measure(sharpened(with_noise), with_noise) == pytest.approx(wanted, abs=0.15)


def test_blur_in_the_region_alone_counts(flowers):
    region = np.zeros(flowers.shape[:2], bool)
    region[:, :128] = True
    half = np.where(region[:, :, None], blurred(flowers, 3.0), flowers)
    assert measure(half, flowers, region) < -3
    far = np.zeros_like(region)
    far[:, 140:] = True
    assert measure(half, flowers, far) == 0


def test_stripes_and_edges_without_any_flat_place_are_no_noise():
    stripes = np.float32(0.3) + np.float32(0.4) * (np.arange(96) // 4 % 2).astype(np.float32)
    image = np.broadcast_to(stripes[None, :, None], (80, 96, 3)).copy()
    assert measure(blurred(image, 3.0), image) < -3
    assert measure(sharpened(image), image) > 1


def test_fine_texture_beside_a_flat_place_is_no_noise():
    image = np.full((96, 96, 3), 0.5, np.float32)
    image[:, 40:] = np.random.default_rng(0).random((96, 56, 1), np.float32)
    assert measure(blurred(image, 2.0), image) < -8


def test_where_there_is_nothing_to_see_there_is_nothing_to_gain():
    flat = np.full((48, 64, 3), 0.4, np.float32)
    assert measure(flat, flat) == 0
    assert measure(flat + np.float32(0.2), flat) == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (7, 3)])
def test_the_smallest_images_have_a_finite_gain(shape):
    one, other = np.random.default_rng(0).random((2, *shape, 3), np.float32)
    assert math.isfinite(measure(one, other))
