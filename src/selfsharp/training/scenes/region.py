"""One PSF over a region of a photo, or over an object that moves before it."""

import numpy as np

from selfsharp.blur.synthesis import Sample, blur_cutout, blur_region
from selfsharp.recipe import Recipe
from selfsharp.training.draws import cut, draw_camera, draw_psf, draw_region, pick
from selfsharp.training.pool import Pool
from selfsharp.training.scenes._placed import place

MARGIN = 16
"""Pixels around a crop that are blurred with it, so that its border is as in a photo."""


def draw(pool: Pool, recipe: Recipe, generator: np.random.Generator) -> Sample:
    """A crop blurred by a kind, in a region and by a camera all drawn from the recipe's mix."""
    mix, size = recipe.mix, recipe.crop + 2 * MARGIN
    photo = pool.sharp[generator.integers(len(pool.sharp))]
    image = cut(photo, size, generator)
    psf = draw_psf(mix, generator)
    camera = draw_camera(generator, mix.cameras)
    shape = pick(mix.regions, generator)
    if shape == "cutout" and pool.cutouts:
        thing = pool.cutouts[generator.integers(len(pool.cutouts))]
        sample = blur_cutout(image, place(thing, size, generator), psf, camera, generator)
    else:
        sample = blur_region(image, psf, draw_region(shape, size, generator), camera, generator)
    inner = (slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
    return Sample(sample.blurred[inner], sample.sharp[inner], sample.blur_map[inner])
