"""Straight motion: a line, as from a subject that moves evenly across the picture."""

import math

import numpy as np

from selfsharp.blur.psf import Psf, trace, with_radius


def psf(radius: float, generator: np.random.Generator) -> Psf:
    """A line of length radius * sqrt(12) in a direction drawn from the generator.

    Raises:
        ValueError: the radius is negative or not finite.
    """
    angle = generator.uniform(0, math.pi)
    direction = np.array([math.sin(angle), math.cos(angle)])

    def shape(radius: float) -> Psf:
        length = radius * math.sqrt(12)
        steps = np.linspace(-0.5, 0.5, 8 * math.ceil(length) + 9)
        return trace(length * steps[:, None] * direction)

    return with_radius(shape, radius)
