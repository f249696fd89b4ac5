"""Training samples: the same whenever they are drawn, and true to what they say."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("rich")

from selfsharp.blur.convolve import to_display, to_linear
from selfsharp.image import quantize
from selfsharp.recipe import Mix, Recipe
from selfsharp.training.crop import Crop
from selfsharp.training.draws import cut, draw_camera, draw_whole_camera
from selfsharp.training.motion import average_frames
from selfsharp.training.pool import Pool
from selfsharp.training.samples import draw_crop
from selfsharp.training.scenes import SCENES, region

RECIPE = Recipe(crop=32)
SHARP_ONLY = replace(RECIPE, mix=Mix(sharp=1.0))
both_uses = pytest.mark.parametrize("detector", [False, True], ids=["generator", "detector"])


def planes_of(crop: Crop) -> list[np.ndarray]:
    return [plane for plane in vars(crop).values() if plane is not None]


@pytest.fixture(scope="module")
def pool(photo) -> Pool:
    """Every source of samples, in different sizes, some smaller than a crop's surroundings."""
    pixels = quantize(photo)
    frames = [np.roll(pixels, 2 * number, axis=1) for number in range(16)]
    thing = np.zeros((30, 20, 4), np.uint8)
    thing[4:26, 3:17] = (250, 120, 30, 255)
    mask = np.zeros((*pixels.shape[:2], 1), np.uint8)
    mask[:, :40] = 255
    return Pool(
        sharp=[pixels, pixels[:50, :44], pixels[:, ::-1]],
        frames=frames,
        cutouts=[thing],
        masked=[np.concatenate([pixels, mask], axis=2)],
    )


@pytest.fixture(scope="module")
def crops(pool):
    """Drawn once for all tests that look at many."""
    return {
        detector: [draw_crop(pool, RECIPE, number, detector=detector) for number in range(60)]
        for detector in (False, True)
    }


@both_uses
def test_a_sample_is_the_same_whenever_it_is_drawn(pool, crops, detector):
    for number in reversed(range(0, 60, 3)):
        again = draw_crop(pool, RECIPE, number, detector=detector)
        for one, other in zip(planes_of(again), planes_of(crops[detector][number]), strict=True):
            np.testing.assert_array_equal(one, other)


@both_uses
def test_samples_differ_from_each_other_and_from_another_seeds(pool, crops, detector):
    other_seed = draw_crop(pool, replace(RECIPE, seed=2), 0, detector=detector)
    images = [crop.image.tobytes() for crop in (*crops[detector], other_seed)]
    assert len(set(images)) == len(images)


@both_uses
def test_samples_have_the_promised_shapes_and_ranges(crops, detector):
    for crop in crops[detector]:
        assert crop.image.shape == crop.target.shape == (32, 32, 3)
        assert crop.blur.shape == crop.truth.shape == (32, 32, 2)
        assert crop.proposals.shape == (32, 32, 6)
        assert crop.weight.shape == (32, 32)
        assert all(np.isfinite(array).all() for array in planes_of(crop))
        assert all(array.dtype == np.float32 for array in planes_of(crop))
        for array in (crop.image, crop.target, crop.proposals, crop.blur[:, :, 0]):
            assert 0 <= array.min() <= array.max() <= 1
        assert crop.blur[:, :, 1].min() >= 0
        assert crop.weight.min() >= np.float32(0.1)
        assert set(np.unique(crop.truth[:, :, 0])) <= {-1, 0, 1}


@both_uses
def test_a_network_sees_what_a_file_of_8_bit_can_hold(crops, detector):
    for crop in crops[detector]:
        assert np.array_equal(crop.image, quantize(crop.image).astype(np.float32) / np.float32(255))


def test_outside_the_blurred_part_the_target_is_the_image(crops):
    partly = 0
    for crop in crops[False]:
        outside = crop.truth[:, :, 1] == 0
        partly += bool(outside.any() and not outside.all())
        assert np.array_equal(crop.target[outside], crop.image[outside])
    assert partly > 5


