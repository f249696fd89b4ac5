"""One PSF over a region of a photo, or over an object that moves before it."""

from dataclasses import dataclass

import numpy as np

from selfsharp.blur.camera import Camera
from selfsharp.blur.psf import Psf
from selfsharp.blur.synthesis import Sample, blur_cutout, blur_region
from selfsharp.image import Image, Plane
from selfsharp.recipe import Recipe
from selfsharp.training.draws import cut, draw_camera, draw_psf, draw_region, pick
from selfsharp.training.pool import Pool
from selfsharp.training.scenes._placed import place

MARGIN = 16
"""Pixels around a crop that are blurred with it, so that its border is as in a photo."""


@dataclass(frozen=True)
class Plan:
    """A region that is still to be blurred: the crop with its margin, and what blurs it."""

    image: Image
    psf: Psf
    region: Plane
    camera: Camera

    def carry_out(self, generator: np.random.Generator) -> Sample:
        """The sample, without its margin."""
        done = blur_region(self.image, self.psf, self.region, self.camera, generator)
        return _inner(done)


def draw(pool: Pool, recipe: Recipe, generator: np.random.Generator) -> Sample:
    """A crop blurred by a kind, in a region and by a camera all drawn from the recipe's mix."""
    drawn = plan(pool, recipe, generator)
    return drawn.carry_out(generator) if isinstance(drawn, Plan) else drawn


def plan(pool: Pool, recipe: Recipe, generator: np.random.Generator) -> Plan | Sample:
    """A region that is still to be blurred, or an object that is blurred already."""
    mix, size = recipe.mix, recipe.crop + 2 * MARGIN
    photo = pool.sharp[generator.integers(len(pool.sharp))]
    image = cut(photo, size, generator)
    psf = draw_psf(mix, generator)
    camera = draw_camera(generator, mix.cameras)
    shape = pick(mix.regions, generator)
    if shape == "cutout" and pool.cutouts:
        thing = pool.cutouts[generator.integers(len(pool.cutouts))]
        placed = place(thing, size, generator)
        return _inner(blur_cutout(image, placed, psf, camera, generator))
    return Plan(image, psf, draw_region(shape, size, generator), camera)


def _inner(sample: Sample) -> Sample:
    inner = (slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
    return Sample(sample.blurred[inner], sample.sharp[inner], sample.blur_map[inner])
