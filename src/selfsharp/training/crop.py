"""A crop: a training sample as a generator or the detector is given it."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.camera import Camera, Noise
from selfsharp.blur.psf import Psf
from selfsharp.blur.sharpness import CELL, FLAT, structure
from selfsharp.blur.synthesis import Sample
from selfsharp.image import Image, Plane
from selfsharp.recipe import Recipe


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
        references: what the photo's sharp part tells of it; None where it has none.
        correction: what restoring would do to what a generator makes of it; None for nothing.
    """

    image: Image
    target: Image
    blur: Float32[np.ndarray, "height width 2"]
    proposals: Float32[np.ndarray, "height width 6"]
    truth: Float32[np.ndarray, "height width 2"]
    weight: Plane
    references: Float32[np.ndarray, "height width 5"] | None = None
    correction: Float32[np.ndarray, "height width 2"] | None = None


@dataclass(frozen=True)
class Knowledge:
    """The errors of what a generator is told of the blur.

    Attributes:
        scale: how many times the true radius it is told.
        radius: whether that is each pixel's, the mean of all, or none.
        opened: whether the gate is open everywhere.
    """

    scale: float
    radius: Literal["each", "mean", "none"]
    opened: bool


@dataclass(frozen=True)
class Unblurred:
    """A sample of a generator that is still to be blurred, and all that it takes.

    Attributes:
        image: the sharp crop with a margin.
        psf: what blurs it.
        region: alpha of the blurred part, 0..1.
        camera: what takes the photo; makes no JPEG.
        noise: that of the photo.
        margin: rows and columns to leave out on each side in the end.
        knowledge: what the generator is told.
    """

    image: Image
    psf: Psf
    region: Plane
    camera: Camera
    noise: Noise
    margin: int
    knowledge: Knowledge


def blank(size: int) -> Crop:
    """A crop of nothing, to keep a place."""
    channels = {"image": 3, "target": 3, "blur": 2, "proposals": 6, "truth": 2}
    planes = {name: np.zeros((size, size, deep), np.float32) for name, deep in channels.items()}
    return Crop(**planes, weight=np.zeros((size, size), np.float32))


def draw_knowledge(generator: np.random.Generator) -> Knowledge:
    """Radii off by a quarter; sometimes constant, or missing."""
    scale, chance = float(np.exp(0.25 * generator.normal())), generator.uniform()
    radius = "none" if chance < 0.15 else "mean" if chance < 0.4 else "each"
    return Knowledge(scale, radius, opened=generator.uniform() < 0.25)


def as_crop(sample: Sample, generator: np.random.Generator) -> Crop:
    """What a network sees of a sample, with the errors that a found blur map has."""
    blurred, knowledge = sample.mask, draw_knowledge(generator)
    inside = blurred > 0
    told = sample.blur_map * np.float32(knowledge.scale)
    if knowledge.radius == "none":
        told = np.zeros_like(told)
    elif knowledge.radius == "mean" and inside.any():
        told = np.where(inside, told[inside].mean(), 0).astype(np.float32)
    gate = np.ones_like(blurred) if knowledge.opened else blurred
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
    plain = (sample.blur_map > 0.7) & (structure_around(sample.blurred) > FLAT)
    return np.select([plain, sample.blur_map > 0], [np.float32(1), np.float32(-1)], np.float32(0))


def structure_around(image: Image) -> Plane:
    """The structure of the cells, laid out for every pixel of an image of whole cells."""
    return structure(image).repeat(CELL, axis=0).repeat(CELL, axis=1)


def turned(crop: Crop, recipe: Recipe, number: int) -> Crop:
    """The crop turned by quarters and mirrored, by the number of its sample."""
    turns, mirrored = draw_turn(recipe, number)

    def turn(plane: np.ndarray) -> np.ndarray:
        plane = np.rot90(plane, turns)
        return np.ascontiguousarray(plane[:, ::-1] if mirrored else plane)

    return each(crop, turn)


def draw_turn(recipe: Recipe, number: int) -> tuple[int, bool]:
    """Quarters that a sample is turned by, and whether it is mirrored after that."""
    generator = np.random.default_rng([recipe.seed, 1, number])
    return int(generator.integers(4)), bool(generator.uniform() < 0.5)


def each(crop: Crop, change: Callable[[np.ndarray], np.ndarray]) -> Crop:
    """The crop with each of its planes changed alike."""
    planes = {field.name: getattr(crop, field.name) for field in fields(crop)}
    return Crop(**{name: change(plane) for name, plane in planes.items() if plane is not None})
