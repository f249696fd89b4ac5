"""The promises that every scene keeps, whatever camera takes it."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("rich")

from selfsharp.blur.sharpness import structure
from selfsharp.blur.synthesis import Sample
from selfsharp.image import quantize
from selfsharp.recipe import Mix, Recipe
from selfsharp.training.pool import Pool
from selfsharp.training.scenes import SCENES

RECIPE = Recipe(crop=40, mix=Mix(radius=(0.7, 5.0)))
NUMBERS = range(14)
every_scene = pytest.mark.parametrize("scene", SCENES.names())
cameras = pytest.mark.parametrize("share", [0.0, 1.0], ids=["plain", "whole"])


def draw(pool: Pool, scene: str, share: float, seed: int) -> tuple[Sample, float]:
    recipe = replace(RECIPE, mix=replace(RECIPE.mix, cameras=share))
    return SCENES.load(scene).draw(pool, recipe, np.random.default_rng([3, seed]))


@pytest.fixture(scope="module")
def drawn(full_pool):
    """Drawn once for all tests that look at many."""
    return {
        (scene, share): [draw(full_pool, scene, share, seed) for seed in NUMBERS]
        for scene in SCENES.names()
        for share in (0.0, 1.0)
    }


@every_scene
@cameras
def test_a_sample_is_of_the_crops_size_and_in_range(drawn, scene, share):
    for sample in drawn[scene, share]:
        assert sample.blurred.shape == sample.sharp.shape == (40, 40, 3)
        assert sample.blur_map.shape == (40, 40)
        for array in (sample.blurred, sample.sharp, sample.blur_map):
            assert array.dtype == np.float32
            assert np.isfinite(array).all()
        for image in (sample.blurred, sample.sharp):
            assert -1e-5 <= image.min() < image.max() <= 1 + 1e-5
        assert sample.blur_map.min() >= 0


@every_scene
@cameras
def test_the_blurred_image_is_what_a_file_of_8_bit_can_hold(drawn, scene, share):
    for sample in drawn[scene, share]:
        rounded = quantize(sample.blurred).astype(np.float32) / np.float32(255)
        assert np.array_equal(sample.blurred, rounded)


@every_scene
@cameras
def test_the_generator_alone_decides_a_sample(full_pool, drawn, scene, share):
    for seed in (0, 5):
        again, one = draw(full_pool, scene, share, seed), drawn[scene, share][seed]
        assert np.array_equal(again.blurred, one.blurred)
        assert np.array_equal(again.blur_map, one.blur_map)
    images = {sample.blurred.tobytes() for sample in drawn[scene, share]}
    assert len(images) == len(NUMBERS)


@every_scene
@cameras
def test_samples_are_blurred_and_more_so_where_the_map_says(drawn, scene, share):
    steps, errors = {"blurred": 0.0, "sharp": 0.0}, {True: [], False: []}
    for sample in drawn[scene, share]:
        strong = sample.blur_map > 1.5
        for name in steps:
            grey = getattr(sample, name).mean(axis=2)
            steps[name] += float(np.abs(np.diff(grey))[strong[:, 1:]].sum())
        error = np.abs(sample.blurred - sample.sharp).mean(axis=2)
        for much in (True, False):
            here = strong if much else sample.blur_map < 0.3
            if here.sum() > 100:
                errors[much].append(error[here].mean())
    assert 0 < steps["blurred"] < 0.75 * steps["sharp"]
    if errors[False]:
        assert np.mean(errors[True]) > 1.5 * np.mean(errors[False])


@every_scene
def test_radii_are_within_those_of_the_mix(full_pool, scene):
    """The largest of a scene may be a nearer part's, or a corner's, but not another scale's."""
    radii = []
    for seed in NUMBERS:
        mix = Mix(radius=(2.0, 2.01), light=0.0, kinds={"motion": 1.0})
        sample = SCENES.load(scene).draw(
            full_pool, replace(RECIPE, mix=mix), np.random.default_rng(seed)
        )
        radii.append(sample.blur_map.max())
    assert 1.3 < np.median(radii) < 3.2
    assert max(radii) < 8


@every_scene
def test_the_sharp_image_has_more_structure_than_nothing(drawn, scene):
    assert np.mean([structure(sample.sharp).mean() for sample in drawn[scene, 0.0]]) > 0.02


@every_scene
def test_a_scene_does_without_cutouts(full_pool, scene):
    bare = Pool(sharp=full_pool.sharp[:1])
    for seed in range(4):
        sample = draw(bare, scene, 1.0, seed)
        assert sample.blurred.shape == (40, 40, 3)
