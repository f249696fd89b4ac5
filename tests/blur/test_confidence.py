"""Confidence is a probability: more evidence raises it, and what disagrees lowers it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsharp.blur.confidence import AGREEING, ROUNDLY, SETTLING, gains, holds

logarithms = st.floats(-10, 1)
sides = st.integers(0, 400)
spreads = st.floats(-1, 1)


def part(side: int) -> np.ndarray:
    return np.ones((side, side), np.float32)


@given(st.sampled_from([AGREEING, ROUNDLY, SETTLING]), logarithms, logarithms, sides, sides)
def test_it_rises_with_the_part_and_falls_with_what_differs(fit, one, other, this, that):
    low, high = sorted((one, other))
    small, large = map(part, sorted((this, that)))
    assert 0 <= gains(fit, high, small) <= gains(fit, low, small) <= 1
    assert gains(fit, low, small) <= gains(fit, low, large)


@given(*[logarithms] * 4, spreads, spreads, sides, sides)
def test_rounds_that_agree_and_gathered_gradients_raise_it(a, b, c, d, one, other, this, that):
    first, last, spread = (sorted(pair) for pair in ((a, b), (c, d), (one, other)))
    small, large = map(part, sorted((this, that)))
    best = holds(first[0], last[0], spread[0], large)
    assert 0 <= holds(first[1], last[1], spread[1], small) <= best <= 1
    for worse in (
        holds(first[1], last[0], spread[0], large),
        holds(first[0], last[1], spread[0], large),
        holds(first[0], last[0], spread[1], large),
        holds(first[0], last[0], spread[0], small),
    ):
        assert worse <= best


@pytest.mark.parametrize(
    ("first", "last", "spread", "side", "sure"),
    [(-4.0, -7.5, -0.05, 256, True), (-2.0, -3.5, 0.0, 128, False)],
)
def test_what_settles_and_gathers_is_believed_and_what_does_neither_is_not(
    first, last, spread, side, sure
):
    confidence = holds(first, last, spread, part(side))
    assert confidence > 0.95 if sure else confidence < 0.3
