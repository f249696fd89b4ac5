"""Defocus: the disc that a lens makes of a point out of focus, with a soft edge."""

import math

import numpy as np

from selfsharp.blur.psf import Psf, distances, normalised, with_radius


def psf(radius: float, generator: np.random.Generator) -> Psf:
    """A disc of radius * sqrt(2), its edge softened over 1 to 2 px.

    Raises:
        ValueError: the radius is negative or not finite.
    """
    softness = generator.uniform(1.0, 2.0)

    def shape(radius: float) -> Psf:
        disc = radius * math.sqrt(2)
        from_edge = disc - distances(math.ceil(disc + softness))
        return normalised(np.clip(from_edge / softness + 0.5, 0, 1))

    return with_radius(shape, radius)
