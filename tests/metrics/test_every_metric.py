"""What every metric promises, over the whole picture, a region and weights."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfsharp.metrics import METRICS

MEMBERS = METRICS.load_all()
every_metric = pytest.mark.parametrize("metric", list(MEMBERS.values()), ids=list(MEMBERS))


def noisy(image: np.ndarray, sigma: float = 0.05, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(image.shape, np.float32)
    return np.clip(image + np.float32(sigma) * noise, 0, 1)


def weights_like(image: np.ndarray, seed: int = 0) -> np.ndarray:
    """Weights from 0 to 1, half of them 0."""
    drawn = np.random.default_rng(seed).random(image.shape[:2], np.float32)
    return np.maximum(drawn - np.float32(0.5), 0)


def left_half(image: np.ndarray) -> np.ndarray:
    region = np.zeros(image.shape[:2], bool)
    region[:, : image.shape[1] // 2] = True
    return region


def test_the_metrics_are_the_files():
    wanted = {"psnr", "identical", "ssim", "global_ssim", "largest_change", "sharpness_gain"}
    wanted |= {"vgg_distance"}
    assert wanted <= set(METRICS.names())


@every_metric
def test_a_metric_of_different_images_is_a_finite_number(metric, photo):
    for restored in (noisy(photo), 1 - photo, np.zeros_like(photo)):
        for region in (None, left_half(photo), weights_like(photo)):
            value = metric.measure(restored, photo, region)
            assert isinstance(value, float)
            assert np.isfinite(value)


@every_metric
def test_equal_images_score_what_nothing_else_beats(metric, photo):
    best = {"psnr": np.inf, "largest_change": 0, "sharpness_gain": 0, "vgg_distance": 0}
    name = metric.__name__.split(".")[-1]
    for region in (None, left_half(photo), weights_like(photo)):
        assert metric.measure(photo, photo, region) == pytest.approx(best.get(name, 1))


@every_metric
def test_a_region_of_everything_changes_nothing(metric, photo):
    everything = np.ones(photo.shape[:2], bool)
    whole = metric.measure(noisy(photo), photo)
    assert metric.measure(noisy(photo), photo, everything) == pytest.approx(whole)


@every_metric
def test_what_lies_outside_the_region_and_its_reach_does_not_count(metric, photo):
    restored = noisy(photo)
    region = left_half(photo)
    seen = region.copy()
    edge = photo.shape[1] // 2
    seen[:, edge : edge + metric.REACH] = True
    other = np.where(seen[:, :, None], restored, np.float32(0))
    for part in (region, region * weights_like(photo)):
        wanted = metric.measure(restored, photo, part)
        assert metric.measure(other, photo, part) == pytest.approx(wanted, rel=1e-12)


@every_metric
def test_weights_of_0_and_1_are_the_region(metric, photo):
    region = weights_like(photo) > 0
    wanted = metric.measure(noisy(photo), photo, region)
    assert metric.measure(noisy(photo), photo, region.astype(np.float32)) == pytest.approx(wanted)


@every_metric
@given(scale=st.floats(1e-6, 1e6), seed=st.integers(0, 99))
@settings(max_examples=8)
def test_the_scale_of_weights_changes_nothing(metric, photo, scale, seed):
    weights = weights_like(photo, seed)
    wanted = metric.measure(noisy(photo), photo, weights)
    scaled = weights * np.float32(scale)
    assert metric.measure(noisy(photo), photo, scaled) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize(
    "metric", [MEMBERS[n] for n in ("psnr", "identical", "ssim", "global_ssim")]
)
def test_more_weight_where_less_was_changed_counts(metric, photo):
    restored = np.where(left_half(photo)[:, :, None], photo, noisy(photo, 0.2))
    restored[:, :20] = noisy(photo, 0.01)[:, :20]
    little, much = np.ones((2, *photo.shape[:2]), np.float32)
    much[:, :40] = 50
    assert metric.measure(restored, photo, much) > metric.measure(restored, photo, little)


@every_metric
@pytest.mark.parametrize("kind", [bool, np.float32])
def test_an_empty_region_is_refused_in_one_line(metric, kind, photo):
    with pytest.raises(ValueError, match=r"\A.*region.*empty.*\Z"):
        metric.measure(photo, photo, np.zeros(photo.shape[:2], kind))


@every_metric
@pytest.mark.parametrize("wrong", [-0.25, np.nan, np.inf])
def test_weights_that_are_none_are_refused_in_one_line(metric, wrong, photo):
    weights = np.ones(photo.shape[:2], np.float32)
    weights[30, 40] = wrong
    with pytest.raises(ValueError, match=rf"\A.*weight.*{wrong}.*from 0 up\Z"):
        metric.measure(photo, photo, weights)


@every_metric
def test_the_images_stay_as_they_are(metric, photo):
    restored, sharp, weights = noisy(photo), photo.copy(), weights_like(photo)
    before = restored.copy(), sharp.copy(), weights.copy()
    metric.measure(restored, sharp, weights)
    for now, then in zip((restored, sharp, weights), before, strict=True):
        assert np.array_equal(now, then)
