"""Transforms agree with float64, keep float32, and undo each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsharp.blur.spectrum import derivatives, divergence, fast_length, slope_power, transform

shapes = st.tuples(st.integers(1, 40), st.integers(2, 40))


def plane(shape: tuple[int, int], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@given(shapes, st.integers(0, 99))
def test_the_spectrum_agrees_with_float64(shape: tuple[int, int], seed: int):
    given_plane = plane(shape, seed)
    spectrum = transform(given_plane)
    assert spectrum.dtype == np.complex64
    wanted = np.fft.rfft2(given_plane.astype(np.float64))
    np.testing.assert_allclose(spectrum, wanted, atol=1e-6 * given_plane.size)
    np.testing.assert_allclose(np.fft.irfft2(spectrum, shape), given_plane, atol=1e-5)


def test_zeros_are_added_up_to_the_shape():
    small, wide = plane((5, 7), 0), np.zeros((8, 12), np.float32)
    wide[:5, :7] = small
    np.testing.assert_allclose(transform(small, (8, 12)), transform(wide), atol=1e-5)


def test_double_precision_stays():
    assert transform(np.ones((4, 4))).dtype == np.complex128


@given(shapes, st.integers(0, 99))
def test_the_divergence_is_the_adjoint_of_the_derivatives(shape: tuple[int, int], seed: int):
    across, below, other = (plane(shape, 3 * seed + number) for number in range(3))
    slopes = derivatives(other)
    wanted = float((across * slopes[0]).sum() + (below * slopes[1]).sum())
    assert float((divergence(across, below) * other).sum()) == pytest.approx(wanted, abs=1e-2)


@given(shapes, st.integers(0, 99))
def test_the_slopes_power_is_that_of_the_derivatives(shape: tuple[int, int], seed: int):
    given_plane = plane(shape, seed)
    twice = transform(divergence(*derivatives(given_plane)))
    wanted = slope_power(shape) * transform(given_plane)
    np.testing.assert_allclose(twice, wanted, atol=1e-5 * given_plane.size)


@given(st.integers(1, 5000))
def test_a_fast_length_is_long_enough_and_has_small_factors(length: int):
    fast = fast_length(length)
    assert length <= fast < 2 * length or length == fast
    for factor in (2, 3, 5):
        while fast % factor == 0:
            fast //= factor
    assert fast == 1
