"""Richardson and Lucy's iteration, told the true PSF and mask."""

import numpy as np

from selfsharp.benchmark.row import Row, Truth
from selfsharp.blur.convolve import convolve
from selfsharp.config import BenchmarkSettings
from selfsharp.image import Image

STEPS = 20
"""Iterations; more bring back more, and then noise."""
DARKEST = np.float32(0.5 / 255)
"""Least brightness, so that black does not divide by 0."""


def rows(settings: BenchmarkSettings) -> list[Row]:
    """The iteration as an oracle."""
    return [Row("Richardson-Lucy", iterate, told="blur")]


def iterate(image: Image, truth: Truth | None) -> Image:
    """The blurred part of the image that explains it best, for Poisson noise; the rest as it came.

    Each step blurs the image, and multiplies it by how far the blurred one falls short of
    what was given, spread by the PSF turned round. What is sharp stays as it is and lends
    its light to the blurred part.

    Sources: W. H. Richardson, 1972, doi:10.1364/JOSA.62.000055; L. B. Lucy, 1974,
    doi:10.1086/111605.
    """
    assert truth is not None
    assert truth.psf is not None
    psf, turned = truth.psf, np.ascontiguousarray(truth.psf[::-1, ::-1])
    inside = (truth.mask > 0)[:, :, None]
    given = np.maximum(image, DARKEST)
    latent = given
    for _ in range(STEPS):
        missing = np.where(inside, given / np.maximum(convolve(latent, psf), DARKEST), 1)
        step = convolve(missing.astype(np.float32), turned)
        latent = np.where(inside, np.clip(latent * step, DARKEST, 1), given)
    return np.where(inside, latent, image)
