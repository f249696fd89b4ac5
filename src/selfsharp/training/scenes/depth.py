"""A lens in focus at one depth: growing discs, or a subject before a background out of focus."""

import math

import numpy as np

from selfsharp.blur.regions import blob
from selfsharp.blur.synthesis import Sample
from selfsharp.blur.varying import blur_by_depth, margin_of
from selfsharp.image import Plane
from selfsharp.recipe import Recipe
from selfsharp.training.draws import GRID, cut, draw_camera, draw_radius, off_grid
from selfsharp.training.pool import Pool

IN_FOCUS = 0.35
"""Radius in pixels under which nobody sees that a lens is not quite in focus."""


def draw(pool: Pool, recipe: Recipe, generator: np.random.Generator) -> Sample:
    """A crop whose radius changes from place to place."""
    size = recipe.crop + GRID
    largest = draw_radius(recipe.mix, generator)
    shape = _ramp(size, generator) if generator.uniform() < 0.6 else _subject(size, generator)
    radius = np.maximum(largest * shape - IN_FOCUS, 0).astype(np.float32)
    photo = pool.sharp[generator.integers(len(pool.sharp))]
    scene = cut(photo, size + 2 * margin_of(largest), generator)
    sample = blur_by_depth(scene, radius, draw_camera(generator, recipe.mix.cameras), generator)
    return off_grid(sample, recipe.crop, generator)


def _ramp(size: int, generator: np.random.Generator) -> Plane:
    """A plane that runs away from the camera: blur grows with the distance from a line."""
    angle = generator.uniform(0, 2 * math.pi)
    rows, columns = np.mgrid[:size, :size] / size - 0.5
    along = rows * math.sin(angle) + columns * math.cos(angle)
    off = np.abs(along - generator.uniform(-0.6, 0.6))
    return (off / off.max()).astype(np.float32)


def _subject(size: int, generator: np.random.Generator) -> Plane:
    """A thing in focus before a background that is not, or the other way round."""
    thing = blob(size, size, generator, generator.uniform(0.2, 0.7), generator.uniform(2, 16))
    return 1 - thing if generator.uniform() < 0.7 else thing
