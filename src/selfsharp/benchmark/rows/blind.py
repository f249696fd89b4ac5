"""Blind deconvolution without a network: estimates one PSF, and undoes it everywhere."""

import numpy as np

from selfsharp.benchmark.row import Row, Truth
from selfsharp.blur.deconvolve import deconvolve
from selfsharp.blur.estimate import estimate_psf
from selfsharp.config import BenchmarkSettings
from selfsharp.image import Image, grey_of
from selfsharp.picture import busiest_window

WINDOW = 320
"""Side in pixels of the window that the PSF is estimated from: the one with most contrast."""


def rows(settings: BenchmarkSettings) -> list[Row]:
    """Blind deconvolution of the whole photo."""
    return [Row("blind classical", deblur)]


def deblur(image: Image, truth: Truth | None = None) -> Image:
    """The whole photo with an estimated PSF undone; it is told nothing.

    As published blind methods do, it takes the photo to be blurred by one PSF all over.

    Sources: PSF by L. Xu, S. Zheng and J. Jia, CVPR 2013, doi:10.1109/CVPR.2013.147; undone
    as by D. Krishnan and R. Fergus, Fast image deconvolution using hyper-Laplacian priors,
    NIPS 2009.
    """
    share = min(1.0, WINDOW / max(image.shape[:2]))
    window = busiest_window(np.broadcast_to(image.mean((0, 1)), image.shape), image, share)
    grey = grey_of(image[window])
    estimate = estimate_psf(grey, np.ones_like(grey))
    return deconvolve(image, np.ones(image.shape[:2], np.float32), estimate.psf)
