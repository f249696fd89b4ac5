"""Draws training samples: crops of sharp photos, blurred as photos are blurred.

A sample depends on nothing but the recipe, the pool and its own number, so a training that
was stopped goes on with just the samples it would have seen.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.sharpness import CELL, FLAT, radius_between, structure
from selfsharp.blur.synthesis import (
    Camera,
    Sample,
    blur_cutout,
    blur_region,
    through_camera,
)
from selfsharp.config import Recipe
from selfsharp.image import Image, Plane
from selfsharp.restore.proposal import propose
from selfsharp.training.draws import (
    at_least,
    averaged,
    choose_window,
    cut,
    draw_camera,
    draw_psf,
    draw_region,
    pick,
)
from selfsharp.training.pool import Guess, Pixels, Pool

MARGIN = 16
"""Pixels around a crop that are blurred with it, so that its border is as in a photo."""
SURROUNDINGS = 40
"""Pixels around a crop that its proposals are made from too."""


@dataclass(frozen=True)
class Crop:
    """A training sample of a generator, or of the detector.

    Attributes:
        image: what the network sees.
        target: what a generator should make of it.
        blur: what a generator is told of the blur: gate and radius in pixels.
        proposals: what physics makes of it, by two estimates; the image itself where by none.
        truth: what the detector should say: blurred or not, and radius (-1: undecided).
        weight: how much a pixel counts in a generator's loss.
    """

    image: Image
    target: Image
    blur: Float32[np.ndarray, "height width 2"]
    proposals: Float32[np.ndarray, "height width 6"]
    truth: Float32[np.ndarray, "height width 2"]
    weight: Plane


def draw_crop(pool: Pool, recipe: Recipe, number: int, *, detector: bool = False) -> Crop:
    """Sample `number` of the training that a recipe describes, turned by chance.

    Where a recipe has so many distinct crops, later numbers turn the same ones anew.
    """
    source = number % recipe.distinct if recipe.distinct else number
    return turned(draw_unturned(pool, recipe, source, detector=detector), recipe, number)


def draw_unturned(pool: Pool, recipe: Recipe, number: int, *, detector: bool = False) -> Crop:
    """The crop of a sample as it lies in its photo."""
    generator = np.random.default_rng([recipe.seed, number])
    mix, frames = recipe.mix, recipe.mix.frames if len(pool.frames) > 2 else 0.0
    choice = generator.uniform()
    if detector and pool.masked and generator.uniform() < mix.masked:
        return _masked_crop(pool, recipe.crop, generator)
    if pool.guesses and generator.uniform() < mix.proposed:
        chosen = pool.guesses[generator.integers(len(pool.guesses))]
        return guessed_crop(pool, recipe, chosen, generator)
    if choice < mix.sharp:
        return _sharp_crop(pool.sharp[generator.integers(len(pool.sharp))], recipe.crop, generator)
    if choice < mix.sharp + frames:
        sample = average_frames(pool.frames, recipe.crop, generator)
    else:
        sample = blur_crop(pool, recipe, generator)
    return as_crop(sample, generator)


def turned(crop: Crop, recipe: Recipe, number: int) -> Crop:
    """The crop turned by quarters and mirrored, by the number of its sample."""
    generator = np.random.default_rng([recipe.seed, 1, number])
    turns, mirrored = int(generator.integers(4)), generator.uniform() < 0.5

    def turn(plane: np.ndarray) -> np.ndarray:
        plane = np.rot90(plane, turns)
        return np.ascontiguousarray(plane[:, ::-1] if mirrored else plane)

    return each(crop, turn)


def guessed_crop(pool: Pool, recipe: Recipe, chosen: Guess, generator: np.random.Generator) -> Crop:
    """A crop of a photo whose PSF was estimated, with the proposals of that estimate."""
    size = recipe.crop + 2 * SURROUNDINGS
    if chosen.reach:
        burst = pool.frames[chosen.place - chosen.reach : chosen.place + chosen.reach + 1]
        windows = [chosen.window(frame) for frame in burst]
        crop = as_crop(average_burst(windows, size, generator), generator)
    elif chosen.psf is None:
        crop = _sharp_crop(chosen.window(pool.sharp[chosen.place]), size, generator)
    else:
        image = cut(chosen.window(pool.sharp[chosen.place]), size, generator)
        region = draw_region(pick(recipe.mix.regions, generator), size, generator)
        sample = blur_region(image, chosen.psf, region, draw_camera(generator), generator)
        crop = as_crop(sample, generator)
    proposals = propose(crop.image, crop.blur[:, :, 0], chosen.both)
    inner = slice(SURROUNDINGS, -SURROUNDINGS)
    return each(replace(crop, proposals=proposals), lambda plane: plane[inner, inner])


def blur_crop(pool: Pool, recipe: Recipe, generator: np.random.Generator) -> Sample:
    """A crop of a sharp photo, blurred by a kind, in a region and by a camera all drawn."""
    mix, size = recipe.mix, recipe.crop + 2 * MARGIN
    photo = pool.sharp[generator.integers(len(pool.sharp))]
    image = cut(photo, size, generator)
    psf = draw_psf(mix, generator)
    camera = draw_camera(generator)
    shape = pick(mix.regions, generator)
    if shape == "cutout" and pool.cutouts:
        thing = pool.cutouts[generator.integers(len(pool.cutouts))]
        sample = blur_cutout(image, _placed(thing, size, generator), psf, camera, generator)
    else:
        sample = blur_region(image, psf, draw_region(shape, size, generator), camera, generator)
    inner = (slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
    return Sample(sample.blurred[inner], sample.sharp[inner], sample.blur_map[inner])


def average_frames(frames: list[Pixels], size: int, generator: np.random.Generator) -> Sample:
    """Real motion blur: the mean of 3 to 15 neighbouring frames, the middle one sharp."""
    reach = int(generator.integers(1, min(8, (len(frames) + 1) // 2)))
    middle = int(generator.integers(reach, len(frames) - reach))
    return average_burst(frames[middle - reach : middle + reach + 1], size, generator)


def average_burst(burst: list[Pixels], size: int, generator: np.random.Generator) -> Sample:
    """A crop of the mean of an odd number of frames, the middle one sharp."""
    burst = [at_least(frame, size) for frame in burst]
    middle = burst[len(burst) // 2]
    window = choose_window(middle, size, generator)
    mean = averaged([frame[window] for frame in burst], linear=generator.uniform() < 0.3)
    sharp = middle[window].astype(np.float32) / np.float32(255)
    # Half the size is enough to see the radius, and four times cheaper. All of the crop has
    # moved, even where it is too flat for its radius to show.
    radius = 2 * radius_between(_halved(sharp), _halved(mean), window=8.0)
    radius = np.repeat(np.repeat(np.maximum(radius, 0.3), 2, axis=0), 2, axis=1)
    camera = Camera(noise=float(generator.uniform(0, 1.5 / 255)))
    return Sample(through_camera(mean, camera, generator), sharp, radius)


def _sharp_crop(photo: Pixels, size: int, generator: np.random.Generator) -> Crop:
    """A sharp crop; a generator is told, wrongly, that a part of it is blurred."""
    camera = replace(draw_camera(generator), saturation=1.0)
    image = through_camera(cut(photo, size, generator), camera, generator)
    false_map = draw_region("blob", size, generator) * np.float32(generator.uniform(0.5, 6))
    crop = as_crop(Sample(image, image, false_map), generator)
    return replace(crop, truth=np.zeros_like(crop.truth))


def _masked_crop(pool: Pool, size: int, generator: np.random.Generator) -> Crop:
    """A crop of a photo with a hand-made mask; its blur has no known radius."""
    photo = pool.masked[generator.integers(len(pool.masked))]
    both = cut(photo, size, generator)
    both = both[:, :: generator.choice([1, -1])]
    image, mask = np.ascontiguousarray(both[:, :, :3]), np.ascontiguousarray(both[:, :, 3])
    crop = as_crop(Sample(image, image, mask), generator)
    blurred = np.where(mask > 0.5, np.where(_structure(image) > FLAT, 1, -1), 0)
    truth = np.stack([blurred.astype(np.float32), np.full_like(mask, -1)], axis=2)
    return replace(crop, truth=truth)


def as_crop(sample: Sample, generator: np.random.Generator) -> Crop:
    """What a network sees of a sample, with the errors that a found blur map has."""
    blurred = sample.mask
    inside = blurred > 0
    told = sample.blur_map * np.float32(np.exp(0.25 * generator.normal()))
    knowledge = generator.uniform()
    if knowledge < 0.15:
        told = np.zeros_like(told)
    elif knowledge < 0.4 and inside.any():
        told = np.where(inside, told[inside].mean(), 0).astype(np.float32)
    gate = np.ones_like(blurred) if generator.uniform() < 0.25 else blurred
    # Outside the blurred part the photo is left alone, noise and all.
    target = np.where(inside[:, :, None], sample.sharp, sample.blurred)
    return Crop(
        image=sample.blurred,
        target=target,
        blur=np.stack([gate, told], axis=2),
        proposals=np.concatenate([sample.blurred, sample.blurred], axis=2),
        truth=np.stack([_label(sample), sample.blur_map], axis=2),
        weight=np.where(inside, np.float32(1), np.float32(0.1)),
    )


def _label(sample: Sample) -> Plane:
    """1 where the blur is plain to see, 0 where there is none, -1 (undecided) between.

    Blurred places with nothing to see in them are undecided, sharp ones are not: what
    looks like sky is better left alone.
    """
    plain = (sample.blur_map > 0.7) & (_structure(sample.blurred) > FLAT)
    return np.select([plain, sample.blur_map > 0], [np.float32(1), np.float32(-1)], np.float32(0))


def _structure(image: Image) -> Plane:
    """The structure of the cells, laid out for every pixel of an image of whole cells."""
    return structure(image).repeat(CELL, axis=0).repeat(CELL, axis=1)


def each(crop: Crop, change: Callable[[np.ndarray], np.ndarray]) -> Crop:
    """The crop with each of its planes changed alike."""
    return Crop(**{field.name: change(getattr(crop, field.name)) for field in fields(crop)})


def _placed(thing: Pixels, size: int, generator: np.random.Generator) -> np.ndarray:
    """An object on an empty square canvas, scaled to cover a good part of it."""
    scale = max(1, round(max(thing.shape[:2]) / (size * generator.uniform(0.6, 1.4))))
    thing = thing[::scale, ::scale].astype(np.float32) / np.float32(255)
    canvas = np.zeros((size, size, 4), np.float32)
    height, width = min(size, thing.shape[0]), min(size, thing.shape[1])
    row = generator.integers(size - height + 1)
    column = generator.integers(size - width + 1)
    canvas[row : row + height, column : column + width] = thing[:height, :width]
    return canvas


def _halved(image: Image) -> Float32[np.ndarray, "half_height half_width 3"]:
    """The image at half its size, the mean of every 2x2 pixels."""
    height, width = image.shape[0] // 2, image.shape[1] // 2
    return image.reshape(height, 2, width, 2, 3).mean(axis=(1, 3))
