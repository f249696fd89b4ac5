"""A region counts pixels, or weighs them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfsharp.region import mean_over, pixels_of, weights_of


def drawn(height, width, seed):
    """A plane of values, and weights of which some are 0."""
    generator = np.random.default_rng(seed)
    weights = np.maximum(generator.random((height, width), np.float32) - np.float32(0.4), 0)
    weights[0, 0] = 1
    return generator.standard_normal((height, width)), weights


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
@settings(max_examples=20)
def test_the_mean_over_a_region_is_numpys(height, width, seed):
    values, weights = drawn(height, width, seed)
    assert mean_over(values) == pytest.approx(values.mean())
    assert mean_over(values, weights > 0) == pytest.approx(values[weights > 0].mean())
    wanted = np.average(values, weights=weights.astype(float))
    assert mean_over(values, weights) == pytest.approx(wanted)
    for region in (None, weights > 0, weights):
        shares = weights_of(region, height, width)
        assert shares.sum() == pytest.approx(1)
        assert (shares * values).sum() == pytest.approx(mean_over(values, region))


def test_the_largest_and_least_floats_are_weights():
    values, _ = drawn(4, 5, 0)
    for weight in (np.finfo(np.float32).max, np.finfo(np.float32).smallest_subnormal):
        even = np.full((4, 5), weight, np.float32)
        assert mean_over(values, even) == pytest.approx(values.mean())


def test_what_has_no_weight_does_not_count_whatever_it_is():
    values, weights = drawn(6, 7, 1)
    wanted = mean_over(values, weights)
    values[weights == 0] = np.nan
    assert mean_over(values, weights) == wanted
    assert np.array_equal(pixels_of(weights), weights > 0)
