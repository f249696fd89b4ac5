"""What every metric promises; and psnr and identical beside what they are by definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio

from selfsharp.image import quantize
from selfsharp.metrics import METRICS, identical, psnr

every_metric = pytest.mark.parametrize("measure", [m.measure for m in METRICS.load_all().values()])


def noisy(image: np.ndarray, sigma: float = 0.05, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(image.shape, np.float32)
    return np.clip(image + np.float32(sigma) * noise, 0, 1)


def left_half(image: np.ndarray) -> np.ndarray:
    region = np.zeros(image.shape[:2], bool)
    region[:, : image.shape[1] // 2] = True
    return region


def test_psnr_and_identical_are_members():
    assert {"psnr", "identical"} <= set(METRICS.names())


@every_metric
def test_a_metric_is_a_finite_number(measure, photo):
    for restored in (photo, noisy(photo), 1 - photo):
        value = measure(restored, photo)
        assert isinstance(value, float)
        assert np.isfinite(value)


@every_metric
def test_a_region_of_everything_changes_nothing(measure, photo):
    everything = np.ones(photo.shape[:2], bool)
    assert measure(noisy(photo), photo, everything) == pytest.approx(measure(noisy(photo), photo))


@every_metric
def test_what_lies_outside_the_region_does_not_count(measure, photo):
    region = left_half(photo)
    restored = noisy(photo)
    other = np.where(region[:, :, None], restored, np.float32(0))
    assert measure(restored, photo, region) == pytest.approx(measure(other, photo, region))


@every_metric
def test_an_empty_region_is_refused_in_one_line(measure, photo):
    with pytest.raises(ValueError, match=r"\A.*region.*empty.*\Z"):
        measure(photo, photo, np.zeros(photo.shape[:2], bool))


@given(st.floats(0.003, 0.5), st.integers(0, 99))
@settings(max_examples=15)
def test_psnr_is_scikit_images_at_8_bit(photo, sigma, seed):
    restored = noisy(photo, sigma, seed)
    wanted = peak_signal_noise_ratio(quantize(photo), quantize(restored), data_range=255)
    assert psnr.measure(restored, photo) == pytest.approx(wanted, abs=1e-9)


def test_psnr_over_a_region_is_that_of_the_region_cut_out(photo):
    half = photo.shape[1] // 2
    cut = psnr.measure(noisy(photo)[:, :half], photo[:, :half])
    assert psnr.measure(noisy(photo), photo, left_half(photo)) == pytest.approx(cut)


def test_equal_images_score_100_db_and_no_others_do(photo):
    assert psnr.measure(photo, photo) == 100
    changed = photo.copy()
    changed[3, 4, 1] += np.float32(1 / 255) if photo[3, 4, 1] < 0.5 else np.float32(-1 / 255)
    assert psnr.measure(changed, photo) < 100


def test_identical_is_the_share_of_pixels_equal_in_all_three_channels(photo):
    changed = photo.copy()
    changed[2, 3] = 1 - changed[2, 3]
    changed[5, 60, 1] += np.float32(2 / 255) if photo[5, 60, 1] < 0.5 else np.float32(-2 / 255)
    pixels = photo.shape[0] * photo.shape[1]
    assert identical.measure(changed, photo) == pytest.approx((pixels - 2) / pixels)
    in_half = identical.measure(changed, photo, left_half(photo))
    assert in_half == pytest.approx((pixels // 2 - 1) / (pixels // 2))
    assert identical.measure(photo, photo) == 1


def test_identical_counts_what_a_file_holds(photo):
    assert identical.measure(photo + np.float32(0.2 / 255) * (photo < 0.5), photo) == 1
