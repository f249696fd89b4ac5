"""An object that moves before a background that rests, moves, or is out of focus."""

import math
from dataclasses import replace

import numpy as np

from selfsharp.blur.kinds import defocus
from selfsharp.blur.path import Path, draw_line, draw_path, rest
from selfsharp.blur.regions import blob
from selfsharp.blur.synthesis import Cutout, Sample
from selfsharp.blur.varying import blur_object
from selfsharp.recipe import Recipe
from selfsharp.training.draws import GRID, cut, draw_camera, draw_radius, off_grid, pick
from selfsharp.training.pool import Pool
from selfsharp.training.scenes._placed import place

BACKGROUNDS = {"resting": 0.4, "moving": 0.15, "panned": 0.25, "out of focus": 0.2}
"""Shares of what is behind the object; panned: the camera follows the object, which rests."""


def draw(pool: Pool, recipe: Recipe, generator: np.random.Generator) -> Sample:
    """An object from the pool's cut-outs, or cut out of another photo."""
    size = recipe.crop + GRID
    path = _draw_path(recipe, size, generator)
    background = pick(BACKGROUNDS, generator)
    behind = psf = None
    if background == "moving":
        behind = _turned_away(path, generator)
    elif background == "panned":
        path, behind = rest(len(path)), path
    elif background == "out of focus":
        psf = defocus.psf(draw_radius(recipe.mix, generator), generator)
    reach = max(path.reach(size, size), behind.reach(size, size) if behind else 0)
    margin = math.ceil(reach) + 2
    scene = cut(pool.sharp[generator.integers(len(pool.sharp))], size + 2 * margin, generator)
    sample = blur_object(
        scene,
        _draw_object(pool, size, margin, generator),
        path.inset(margin),
        margin,
        draw_camera(generator, recipe.mix.cameras),
        generator,
        behind=behind.inset(margin) if behind else None,
        background_psf=psf,
    )
    return off_grid(sample, recipe.crop, generator)


def _draw_path(recipe: Recipe, size: int, generator: np.random.Generator) -> Path:
    """Mostly straight on, sometimes swaying and turning."""
    radius = draw_radius(recipe.mix, generator)
    if generator.uniform() < 0.6:
        return draw_line(radius, generator)
    row, column = generator.uniform(0, size, 2)
    return draw_path(radius, generator.uniform(0, 0.6), size, size, (row, column), generator)


def _turned_away(path: Path, generator: np.random.Generator) -> Path:
    """A path in another direction, and another length, in as many moments."""
    angle = generator.uniform(0, 2 * math.pi)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return replace(path, shifts=path.shifts @ turn * generator.uniform(0.2, 1.0))


def _draw_object(pool: Pool, size: int, margin: int, generator: np.random.Generator) -> Cutout:
    """An object and its alpha, on a canvas with a margin."""
    if pool.cutouts and generator.uniform() < 0.6:
        thing = pool.cutouts[generator.integers(len(pool.cutouts))]
        canvas = place(thing, size, generator)
    else:
        photo = cut(pool.sharp[generator.integers(len(pool.sharp))], size, generator)
        shape = blob(size, size, generator, generator.uniform(0.1, 0.4), generator.uniform(1, 3))
        canvas = np.dstack([photo, shape])
    return np.pad(canvas, ((margin, margin), (margin, margin), (0, 0)))
