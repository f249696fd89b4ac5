"""Wiener's filter, told the true PSF and mask: how much one linear step can give back."""

import numpy as np

from selfsharp.benchmark.row import Row, Truth
from selfsharp.blur.deconvolve import divide
from selfsharp.config import BenchmarkSettings
from selfsharp.image import Image

DAMPINGS = (0.02, 0.02, 0.02, 0.02, 0.01, 0.004)
"""Weight of the prior in each round; the last is noise of 1/255 against the gradients of photos.

What lies outside is completed by stronger ones: a weak one would feed its errors to the next.
"""


def rows(settings: BenchmarkSettings) -> list[Row]:
    """Wiener's filter as an oracle."""
    return [Row("Wiener", restore, told="blur")]


def restore(image: Image, truth: Truth | None) -> Image:
    """The blurred part with its blur divided out; the rest as it came.

    Source: N. Wiener, Extrapolation, Interpolation, and Smoothing of Stationary Time Series,
    1949, with the power of a photo's gradients as its prior. Without the rounds that complete
    what lies beyond the photo's edges, a hand shake over the whole photo rings in from there
    and costs 2 to 4 dB.
    """
    assert truth is not None
    assert truth.psf is not None
    sharp = divide(image, truth.mask, truth.psf, DAMPINGS)
    return np.where(truth.mask[:, :, None] > 0, sharp, image)
