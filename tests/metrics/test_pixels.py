"""psnr, identical and largest_change beside what they are by definition."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio

from selfsharp.image import quantize
from selfsharp.metrics import identical, largest_change, psnr


def noisy(image, sigma=0.05, seed=0):
    noise = np.random.default_rng(seed).standard_normal(image.shape, np.float32)
    return np.clip(image + np.float32(sigma) * noise, 0, 1)


def left_half(image):
    region = np.zeros(image.shape[:2], bool)
    region[:, : image.shape[1] // 2] = True
    return region


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


def test_psnr_with_weights_is_that_of_the_weighed_squares(photo):
    weights = np.random.default_rng(1).random(photo.shape[:2], np.float32)
    squares = (quantize(noisy(photo)).astype(float) - quantize(photo)) ** 2
    error = np.average(squares.mean(axis=2), weights=weights.astype(float))
    wanted = 10 * math.log10(255**2 / error)
    assert psnr.measure(noisy(photo), photo, weights) == pytest.approx(wanted, abs=1e-9)


def test_equal_images_score_infinity_and_no_others_do(photo):
    assert psnr.measure(photo, photo) == math.inf
    changed = photo.copy()
    changed[3, 4, 1] += np.float32(1 / 255) if photo[3, 4, 1] < 0.5 else np.float32(-1 / 255)
    wanted = 10 * math.log10(255**2 * photo.size)
    assert psnr.measure(changed, photo) == pytest.approx(wanted)
    assert psnr.measure(changed, photo, ~left_half(photo)) == math.inf


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


def test_identical_with_weights_is_exactly_1_for_equal_images(photo):
    weights = np.random.default_rng(1).random(photo.shape[:2], np.float32)
    assert identical.measure(photo, photo, weights) == 1


@pytest.mark.parametrize("step", [-200, -1, 1, 7, 255])
def test_the_largest_change_is_that_of_one_channel_of_one_pixel(step):
    before = np.full((8, 9, 3), (0 if step > 0 else 255) / 255, np.float32)
    after = before.copy()
    after[4, 5, 2] += np.float32(step / 255)
    after[1, 1, 0] += np.float32(step / 255 / 2)
    assert largest_change.measure(after, before) == abs(step)
    region = np.ones((8, 9), np.float32)
    region[4, 5] = 0
    assert largest_change.measure(after, before, region) <= abs(step) / 2 + 1
