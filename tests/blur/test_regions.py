"""Shapes of the blurred part: alphas in 0..1 that cover what they say."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from selfsharp.blur.regions import (
    blob,
    dilated,
    eroded,
    everywhere,
    half_plane,
    labelled,
    softened,
)

sides = st.integers(24, 100)
seeds = st.integers(0, 2**32 - 1)


def assert_is_alpha(alpha: np.ndarray, height: int, width: int) -> None:
    assert alpha.shape == (height, width)
    assert alpha.dtype == np.float32
    assert 0 <= alpha.min() <= alpha.max() <= 1


def test_everywhere_is_blurred_all_over():
    alpha = everywhere(5, 7)
    assert_is_alpha(alpha, 5, 7)
    assert alpha.min() == 1


@settings(max_examples=60)
@given(sides, sides, st.floats(0.01, 1), st.floats(0, 12), seeds)
def test_a_blob_covers_its_share_of_the_area(height, width, share, edge, seed):
    alpha = blob(height, width, np.random.default_rng(seed), share, edge)
    assert_is_alpha(alpha, height, width)
    # The edge is soft: half of it lies inside the outline.
    assert (alpha >= 0.5).mean() == pytest.approx(share, abs=0.015)


def test_a_wider_edge_has_more_pixels_between():
    narrow, wide = (blob(64, 64, np.random.default_rng(3), edge=edge) for edge in (1.0, 12.0))
    between = [((alpha > 0) & (alpha < 1)).sum() for alpha in (narrow, wide)]
    assert between[1] > 4 * between[0] > 0


@pytest.mark.parametrize("share", [0.0, -0.1, 1.01, math.nan, math.inf])
def test_a_share_that_is_none_is_refused_in_one_line(share):
    with pytest.raises(ValueError, match=r"\Ashare .+ of a blob .+\Z"):
        blob(32, 32, np.random.default_rng(0), share)


@settings(max_examples=60)
@given(sides, sides, st.none() | st.floats(0.1, 12), seeds)
def test_a_half_plane_is_parted_by_one_straight_line(height, width, ramp, seed):
    alpha = half_plane(height, width, np.random.default_rng(seed), ramp)
    assert_is_alpha(alpha, height, width)
    assert alpha.min() < 0.05
    assert alpha.max() > 0.95
    inside = alpha > 0.5
    # A line crosses every row and every column once at most.
    assert np.abs(np.diff(inside.astype(int), axis=0)).sum(axis=0).max() <= 1
    assert np.abs(np.diff(inside.astype(int), axis=1)).sum(axis=1).max() <= 1


@pytest.mark.parametrize("shape", [blob, half_plane])
def test_equal_seeds_give_equal_shapes(shape):
    one, same, other = (shape(40, 50, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@given(
    st.integers(1, 30), st.integers(1, 30), st.integers(0, 7), st.floats(0, 1), st.integers(0, 99)
)
def test_eroded_and_dilated_look_at_a_square(height, width, reach, share, seed):
    inside = np.random.default_rng(seed).random((height, width)) < share
    around = np.pad(inside, reach, "edge")
    size = (2 * reach + 1, 2 * reach + 1)
    squares = np.lib.stride_tricks.sliding_window_view(around, size)
    np.testing.assert_array_equal(eroded(inside, reach), squares.all(axis=(2, 3)))
    np.testing.assert_array_equal(dilated(inside, reach), squares.any(axis=(2, 3)))


@given(st.integers(0, 6), st.integers(0, 6))
def test_a_soft_edge_ends_where_its_reaches_do(first, second):
    inside = np.zeros((41, 41), bool)
    inside[20, 20] = True
    edge = softened(dilated(inside, 5), first, second)
    assert not edge[~dilated(inside, 5 + first + second)].any()
    assert edge.max() <= 1
    np.testing.assert_array_equal(softened(np.ones((9, 9), bool), first, second), 1)


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 1), seeds)
def test_pieces_are_those_that_scipy_tells(height, width, share, seed):
    inside = np.random.default_rng(seed).random((height, width)) < share
    found, (wanted, count) = labelled(inside), ndimage.label(inside, np.ones((3, 3)))
    assert ((found > 0) == inside).all()
    pairs = set(zip(found[inside].tolist(), wanted[inside].tolist(), strict=True))
    assert len(pairs) == count == len(set(found[inside].tolist()))


def test_a_long_winding_piece_is_one():
    inside = np.zeros((101, 101), bool)
    inside[::2] = True
    inside[1::4, -1] = inside[3::4, 0] = True
    assert len(np.unique(labelled(inside)[inside])) == 1
