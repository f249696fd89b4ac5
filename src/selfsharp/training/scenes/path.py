"""A camera that shifts and turns in the hand, before a scene at one to three depths."""

import math

import numpy as np

from selfsharp.blur.path import draw_path
from selfsharp.blur.regions import blob, half_plane
from selfsharp.blur.synthesis import Sample
from selfsharp.blur.varying import blur_by_path
from selfsharp.image import Plane
from selfsharp.recipe import Recipe
from selfsharp.training.draws import GRID, cut, draw_camera, draw_radius, off_grid
from selfsharp.training.pool import Pool

DEPTHS = (0.55, 0.33, 0.12)
"""Shares of scenes with one, two and three depths."""


def draw(pool: Pool, recipe: Recipe, generator: np.random.Generator) -> Sample:
    """The mean of 9 to 31 warps of a crop along a hand's path."""
    size = recipe.crop + GRID
    nearness = np.sort(generator.uniform(1.2, 2.2, generator.choice(len(DEPTHS), p=DEPTHS)))
    radius = draw_radius(recipe.mix, generator) / np.mean([1.0, *nearness])
    # The camera turns around a point of the whole photo, mostly outside of the crop.
    row, column = generator.normal(0.5, 1.0, 2) * size
    turning = generator.uniform()
    path = draw_path(float(radius), turning, size, size, (row, column), generator)
    reach = max(path.scaled(float(near)).reach(size, size) for near in (1.0, *nearness))
    margin = math.ceil(reach) + 2
    whole = size + 2 * margin
    scene = cut(pool.sharp[generator.integers(len(pool.sharp))], whole, generator)
    nearer = [(_near_part(whole, generator), float(near)) for near in nearness]
    camera = draw_camera(generator, recipe.mix.cameras)
    sample = blur_by_path(scene, path.inset(margin), margin, camera, generator, nearer)
    return off_grid(sample, recipe.crop, generator)


def _near_part(size: int, generator: np.random.Generator) -> Plane:
    """Alpha of what is nearer than the rest, with the edge of a thing."""
    edge = generator.uniform(1, 4)
    if generator.uniform() < 0.6:
        return blob(size, size, generator, generator.uniform(0.12, 0.5), edge)
    return half_plane(size, size, generator, edge)
