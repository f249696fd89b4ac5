"""Paths of a picture during an exposure: where they start, how far they spread."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfsharp.blur.path import LEAST_MOMENTS, MOST_MOMENTS, Path, draw_line, draw_path, rest

HEIGHT, WIDTH = 40, 60
seeds = st.integers(0, 2**32 - 1)
radii = st.floats(0.3, 9)
centres = st.tuples(st.floats(-100, 140), st.floats(-100, 160))


def places(path: Path) -> np.ndarray:
    """Row and column that the light of every pixel comes from, at every moment."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    at = np.stack([np.ones_like(rows), rows, columns])
    return np.einsum("tai,ihw->tahw", path.affine(), at)


@settings(max_examples=25)
@given(seed=seeds, radius=radii, turning=st.floats(0, 1), centre=centres)
def test_a_hands_path_has_its_radius_and_the_sharp_moment_in_its_middle(
    seed, radius, turning, centre
):
    path = draw_path(radius, turning, HEIGHT, WIDTH, centre, np.random.default_rng(seed))
    assert len(path) % 2 == 1
    assert LEAST_MOMENTS <= len(path) <= MOST_MOMENTS
    here = np.mgrid[:HEIGHT, :WIDTH]
    moves = places(path) - here
    assert np.array_equal(moves[len(path) // 2], np.zeros_like(moves[0]))
    # A turn by an angle pulls the centroid towards its centre by a little: 1 - cos(angle).
    pull = (1 - np.cos(path.turns)).mean() * 250
    assert np.abs(moves.mean(axis=0)).max() < 1e-6 + 1.01 * pull
    spread = ((moves - moves.mean(axis=0)) ** 2).sum(axis=1).mean(axis=0)
    np.testing.assert_allclose(path.variance(HEIGHT, WIDTH), spread, rtol=1e-3, atol=1e-3)
    assert math.sqrt(spread.mean()) == pytest.approx(radius, rel=0.02)
    assert np.abs(moves).max() <= path.reach(HEIGHT, WIDTH) + 1e-9


def test_a_path_that_only_turns_keeps_its_centre_in_place():
    path = draw_path(4.0, 1.0, HEIGHT, WIDTH, (10.0, 20.0), np.random.default_rng(3))
    moves = places(path) - np.mgrid[:HEIGHT, :WIDTH]
    assert np.abs(moves[:, :, 10, 20]).max() < 1e-9
    assert path.variance(HEIGHT, WIDTH)[10, 20] == pytest.approx(0, abs=1e-6)
    # Its radius grows in proportion to the distance from there.
    radius = np.sqrt(path.variance(HEIGHT, WIDTH))
    assert radius[10, 50] == pytest.approx(3 * radius[10, 30], rel=0.01)
    assert radius[40 - 1, 20] == pytest.approx(2.9 * radius[20, 20], rel=0.01)


def test_a_path_without_turn_spreads_alike_everywhere():
    path = draw_path(3.0, 0.0, HEIGHT, WIDTH, (0.0, 0.0), np.random.default_rng(1))
    np.testing.assert_allclose(path.variance(HEIGHT, WIDTH), 9, rtol=1e-3)


@given(seed=seeds, radius=radii)
def test_a_line_is_straight_even_and_as_long_as_its_radius_says(seed, radius):
    path = draw_line(radius, np.random.default_rng(seed))
    steps = np.diff(path.shifts, axis=0)
    np.testing.assert_allclose(steps, steps[:1].repeat(len(steps), axis=0), atol=1e-9)
    length = np.hypot(*steps[0]) * len(path)
    assert length == pytest.approx(radius * math.sqrt(12))
    assert np.array_equal(path.shifts[len(path) // 2], [0, 0])


def test_something_nearer_shifts_more_and_turns_alike():
    path = draw_path(3.0, 0.5, HEIGHT, WIDTH, (0.0, 0.0), np.random.default_rng(1))
    near = path.scaled(2.0)
    assert np.array_equal(near.shifts, 2 * path.shifts)
    assert np.array_equal(near.turns, path.turns)
    assert rest(9).still
    assert not path.still


@pytest.mark.parametrize(("radius", "turning"), [(0.0, 0.5), (math.nan, 0.5), (3.0, 1.5)])
def test_a_path_of_no_size_is_refused(radius, turning):
    with pytest.raises(ValueError, match=r"of a path|of the turn"):
        draw_path(radius, turning, HEIGHT, WIDTH, (0.0, 0.0), np.random.default_rng(0))
