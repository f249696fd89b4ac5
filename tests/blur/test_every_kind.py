"""What every kind of blur promises, whoever adds it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfsharp.blur.kinds import KINDS, gaussian, shake
from selfsharp.blur.psf import blur_radius, distances, trace

every_kind = pytest.mark.parametrize("kind", KINDS.names())
radii = st.floats(0, 12)
seeds = st.integers(0, 2**32 - 1)


def make_psf(kind: str, radius: float, seed: int) -> np.ndarray:
    return KINDS.load(kind).psf(radius, np.random.default_rng(seed))


@every_kind
@settings(max_examples=40)
@given(radius=radii, seed=seeds)
def test_psf_is_square_odd_nonnegative_and_sums_to_one(kind, radius, seed):
    psf = make_psf(kind, radius, seed)
    assert psf.dtype == np.float32
    assert psf.shape[0] == psf.shape[1]
    assert psf.shape[0] % 2 == 1
    assert psf.min() >= 0
    assert psf.sum(dtype=np.float64) == pytest.approx(1, abs=1e-5)


@every_kind
@settings(max_examples=40)
@given(radius=radii, seed=seeds)
def test_centroid_lies_at_the_centre(kind, radius, seed):
    psf = make_psf(kind, radius, seed).astype(np.float64)
    offsets = np.arange(len(psf)) - len(psf) // 2
    assert psf.sum(axis=1) @ offsets == pytest.approx(0, abs=0.05)
    assert psf.sum(axis=0) @ offsets == pytest.approx(0, abs=0.05)


@every_kind
@settings(max_examples=40)
@given(radius=radii, seed=seeds)
def test_measured_radius_is_the_one_asked_for(kind, radius, seed):
    assert blur_radius(make_psf(kind, radius, seed)) == pytest.approx(radius, rel=0.01, abs=0.02)


@every_kind
@settings(max_examples=10)
@given(seed=seeds)
def test_radius_zero_changes_nothing(kind, seed):
    assert np.array_equal(make_psf(kind, 0.0, seed), [[1]])


@every_kind
@settings(max_examples=10)
@given(radius=radii, seed=seeds)
def test_equal_seeds_give_equal_psfs(kind, radius, seed):
    assert np.array_equal(make_psf(kind, radius, seed), make_psf(kind, radius, seed))


@every_kind
@pytest.mark.parametrize("radius", [-1.0, -1e-9, math.nan, math.inf, -math.inf])
def test_a_radius_that_is_none_is_refused_in_one_line(kind, radius):
    with pytest.raises(ValueError, match=r"\Ablur radius .+\Z"):
        make_psf(kind, radius, 0)


@pytest.mark.parametrize("kind", ["motion", "shake"])
def test_what_the_radius_leaves_open_is_drawn(kind):
    one, other = (make_psf(kind, 5.0, seed) for seed in (1, 2))
    assert one.shape != other.shape or np.abs(one - other).max() > 0.01


@pytest.mark.parametrize("sigma", [1.0, 2.5, 6.0])
def test_gaussian_of_sigma_has_radius_sigma_times_root_two(sigma):
    weights = np.exp(-0.5 * (distances(math.ceil(6 * sigma)) / sigma) ** 2)
    assert blur_radius(weights) == pytest.approx(sigma * math.sqrt(2), rel=1e-3)


@pytest.mark.parametrize("radius", [6.0, 10.5, 25.0])
def test_disc_has_radius_over_root_two(radius):
    weights = (distances(math.ceil(radius)) <= radius).astype(np.float64)
    assert blur_radius(weights) == pytest.approx(radius / math.sqrt(2), rel=0.02)


@pytest.mark.parametrize("angle", [0.0, 0.4, math.pi / 2])
def test_line_has_length_over_root_twelve(angle):
    steps = np.linspace(-0.5, 0.5, 2001)
    line = 20 * steps[:, None] * np.array([math.sin(angle), math.cos(angle)])
    assert blur_radius(trace(line)) == pytest.approx(20 / math.sqrt(12), rel=0.01)


def test_gaussian_kind_is_a_gaussian():
    psf = gaussian.psf(3.0 * math.sqrt(2), np.random.default_rng(0))
    weights = np.exp(-0.5 * (distances(len(psf) // 2) / 3.0) ** 2)
    np.testing.assert_allclose(psf, weights / weights.sum(), atol=1e-4)


@settings(max_examples=60)
@given(extent=st.floats(1, 40), seed=seeds)
def test_shake_of_an_extent_measures_that_extent(extent, seed):
    psf = shake.psf_of_extent(extent, np.random.default_rng(seed))
    longer_side = 1 + np.ptp(np.argwhere(psf > 0), axis=0).max()
    assert abs(longer_side - extent) <= 2


@pytest.mark.parametrize("extent", [0.5, -3.0, math.nan, math.inf])
def test_an_extent_under_one_pixel_is_refused_in_one_line(extent):
    with pytest.raises(ValueError, match=r"\Aextent .+\Z"):
        shake.psf_of_extent(extent, np.random.default_rng(0))
