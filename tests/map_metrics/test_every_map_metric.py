"""What every metric of maps promises, and each beside its definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfsharp.map_metrics import (
    MAP_METRICS,
    f_beta,
    intersection_over_union,
    largest_f_beta,
    mean_absolute_error,
)

MEMBERS = MAP_METRICS.load_all()
every_metric = pytest.mark.parametrize("metric", list(MEMBERS.values()), ids=list(MEMBERS))
SHAPE = (12, 17)


def drawn(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A found map at 8 bit that knows something of the true mask, the mask, and weights."""
    generator = np.random.default_rng(seed)
    true = generator.random(SHAPE) < 0.4
    found = np.clip(0.35 + 0.3 * true + 0.25 * generator.standard_normal(SHAPE), 0, 1)
    weights = np.maximum(generator.random(SHAPE, np.float32) - np.float32(0.3), 0)
    return (np.rint(found * 255) / 255).astype(np.float32), true, weights


def plain_f(found: np.ndarray, true: np.ndarray, weights: np.ndarray) -> float:
    """F of a mask, from precision and recall as they are written."""
    hits = (weights * (found & true)).sum(dtype=float)
    if hits == 0:
        return 0.0
    precision = hits / (weights * found).sum(dtype=float)
    recall = hits / (weights * true).sum(dtype=float)
    return 1.3 * precision * recall / (0.3 * precision + recall)


def test_the_members_are_the_files():
    wanted = {"f_beta", "largest_f_beta", "intersection_over_union", "mean_absolute_error"}
    assert wanted <= set(MAP_METRICS.names())


@every_metric
def test_a_map_metric_is_a_number_from_0_to_1(metric):
    found, true, weights = drawn()
    for region in (None, true, weights):
        for map_or_mask in (found, found > 0.5, np.zeros(SHAPE, bool), np.ones(SHAPE, bool)):
            value = metric.measure(map_or_mask, true, region)
            assert isinstance(value, float)
            assert 0 <= value <= 1


@every_metric
def test_the_true_mask_is_the_best_map_and_a_worse_map_scores_worse(metric):
    found, true, _ = drawn()
    sign = -1 if metric is mean_absolute_error else 1
    best = metric.measure(true, true)
    assert best == pytest.approx(0 if metric is mean_absolute_error else 1)
    assert metric.measure(true.astype(np.float32), true) == best
    assert sign * best > sign * metric.measure(found, true) > sign * metric.measure(~true, true)


@every_metric
def test_weights_of_0_and_1_are_the_region_and_everything_is_the_whole(metric):
    found, true, weights = drawn()
    region = weights > 0
    wanted = metric.measure(found, true, region)
    assert metric.measure(found, true, region.astype(np.float32)) == pytest.approx(wanted)
    assert wanted != metric.measure(found, true)
    everything = np.ones(SHAPE, bool)
    assert metric.measure(found, true, everything) == pytest.approx(metric.measure(found, true))


@every_metric
def test_what_lies_outside_the_region_does_not_count(metric):
    found, true, _ = drawn()
    region = np.zeros(SHAPE, bool)
    region[:6] = True
    wanted = metric.measure(found[:6], true[:6])
    other = np.where(region, found, np.float32(1) - found)
    assert metric.measure(other, true, region) == pytest.approx(wanted)
    assert metric.measure(found, true & region, region) == pytest.approx(wanted)


@every_metric
@given(scale=st.floats(1e-6, 1e6), seed=st.integers(0, 99))
@settings(max_examples=10)
def test_the_scale_of_weights_changes_nothing(metric, scale, seed):
    found, true, weights = drawn(seed)
    wanted = metric.measure(found, true, weights)
    scaled = weights * np.float32(scale)
    assert metric.measure(found, true, scaled) == pytest.approx(wanted, rel=1e-5)


@every_metric
def test_where_nothing_is_blurred_finding_nothing_is_right(metric):
    nothing = np.zeros(SHAPE, bool)
    assert metric.measure(nothing, nothing) == (0 if metric is mean_absolute_error else 1)


@every_metric
@pytest.mark.parametrize("kind", [bool, np.float32])
def test_an_empty_region_is_refused_in_one_line(metric, kind):
    found, true, _ = drawn()
    with pytest.raises(ValueError, match=r"\A.*region.*empty.*\Z"):
        metric.measure(found, true, np.zeros(SHAPE, kind))


