"""Gaussian blur: soft in every direction, as from scaling, haze or a poor lens."""

import math

import numpy as np

from selfsharp.blur.psf import Psf, distances, normalised, with_radius


def psf(radius: float, generator: np.random.Generator) -> Psf:
    """A Gaussian of standard deviation radius / sqrt(2), cut at four of them.

    Raises:
        ValueError: the radius is negative or not finite.
    """

    def shape(radius: float) -> Psf:
        sigma = max(radius / math.sqrt(2), 1e-3)
        return normalised(np.exp(-0.5 * (distances(math.ceil(4 * sigma)) / sigma) ** 2))

    return with_radius(shape, radius)
