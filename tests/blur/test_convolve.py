"""Convolution and light: parity with SciPy and with the standard's formula in float64."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import TypeCheckError

from selfsharp.blur.convolve import convolve, filter_inside, mirror, to_display, to_linear

ndimage = pytest.importorskip("scipy.ndimage")
signal = pytest.importorskip("scipy.signal")

LEVELS = np.linspace(0, 1, 4097, dtype=np.float32).reshape(-1, 1, 1)
sides = st.integers(1, 41)
# From 8 on SciPy 1.17 itself mirrors an image of 2 px wrongly.
halves = st.integers(0, 7)


def random_psf(half: int, generator: np.random.Generator) -> np.ndarray:
    """Not symmetric in any way, so that a flipped or shifted result shows."""
    weights = generator.random((2 * half + 1, 2 * half + 1)) ** 4
    return (weights / weights.sum()).astype(np.float32)


@settings(max_examples=80)
@given(height=sides, width=sides, channels=st.integers(1, 4), half=halves)
def test_agrees_with_scipy_at_any_size(height, width, channels, half):
    generator = np.random.default_rng([height, width, channels, half])
    image = generator.random((height, width, channels), np.float32)
    psf = random_psf(half, generator)
    kernel = psf.astype(np.float64)[:, :, None]
    expected = ndimage.convolve(image.astype(np.float64), kernel, mode="reflect")
    blurred = convolve(image, psf)
    assert blurred.dtype == np.float32
    np.testing.assert_allclose(blurred, expected, atol=2e-6)


@settings(max_examples=30)
@given(height=sides, width=sides, half=halves, value=st.floats(0, 1, width=32))
def test_an_even_image_stays_even(height, width, half, value):
    image = np.full((height, width, 3), value, np.float32)
    blurred = convolve(image, random_psf(half, np.random.default_rng(half)))
    np.testing.assert_allclose(blurred, image, atol=2e-6)


def test_a_small_image_is_mirrored_as_often_as_its_border_needs():
    image = np.array([1, 2], np.float32).reshape(1, 2, 1)
    assert mirror(image, 3)[0, :, 0].tolist() == [2, 2, 1, 1, 2, 2, 1, 1]


def test_to_linear_follows_the_srgb_standard():
    srgb = LEVELS.astype(np.float64)
    expected = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    np.testing.assert_allclose(to_linear(LEVELS), expected, atol=5e-7)


def test_to_display_follows_the_srgb_standard():
    light = LEVELS.astype(np.float64)
    expected = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    np.testing.assert_allclose(to_display(LEVELS), expected, atol=5e-7)


def test_to_display_undoes_to_linear():
    np.testing.assert_allclose(to_display(to_linear(LEVELS)), LEVELS, atol=1e-6)


def test_light_keeps_single_precision():
    assert to_linear(LEVELS).dtype == to_display(LEVELS).dtype == np.float32


def test_the_tests_check_every_calls_array_types():
    with pytest.raises(TypeCheckError):
        to_linear(LEVELS.astype(np.float64))


@given(st.integers(1, 5), st.integers(1, 6))
@settings(max_examples=15)
def test_a_filter_inside_is_the_correlation_where_nothing_is_made_up(rows, columns):
    generator = np.random.default_rng(rows + 10 * columns)
    plane = generator.standard_normal((9, 11))
    down, across = generator.standard_normal(rows), generator.standard_normal(columns)
    wanted = signal.correlate2d(plane, np.outer(down, across), mode="valid")
    assert np.allclose(filter_inside(plane, down, across), wanted, rtol=0, atol=1e-12)