@every_metric
@pytest.mark.parametrize("wrong", [-0.5, 3.5, np.nan])
def test_a_map_that_leaves_0_to_1_is_refused_in_one_line(metric, wrong):
    found, true, _ = drawn()
    found[2, 3] = wrong
    with pytest.raises(ValueError, match=rf"\A.*found map is {wrong}.*\Z"):
        metric.measure(found, true)


@pytest.mark.parametrize("metric", [f_beta, intersection_over_union])
@pytest.mark.parametrize("threshold", [0.0, -1.0, 1.5])
def test_a_threshold_that_finds_everything_or_nothing_is_refused(metric, threshold):
    found, true, _ = drawn()
    with pytest.raises(ValueError, match=rf"\Athreshold {threshold} .*\Z"):
        metric.measure(found, true, None, threshold)


@given(st.integers(0, 999), st.integers(1, 255))
@settings(max_examples=25)
def test_f_beta_and_overlap_are_their_definitions(seed, level):
    found, true, weights = drawn(seed)
    threshold = level / 255
    mask = found >= np.float32(threshold)
    score = f_beta.measure(found, true, weights, threshold)
    assert score == pytest.approx(plain_f(mask, true, weights))
    union = (weights * (mask | true)).sum(dtype=float)
    wanted = (weights * (mask & true)).sum(dtype=float) / union
    overlap = intersection_over_union.measure(found, true, weights, threshold)
    assert overlap == pytest.approx(wanted, rel=1e-5)


@given(st.integers(0, 999))
@settings(max_examples=10)
def test_the_largest_f_beta_is_the_largest_of_all_thresholds(seed):
    found, true, weights = drawn(seed)
    for region in (np.ones(SHAPE, np.float32), weights):
        levels = [found >= np.float32(level / 255) for level in range(256)]
        wanted = max(plain_f(mask, true, region) for mask in levels)
        assert largest_f_beta.measure(found, true, region) == pytest.approx(wanted)
        assert wanted >= f_beta.measure(found, true, region) - 1e-9


def test_the_largest_f_beta_sees_the_order_of_values_alone():
    found, true, weights = drawn()
    wanted = largest_f_beta.measure(found, true, weights)
    assert largest_f_beta.measure(found * np.float32(0.1), true, weights) == pytest.approx(wanted)
    assert largest_f_beta.measure(found**2, true, weights) == pytest.approx(wanted)
    same = np.full(SHAPE, 0.7, np.float32)
    everything = f_beta.measure(np.ones(SHAPE, bool), true)
    assert largest_f_beta.measure(same, true) == pytest.approx(everything)


def test_precision_counts_more_than_recall():
    true = np.zeros(SHAPE, bool)
    true[:, :8] = True
    half, double = true.copy(), np.ones(SHAPE, bool)
    half[:, :4] = False
    double[:, 16:] = False
    assert f_beta.precision_and_recall(half, true) == (1.0, pytest.approx(0.5))
    assert f_beta.precision_and_recall(double, true) == (pytest.approx(0.5), pytest.approx(1.0))
    assert f_beta.measure(half, true) > f_beta.measure(double, true)


def test_precision_and_recall_of_nothing_are_1():
    nothing, everything = np.zeros(SHAPE, bool), np.ones(SHAPE, bool)
    assert f_beta.precision_and_recall(nothing, everything) == (1.0, 0.0)
    assert f_beta.precision_and_recall(everything, nothing) == (0.0, 1.0)


def test_the_adaptive_threshold_is_twice_the_mean_and_usable_for_every_map():
    found, true, weights = drawn()
    low = found * np.float32(0.4)
    wanted = 2 * np.average(low.astype(float), weights=weights.astype(float))
    assert f_beta.adaptive_threshold(low, weights) == pytest.approx(wanted)
    for values in (np.ones(SHAPE, np.float32), np.zeros(SHAPE, np.float32), low):
        threshold = f_beta.adaptive_threshold(values)
        assert 0 < threshold <= 1
        assert 0 <= f_beta.measure(values, true, None, threshold) <= 1


def test_the_mean_absolute_error_is_its_definition():
    found, true, weights = drawn()
    wanted = np.average(np.abs(found.astype(float) - true), weights=weights.astype(float))
    assert mean_absolute_error.measure(found, true, weights) == pytest.approx(wanted)
