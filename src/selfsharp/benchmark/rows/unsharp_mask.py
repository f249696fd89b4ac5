"""Unsharp masking, what every photo editor calls sharpening."""

import math

import numpy as np

from selfsharp.benchmark.row import Row, Truth
from selfsharp.blur.convolve import convolve
from selfsharp.blur.kinds import gaussian
from selfsharp.config import BenchmarkSettings
from selfsharp.image import Image

SIGMA = 2.0
"""Standard deviation in pixels of the Gaussian whose difference is added."""
AMOUNT = 1.0
"""How much of the difference is added."""


def rows(settings: BenchmarkSettings) -> list[Row]:
    """Unsharp masking of the whole photo."""
    return [Row("unsharp mask", sharpen)]


def sharpen(image: Image, truth: Truth | None = None) -> Image:
    """Adds AMOUNT times what a Gaussian takes away, clipped to 0..1; it is told nothing."""
    psf = gaussian.psf(SIGMA * math.sqrt(2), np.random.default_rng(0))
    return np.clip(image + np.float32(AMOUNT) * (image - convolve(image, psf)), 0, 1)