@both_uses
def test_sharp_samples_have_no_blur_and_nothing_to_restore(pool, detector):
    for number in range(12):
        crop = draw_crop(pool, replace(SHARP_ONLY, seed=3), number, detector=detector)
        if detector and crop.truth[:, :, 1].min() < 0:  # A photo with a mask.
            continue
        assert crop.truth.max() == crop.truth.min() == 0
        assert np.array_equal(crop.target, crop.image)
        assert crop.blur[:, :, 0].max() == 1  # The gate is open, wrongly.


def test_masked_photos_tell_the_label_and_not_the_radius(pool):
    recipe = replace(RECIPE, mix=Mix(masked=1.0))
    truths = np.stack([draw_crop(pool, recipe, i, detector=True).truth for i in range(8)])
    assert set(np.unique(truths[..., 0])) == {0, 1}
    assert (truths[..., 1] == -1).all()


def test_blurred_places_with_nothing_to_see_are_undecided():
    flat = Pool(sharp=[np.full((70, 70, 3), 120, np.uint8)])
    mix = Mix(sharp=0.0, light=0.0, regions={"half-plane": 1.0})
    for number in range(12):
        truth = draw_crop(flat, replace(RECIPE, mix=mix), number).truth
        blurred = truth[:, :, 1] > 0
        assert (truth[:, :, 0] == np.where(blurred, -1, 0)).all()


def test_plain_blur_is_labelled_as_blurred(pool):
    mix = Mix(sharp=0.0, frames=0.0, light=0.0, regions={"everywhere": 1.0})
    truths = [draw_crop(pool, replace(RECIPE, mix=mix), number).truth for number in range(12)]
    for truth in truths:
        assert set(np.unique(truth[:, :, 0])) <= {-1, 1}
    assert np.mean([truth[:, :, 0] == 1 for truth in truths]) > 0.8


def test_generators_never_see_masked_photos(crops):
    assert all(crop.truth[:, :, 1].min() >= 0 for crop in crops[False])


@pytest.mark.parametrize("shape", ["everywhere", "blob", "half-plane", "cutout"])
def test_every_shape_of_the_mix_gives_blur(pool, shape):
    mix = Mix(regions={shape: 1.0}, sharp=0.0, frames=0.0)
    crops = [draw_crop(pool, replace(RECIPE, mix=mix), number) for number in range(8)]
    shares = np.array([(crop.truth[:, :, 1] > 0).mean() for crop in crops])
    assert shares.max() > 0
    assert (shares == 1).all() == (shape == "everywhere")


# ---------------------------------------------------------------------------- the mix


def test_a_mix_of_one_scene_draws_what_it_drew_before_there_were_others(pool):
    """So that recipes of before mean what they meant: made of bytes that files hold."""
    digest = hashlib.sha256()
    for number in range(12):
        sample = region.draw(pool, RECIPE, np.random.default_rng([5, number]))
        digest.update(quantize(sample.blurred).tobytes())
        digest.update(np.rint(sample.blur_map * 100).astype(np.int16).tobytes())
    assert digest.hexdigest()[:16] == "95b0de5281f3902d"


@pytest.mark.parametrize("cameras", [0.0, 1.0])
def test_every_source_of_the_mix_makes_crops_that_keep_the_promises(full_pool, cameras):
    scenes = dict.fromkeys(SCENES.names(), 1.0)
    mix = Mix(scenes=scenes, frames=0.2, footage=0.2, sharp=0.2, cameras=cameras, radius=(1.0, 4.0))
    recipe = replace(RECIPE, mix=mix)
    made = [draw_crop(full_pool, recipe, number) for number in range(40)]
    again = draw_crop(full_pool, recipe, 17)
    for one, other in zip(planes_of(made[17]), planes_of(again), strict=True):
        np.testing.assert_array_equal(one, other)
    assert len({crop.image.tobytes() for crop in made}) == len(made)
    for crop in made:
        assert crop.image.shape == crop.target.shape == (32, 32, 3)
        assert all(np.isfinite(array).all() for array in planes_of(crop))
        assert np.array_equal(crop.image, quantize(crop.image).astype(np.float32) / np.float32(255))
        outside = crop.truth[:, :, 1] == 0
        assert np.array_equal(crop.target[outside], crop.image[outside])
    shares = [np.mean([crop.truth[:, :, 1].max() == 0 for crop in made])]
    assert 0.05 < shares[0] < 0.45


