"""Blurred photos made of sharp ones: blurred where they say, untouched elsewhere."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfsharp.blur.camera import Camera, through_camera
from selfsharp.blur.kinds import defocus, gaussian
from selfsharp.blur.psf import blur_radius
from selfsharp.blur.regions import blob, everywhere, half_plane
from selfsharp.blur.synthesis import blur_cutout, blur_region
from selfsharp.image import quantize

CLEAN = Camera(noise=0.0)
lights = st.sampled_from(["display", "linear"])
saturations = st.sampled_from([1.0, 3.0])
seeds = st.integers(0, 2**32 - 1)
IDENTITY = np.ones((1, 1), np.float32)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def rounded(image: np.ndarray) -> np.ndarray:
    return quantize(image).astype(np.float32) / np.float32(255)


def square_cutout(photo: np.ndarray, colour: tuple[float, float, float]) -> np.ndarray:
    """A square of 12 px in one colour, with its corner 6 px from the photo's."""
    cutout = np.zeros((*photo.shape[:2], 4), np.float32)
    cutout[6:18, 6:18] = (*colour, 1)
    return cutout


# ---------------------------------------------------------------------------- a region


@settings(max_examples=30)
@given(seed=seeds, share=st.floats(0.1, 0.8), saturation=saturations)
def test_outside_the_region_the_photo_is_only_rounded(photo, seed, share, saturation):
    sharp = photo**1.5  # No longer at 8 bit.
    region = blob(*photo.shape[:2], rng(seed), share)
    camera = replace(CLEAN, saturation=saturation)
    sample = blur_region(sharp, defocus.psf(3.0, rng(seed)), region, camera, rng())
    outside = region == 0
    assert outside.any()
    assert np.array_equal(sample.blurred[outside], rounded(sample.sharp)[outside])
    if saturation == 1:
        assert np.array_equal(sample.sharp, sharp)


@settings(max_examples=10)
@given(seed=seeds, saturation=saturations)
def test_outside_the_region_linear_light_is_off_by_rounding_alone(photo, seed, saturation):
    region = half_plane(*photo.shape[:2], rng(seed), 4.0)
    camera = Camera("linear", noise=0.0, saturation=saturation, rounded=False)
    sample = blur_region(photo, defocus.psf(3.0, rng(seed)), region, camera, rng())
    difference = np.abs(sample.blurred - sample.sharp)
    assert difference[region == 0].max() < 1e-5
    assert difference[region == 1].max() > 0.05


