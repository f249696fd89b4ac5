"""Weights become PSFs, or are refused; two PSFs are compared whatever their shift."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from selfsharp.blur.kinds import KINDS, gaussian, shake
from selfsharp.blur.psf import as_psf, blur_radius, cropped, extent, similarity

odd = st.integers(0, 6).map(lambda half: 2 * half + 1)
weights = st.tuples(odd, odd).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.floats(0, 1e6))
)


def lone(*place: int, size: int = 9) -> np.ndarray:
    light = np.zeros((size, size), np.float32)
    light[place] = 1
    return light


@given(weights.filter(lambda light: light.any()))
def test_weights_become_a_psf_of_the_same_light_about_its_centroid(light):
    psf = as_psf(light)
    assert psf.dtype == np.float32
    assert psf.shape[0] == psf.shape[1]
    assert psf.shape[0] % 2 == 1
    assert psf.min() >= 0
    assert psf.sum() == pytest.approx(1, abs=1e-5)
    rows, columns = np.mgrid[: psf.shape[0], : psf.shape[1]] - psf.shape[0] // 2
    assert abs((psf * rows).sum()) <= 0.501
    assert abs((psf * columns).sum()) <= 0.501
    assert blur_radius(psf) == pytest.approx(blur_radius(light), abs=2e-2)


@pytest.mark.parametrize("place", [(0, 0), (8, 3), (4, 4)])
def test_a_point_is_a_point_wherever_it_lies(place):
    np.testing.assert_array_equal(as_psf(lone(*place)), [[1]])


@pytest.mark.parametrize("kind", np.array([bool, np.uint8, np.uint16, np.int32, np.float64]))
def test_numbers_of_any_kind_are_weights(kind):
    square = np.ones((3, 5), kind)
    psf = as_psf(square)
    assert psf.shape == (5, 5)
    np.testing.assert_allclose(psf[1:4], 1 / 15, atol=1e-7)
    assert not psf[[0, 4]].any()


@pytest.mark.parametrize("name", KINDS.names())
def test_a_psf_is_its_own(name):
    psf = KINDS.load(name).psf(4.0, np.random.default_rng(3))
    np.testing.assert_allclose(as_psf(3 * psf), cropped(psf), atol=1e-6)


HUGE = np.array([[0, 0, 0], [0, 1e308, 1e308], [0, 0, 1e308]])


def test_weights_whose_sum_would_overflow_are_weights_all_the_same():
    np.testing.assert_allclose(as_psf(HUGE), as_psf(HUGE / 1e308), atol=1e-7)


BAD = {
    "list": ([[1.0]], "list"),
    "plane": (np.ones((3, 3, 3)), r"\(3, 3, 3\)"),
    "line": (np.ones(3), r"\(3,\)"),
    "even": (np.ones((4, 5)), "4 x 5"),
    "none": (np.ones((0, 3)), "0 x 3"),
    "negative": (np.array([[1, -0.25, 1]]), "-0.25"),
    "empty": (np.zeros((3, 3)), "0 everywhere"),
    "nan": (np.array([[1, np.nan, 1]]), "not finite"),
    "infinite": (np.array([[1, np.inf, 1]]), "not finite"),
    "complex": (np.ones((3, 3), complex), "complex128"),
    "text": (np.array([["a"]]), "type"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_psf_is_refused_in_one_line_that_names_it(name):
    from jaxtyping import config

    given, named = BAD[name]
    config.update("jaxtyping_disable", True)
    try:
        with pytest.raises(ValueError, match=rf"\Apsf .*{named}.*; give .+\Z"):
            as_psf(given)
    finally:
        config.update("jaxtyping_disable", False)


def test_the_extent_is_that_of_the_light():
    assert extent(lone(2, 3)) == (1, 1)
    assert extent(np.float32([[1, 0, 0], [0, 0, 1], [0, 0.01, 0]])) == (2, 3)
    psf = shake.psf_of_extent(17.0, np.random.default_rng(2))
    assert max(extent(psf)) == pytest.approx(17, abs=1.1)


@given(st.integers(0, 1000), st.integers(0, 12), st.integers(0, 12))
def test_a_psf_is_like_itself_wherever_it_lies(seed, row, column):
    psf = shake.psf_of_extent(9.0, np.random.default_rng(seed))
    side = 2 * psf.shape[0] + 25
    shifted = np.zeros((side, side), np.float32)
    shifted[row : row + psf.shape[0], column : column + psf.shape[0]] = psf
    assert similarity(shifted, psf) == pytest.approx(1, abs=1e-4)


def test_half_a_pixel_of_shift_costs_little_and_another_psf_much():
    wide = gaussian.psf(3.0, np.random.default_rng(0))
    framed = np.pad(wide, 1)
    half = (framed[1:, 1:] + framed[:-1, 1:] + framed[1:, :-1] + framed[:-1, :-1])[:-1, :-1] / 4
    assert similarity(half, wide) > 0.99
    across, down = as_psf(np.ones((1, 15))), as_psf(np.ones((15, 1)))
    assert similarity(across, down) == pytest.approx(1 / 15, abs=0.03)


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_similarity_is_symmetric_and_between_0_and_1(one, other):
    psfs = [shake.psf_of_extent(12.0, np.random.default_rng(seed)) for seed in (one, other)]
    there, back = similarity(*psfs), similarity(*psfs[::-1])
    assert there == pytest.approx(back, abs=1e-5)
    assert 0 < there <= 1.0001
