"""The camera: its curve can be undone, highlights stay bright, noise grows with light."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsharp.blur.camera import Camera, Curve, develop, expose, show, smooth_chroma
from selfsharp.blur.convolve import to_linear
from selfsharp.blur.kinds import gaussian
from selfsharp.blur.regions import everywhere
from selfsharp.blur.synthesis import blur_region

CLEAN = Camera("linear", noise=0.0)
gammas = st.one_of(st.none(), st.floats(1, 4))
contrasts = st.one_of(st.just(0.0), st.floats(0.01, 0.9))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def every_level() -> np.ndarray:
    """All grey values of a file."""
    levels = np.arange(256, dtype=np.float32) / np.float32(255)
    return levels.reshape(16, 16, 1).repeat(3, axis=2)


# ---------------------------------------------------------------------------- the curve


@given(gamma=gammas, contrast=contrasts)
def test_a_curve_undoes_itself_far_within_a_grey_level(gamma, contrast):
    curve = Curve(gamma, contrast)
    light = curve.to_light(every_level())
    assert -1e-6 <= light.min() <= light.max() <= 1 + 1e-5
    np.testing.assert_allclose(curve.to_shown(light), every_level(), atol=0.02 / 255)


@given(gamma=gammas, contrast=contrasts)
def test_a_curve_rises_and_keeps_black_and_white(gamma, contrast):
    shown = Curve(gamma, contrast).to_shown(every_level())[:, :, 0].ravel()
    assert np.all(np.diff(shown) > 0)
    assert shown[0] == pytest.approx(0, abs=1e-6)
    assert shown[-1] == pytest.approx(1, abs=1e-6)


def test_contrast_darkens_shadows_and_brightens_highlights():
    dark, middle, bright = np.split(np.full((3, 1, 3), [[[0.05]], [[0.5]], [[0.9]]], np.float32), 3)
    flat, steep = Curve(1.0), Curve(1.0, 0.6)
    assert steep.to_shown(dark).max() < flat.to_shown(dark).min()
    np.testing.assert_allclose(steep.to_shown(middle), 0.5, atol=1e-6)
    assert steep.to_shown(bright).min() > flat.to_shown(bright).max()


@pytest.mark.parametrize("wrong", [{"gamma": 0.5}, {"gamma": 9.0}, {"contrast": 1.0}])
def test_a_curve_that_cannot_be_undone_is_refused(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} .* out of range"):
        Curve(**wrong)


@given(gamma=gammas, contrast=contrasts)
def test_a_clean_camera_saves_the_photo_as_it_is_whatever_its_curve(photo, gamma, contrast):
    camera = replace(CLEAN, curve=Curve(gamma, contrast))
    assert np.array_equal(develop(expose(photo, camera), camera, rng()), photo)


# ---------------------------------------------------------------------------- exposure


def test_a_stop_more_doubles_the_light_and_clips_what_is_too_bright(photo):
    camera = replace(CLEAN, exposure=1.0)
    light = expose(photo, camera)
    np.testing.assert_allclose(light, 2 * to_linear(photo), rtol=1e-6)
    assert light.max() > 1
    np.testing.assert_allclose(to_linear(show(light, camera)), np.minimum(light, 1), atol=1e-5)


@pytest.mark.parametrize("bright", [{"exposure": 2.0}, {"saturation": 4.0}])
def test_highlights_beyond_white_stay_bright_when_smeared(bright):
    lamp = np.full((41, 41, 3), 0.02, np.float32)
    lamp[18:23, 18:23] = 1
    psf = gaussian.psf(4.0, rng())
    smeared = [
        blur_region(lamp, psf, everywhere(41, 41), camera, rng()).blurred[20, 20].min()
        for camera in (CLEAN, replace(CLEAN, **bright))
    ]
    # Smeared and clipped again: what was far above white still is white.
    assert smeared[0] < 0.75
    assert smeared[1] == 1


# ---------------------------------------------------------------------------- noise


def noise_at(level: float, camera: Camera) -> np.ndarray:
    """What the sensor adds to an even grey, in linear light, as no file rounds it."""
    light = np.full((150, 150, 3), level, np.float32)
    camera = replace(camera, rounded=False)
    return to_linear(develop(light, camera, rng(int(level * 100)))) - light


@pytest.mark.parametrize("level", [0.1, 0.3, 0.6])
def test_the_variance_of_shot_noise_is_in_proportion_to_light(level):
    variance = noise_at(level, replace(CLEAN, shot_noise=0.03)).var()
    assert variance == pytest.approx(0.03**2 * level, rel=0.05)


@pytest.mark.parametrize("level", [0.1, 0.6])
def test_read_noise_is_the_same_in_shadow_and_light(level):
    assert noise_at(level, replace(CLEAN, read_noise=0.01)).std() == pytest.approx(0.01, rel=0.05)


def test_both_noises_add_by_their_variances():
    both = noise_at(0.4, replace(CLEAN, shot_noise=0.03, read_noise=0.02))
    assert both.var() == pytest.approx(0.03**2 * 0.4 + 0.02**2, rel=0.05)
    assert both.mean() == pytest.approx(0, abs=5e-4)


# ---------------------------------------------------------------------------- colour


def test_demosaicing_leaves_green_and_grey_alone(photo):
    smooth = smooth_chroma(photo, 0.8)
    assert np.array_equal(smooth[:, :, 1], photo[:, :, 1])
    grey = photo.mean(axis=2, keepdims=True).repeat(3, axis=2)
    np.testing.assert_allclose(smooth_chroma(grey, 0.8), grey, atol=1e-6)


def test_demosaicing_smooths_differences_from_green_as_a_gaussian_does(photo):
    smooth = smooth_chroma(photo, 1.2)
    from scipy.ndimage import gaussian_filter

    for channel in (0, 2):
        before = photo[:, :, channel] - photo[:, :, 1]
        wanted = gaussian_filter(before, 1.2, mode="nearest", radius=4)
        np.testing.assert_allclose(smooth[:, :, channel] - photo[:, :, 1], wanted, atol=1e-5)


def test_noise_has_coarser_colour_after_demosaicing():
    grain = noise_at(0.4, replace(CLEAN, read_noise=0.02, chroma_blur=0.8))
    difference = grain[:, :, 0] - grain[:, :, 1]
    neighbours = np.corrcoef(difference[:, 1:].ravel(), difference[:, :-1].ravel())[0, 1]
    assert neighbours > 0.5
    green = grain[:, :, 1]
    assert abs(np.corrcoef(green[:, 1:].ravel(), green[:, :-1].ravel())[0, 1]) < 0.03


def test_a_jpeg_that_subsamples_more_loses_more_colour(photo):
    colour = photo - photo.mean(axis=2, keepdims=True)
    errors = []
    for subsampling in ("4:4:4", "4:2:2", "4:2:0"):
        camera = replace(CLEAN, jpeg_quality=92, chroma_subsampling=subsampling)
        after = develop(expose(photo, camera), camera, rng())
        errors.append(np.abs(after - after.mean(axis=2, keepdims=True) - colour).mean())
    assert errors[0] < 0.8 * errors[1] < 0.8 * errors[2]