@settings(max_examples=20)
@given(seed=seeds, radius=st.floats(0.3, 6))
def test_blur_map_is_the_psfs_radius_scaled_by_the_root_of_alpha(photo, seed, radius):
    psf, region = defocus.psf(radius, rng(seed)), blob(*photo.shape[:2], rng(seed), edge=10.0)
    sample = blur_region(photo, psf, region, CLEAN, rng())
    np.testing.assert_allclose(sample.blur_map[region == 1], blur_radius(psf), rtol=1e-6)
    # Mixing the sharp and the blurred image is blur by (1 - a) delta + a p.
    between = np.argwhere((region > 0.2) & (region < 0.8))[0]
    mixed = region[tuple(between)] * psf
    mixed[len(psf) // 2, len(psf) // 2] += 1 - region[tuple(between)]
    assert sample.blur_map[tuple(between)] == pytest.approx(blur_radius(mixed), rel=1e-4)
    assert np.array_equal(sample.mask, region > 0)


# ---------------------------------------------------------------------------- the camera


@pytest.mark.parametrize("light", ["display", "linear"])
@pytest.mark.parametrize("jpeg_quality", [None, 70])
def test_a_rounded_photo_has_multiples_of_one_255th(photo, light, jpeg_quality):
    camera = Camera(light, jpeg_quality=jpeg_quality)
    sample = blur_region(photo, gaussian.psf(2.0, rng()), everywhere(64, 80), camera, rng())
    assert np.array_equal(sample.blurred, rounded(sample.blurred))


def test_without_rounding_values_lie_between_the_levels(photo):
    camera = replace(CLEAN, rounded=False)
    sample = blur_region(photo, gaussian.psf(2.0, rng()), everywhere(64, 80), camera, rng())
    assert np.abs(sample.blurred - rounded(sample.blurred)).max() > 0.4 / 255


@pytest.mark.parametrize("light", ["display", "linear"])
@pytest.mark.parametrize("level", [1.0, 5.0])
def test_noise_has_its_stated_deviation_in_mid_grey(light, level):
    grey = np.full((128, 128, 3), 0.5, np.float32)
    noisy = through_camera(grey, Camera(light, noise=level / 255, rounded=False), rng())
    assert (noisy - grey).std() * 255 == pytest.approx(level, rel=0.02)
    assert (noisy - grey).mean() * 255 == pytest.approx(0, abs=0.05 * level)


def test_saturation_keeps_smeared_highlights_bright():
    lamp = np.full((41, 41, 3), 0.1, np.float32)
    lamp[18:23, 18:23] = 1
    psf = gaussian.psf(4.0, rng())
    plain, clipped = (
        blur_region(lamp, psf, everywhere(41, 41), replace(CLEAN, saturation=s), rng()).blurred
        for s in (1.0, 4.0)
    )
    assert plain[20, 20].max() < 0.6
    assert clipped[20, 20].min() > 0.95
    assert clipped[0, 0] == pytest.approx(plain[0, 0])


def test_a_jpeg_changes_the_photo_the_more_the_lower_its_quality(photo):
    good, poor = (
        np.abs(through_camera(photo, replace(CLEAN, jpeg_quality=quality), rng()) - photo).mean()
        for quality in (95, 60)
    )
    assert 0.5 / 255 < good < 0.9 * poor < 0.1


def test_a_clean_camera_saves_the_photo_as_it_is(photo):
    assert np.array_equal(through_camera(photo, CLEAN, rng()), photo)


@pytest.mark.parametrize("jpeg_quality", [None, 80])
def test_the_generator_alone_decides_the_noise(photo, jpeg_quality):
    camera = Camera(jpeg_quality=jpeg_quality)
    one, same, other = (through_camera(photo, camera, rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


# ---------------------------------------------------------------------------- a cutout


@settings(max_examples=20)
@given(light=lights, seed=seeds, radius=st.floats(0, 6))
def test_an_object_of_the_backgrounds_colour_leaves_no_trace(light, seed, radius):
    colour = rng(seed).integers(0, 256, 3) / np.float32(255)
    background = np.broadcast_to(colour, (40, 48, 3)).astype(np.float32)
    alpha = blob(40, 48, rng(seed))[:, :, None]
    cutout = np.concatenate([background, alpha], axis=2)
    camera = replace(CLEAN, light=light)
    sample = blur_cutout(background, cutout, defocus.psf(radius, rng(seed)), camera, rng())
    assert np.array_equal(sample.blurred, background)


@settings(max_examples=20)
@given(light=lights, saturation=saturations, radius=st.floats(0.5, 4))
def test_where_the_map_is_zero_the_background_is_what_it_was(photo, light, saturation, radius):
    cutout = square_cutout(photo, (1, 1, 1))
    camera = Camera(light, noise=0.0, saturation=saturation)
    background = photo * np.float32(0.3)  # Dark, where linear light shows most.
    background = rounded(background)
    psf = gaussian.psf(radius, rng())
    sample = blur_cutout(background, cutout, psf, camera, rng())
    untouched = sample.blur_map == 0
    assert untouched[-20:, -20:].all()
    assert np.array_equal(sample.blurred[untouched], background[untouched])
    np.testing.assert_allclose(sample.blur_map[~untouched], blur_radius(psf), rtol=1e-6)


def test_the_background_shines_through_the_smeared_edge(photo):
    cutout, white = square_cutout(photo, (0, 0, 0)), np.ones_like(photo)
    sample = blur_cutout(white, cutout, gaussian.psf(3.0, rng()), CLEAN, rng())
    outer, inner = sample.blurred[12, 5:7, 0]
    assert outer > inner
    assert (outer + inner) / 2 == pytest.approx(0.5, abs=0.02)
    assert sample.sharp[12, 5:7, 0].tolist() == [1, 0]
    assert sample.blur_map[12, 5] > 0


@settings(max_examples=10)
@given(light=lights, saturation=saturations, seed=seeds)
def test_without_blur_a_sample_is_its_own_sharp_image(photo, light, saturation, seed):
    camera = Camera(light, noise=0.0, saturation=saturation, rounded=False)
    soft = blob(*photo.shape[:2], rng(seed), edge=12.0)
    cutout = np.dstack([photo[::-1], soft])
    for sample in (
        blur_region(photo, IDENTITY, soft, camera, rng()),
        blur_cutout(photo, cutout, IDENTITY, camera, rng()),
    ):
        np.testing.assert_allclose(sample.blurred, sample.sharp, atol=1e-5)
        assert sample.blur_map.max() == 0


def test_equal_seeds_give_equal_samples(photo):
    cutout, psf = square_cutout(photo, (0.9, 0.2, 0.1)), defocus.psf(2.0, rng())
    one, same, other = (blur_cutout(photo, cutout, psf, Camera(), rng(s)) for s in (1, 1, 2))
    assert np.array_equal(one.blurred, same.blurred)
    assert not np.array_equal(one.blurred, other.blurred)
