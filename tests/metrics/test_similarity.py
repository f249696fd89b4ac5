"""ssim and global_ssim beside scikit-image and a reference written out in float64."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

from selfsharp.blur.convolve import convolve
from selfsharp.blur.kinds import gaussian
from selfsharp.image import quantize
from selfsharp.metrics import global_ssim, ssim


def degraded(image, sigma=0.05, seed=0):
    """Blurred a little, with noise."""
    generator = np.random.default_rng(seed)
    noise = generator.standard_normal(image.shape, np.float32) * np.float32(sigma)
    return np.clip(convolve(image, gaussian.psf(1.0, generator)) + noise, 0, 1)


def by_scikit_image(restored, sharp, **settings):
    return structural_similarity(
        quantize(sharp),
        quantize(restored),
        data_range=255,
        channel_axis=2,
        use_sample_covariance=False,
        **settings,
    )


@given(st.floats(0.001, 0.5), st.integers(0, 99))
@settings(max_examples=10)
def test_ssim_is_scikit_images_with_a_gaussian_window(photo, sigma, seed):
    restored = degraded(photo, sigma, seed)
    wanted = by_scikit_image(restored, photo, gaussian_weights=True, sigma=1.5)
    assert ssim.measure(restored, photo) == pytest.approx(wanted, abs=1e-9)


def test_ssim_over_weights_is_the_weighed_mean_of_scikit_images_map(photo):
    restored = degraded(photo)
    _, by_place = by_scikit_image(restored, photo, gaussian_weights=True, sigma=1.5, full=True)
    weights = np.random.default_rng(2).random(photo.shape[:2], np.float32)
    inside = slice(5, -5), slice(5, -5)
    wanted = np.average(by_place.mean(axis=2)[inside], weights=weights[inside].astype(float))
    assert ssim.measure(restored, photo, weights) == pytest.approx(wanted, abs=1e-9)


@given(st.integers(11, 16), st.integers(11, 16))
@settings(max_examples=8)
def test_ssim_takes_images_from_11_px(height, width):
    generator = np.random.default_rng(0)
    one, other = generator.random((2, height, width, 3), np.float32)
    wanted = by_scikit_image(one, other, gaussian_weights=True, sigma=1.5)
    assert ssim.measure(one, other) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("shape", [(10, 40), (40, 10), (1, 1)])
def test_ssim_refuses_smaller_images_in_one_line(shape):
    image = np.zeros((*shape, 3), np.float32)
    size = f"{shape[1]} x {shape[0]} px"
    with pytest.raises(ValueError, match=rf"\Aimages of {size} .*11 x 11.*\Z"):
        ssim.measure(image, image)


def test_ssim_refuses_a_region_that_no_whole_window_is_centred_on(photo):
    region = np.zeros(photo.shape[:2], bool)
    region[:5] = True
    with pytest.raises(ValueError, match=r"\Athe region lies within 5 px of the edge.*\Z"):
        ssim.measure(photo, photo, region)


def test_the_negative_is_unlike(photo):
    assert ssim.measure(1 - photo, photo) < 0
    assert global_ssim.measure(1 - photo, photo) < 0


@given(st.floats(0.001, 0.5), st.integers(0, 99))
@settings(max_examples=5)
def test_global_ssim_is_scikit_images_with_one_flat_window(photo, sigma, seed):
    square = photo[:63, :63]
    restored = degraded(square, sigma, seed)
    wanted = by_scikit_image(restored, square, win_size=63)
    assert global_ssim.measure(restored, square) == pytest.approx(wanted, abs=1e-9)


def test_global_ssim_with_weights_is_the_formula_with_weighed_moments(photo):
    restored = degraded(photo)
    weights = np.random.default_rng(2).random(photo.shape[:2], np.float32)
    x, y = (quantize(image).reshape(-1, 3).astype(float) for image in (restored, photo))
    scores = []
    for channel in range(3):
        pair = np.stack([x[:, channel], y[:, channel]])
        spread = np.cov(pair, aweights=weights.ravel().astype(float), ddof=0)
        mean_x, mean_y = np.average(pair, axis=1, weights=weights.ravel().astype(float))
        c1, c2 = 6.5025, 58.5225
        scores.append(
            (2 * mean_x * mean_y + c1)
            * (2 * spread[0, 1] + c2)
            / ((mean_x**2 + mean_y**2 + c1) * (spread[0, 0] + spread[1, 1] + c2))
        )
    wanted = np.mean(scores)
    assert global_ssim.measure(restored, photo, weights) == pytest.approx(wanted, abs=1e-9)


def test_global_ssim_does_not_see_places(photo):
    turned, sharp = degraded(photo)[::-1, ::-1], photo[::-1, ::-1]
    wanted = global_ssim.measure(degraded(photo), photo)
    assert global_ssim.measure(turned, sharp) == pytest.approx(wanted)