@pytest.mark.parametrize("source", ["frames", "footage"])
def test_a_mix_of_real_motion_alone_draws_nothing_else(full_pool, source, monkeypatch):
    mix = replace(Mix(sharp=0.0, frames=0.0, footage=0.0), **{source: 1.0})
    monkeypatch.setattr(SCENES.__class__, "load", None)  # No scene is to be asked for.
    for number in range(6):
        crop = draw_crop(full_pool, replace(RECIPE, mix=mix), number)
        assert crop.truth[:, :, 1].min() > 0


def test_footage_is_left_out_where_there_is_none(pool):
    mix = Mix(sharp=0.0, frames=0.0, footage=1.0)
    assert draw_crop(pool, replace(RECIPE, mix=mix), 0).image.shape == (32, 32, 3)


def test_a_scene_that_is_not_there_is_told(pool):
    mix = Mix(sharp=0.0, frames=0.0, scenes={"fog": 1.0})
    with pytest.raises(ValueError, match="unknown scene 'fog'; choose one of: depth, object"):
        draw_crop(pool, replace(RECIPE, mix=mix), 0)


def test_cameras_are_drawn_by_their_share():
    generator = np.random.default_rng(0)
    plain = [draw_camera(generator) for _ in range(50)]
    assert all(camera.shot_noise == 0 for camera in plain)
    some = [draw_camera(generator, 0.5).shot_noise > 0 for _ in range(400)]
    assert 0.4 < np.mean(some) < 0.6
    whole = [draw_whole_camera(generator) for _ in range(200)]
    assert {camera.light for camera in whole} == {"linear"}
    assert {camera.chroma_subsampling for camera in whole} == {"4:2:0", "4:2:2", "4:4:4"}
    for name in ("saturation", "exposure", "chroma_blur", "jpeg_quality"):
        assert len({getattr(camera, name) for camera in whole}) > 20


# ---------------------------------------------------------------------------- frames


@pytest.mark.parametrize("number_of_frames", [3, 6, 21])
def test_frames_are_averaged_around_the_sharp_one(number_of_frames):
    generator = np.random.default_rng(8)
    frames = list(generator.integers(0, 256, (number_of_frames, 32, 32, 3), np.uint8))
    films = np.stack(frames) / np.float32(255)
    for seed in range(8):
        sample = average_frames(frames, 32, np.random.default_rng(seed))
        middle = next(i for i, film in enumerate(films) if np.array_equal(film, sample.sharp))
        bursts = [
            films[middle - reach : middle + reach + 1]
            for reach in range(1, min(7, middle, number_of_frames - 1 - middle) + 1)
        ]
        means = [burst.mean(axis=0) for burst in bursts]
        means += [to_display(np.mean([to_linear(f) for f in burst], axis=0)) for burst in bursts]
        off = min(np.abs(mean - sample.blurred).mean() for mean in means)
        assert off < 2 / 255


def test_all_of_an_averaged_crop_counts_as_moved():
    frames = [np.full((40, 40, 3), 99, np.uint8)] * 15
    assert average_frames(frames, 32, np.random.default_rng(0)).blur_map.min() > 0


def test_two_frames_are_too_few_for_a_burst_and_are_left_out(pool):
    short = replace(pool, frames=pool.frames[:2])
    mix = Mix(frames=1.0, sharp=0.0)
    assert draw_crop(short, replace(RECIPE, mix=mix), 0).image.shape == (32, 32, 3)


# ---------------------------------------------------------------------------- cutting


def test_a_photo_smaller_than_the_crop_is_mirrored(photo):
    small = quantize(photo)[:10, :70]
    crop = cut(small, 64, np.random.default_rng(0))
    assert crop.shape == (64, 64, 3)
    np.testing.assert_array_equal(crop[10:20], crop[:10][::-1])
