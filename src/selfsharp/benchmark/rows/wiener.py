"""Wiener's filter, told the true PSF and mask: how much one linear step can give back."""

import numpy as np

from selfsharp.benchmark.row import Row, Truth
from selfsharp.blur.spectrum import bordered, centred_spectrum, derivative_spectra
from selfsharp.config import BenchmarkSettings
from selfsharp.image import Image

DAMPINGS = (0.02, 0.02, 0.02, 0.02, 0.01, 0.004)
"""Weight of the prior in each round; the last is noise of 1/255 against the gradients of photos.

What lies outside is completed by stronger ones: a weak one would feed its errors to the next.
"""
CONTRAST = 0.02
"""What the prior adds to the gradients' power, for the lowest frequencies."""


def rows(settings: BenchmarkSettings) -> list[Row]:
    """Wiener's filter as an oracle."""
    return [Row("Wiener", divide, told="blur")]


def divide(image: Image, truth: Truth | None) -> Image:
    """The blurred part with its blur divided out; the rest as it came.

    With H the spectrum of the PSF, D those of the derivatives, and a the damping, the
    evenly blurred image is multiplied by conj(H) / (|H|^2 + a (|D|^2 + CONTRAST)). It is
    blurred evenly by completion: what lies outside the mask, and beyond the photo's edges, is
    what the last result gives when it is blurred. Without that, a hand shake over the
    whole photo rings in from the edges and costs 2 to 4 dB.

    Source: N. Wiener, Extrapolation, Interpolation, and Smoothing of Stationary Time Series,
    1949, with the power of a photo's gradients as its prior.
    """
    assert truth is not None
    assert truth.psf is not None
    border, (height, width) = truth.psf.shape[0], truth.mask.shape
    inside = bordered(truth.mask, border, mode="constant")
    shape = inside.shape
    blur = centred_spectrum(truth.psf, shape)
    slopes = sum(np.abs(slope) ** 2 for slope in derivative_spectra(shape))
    power = np.abs(blur) ** 2
    inverses = [np.conj(blur) / (power + damping * (slopes + CONTRAST)) for damping in DAMPINGS]
    photo = slice(border, border + height), slice(border, border + width)
    restored = image.copy()
    for channel in range(3):
        given = bordered(image[:, :, channel], border)
        latent = image[:, :, channel]
        for inverse in inverses:
            again = np.fft.irfft2(blur * np.fft.rfft2(bordered(latent, border)), shape)
            evenly = inside * given + (1 - inside) * again
            sharp = np.clip(np.fft.irfft2(inverse * np.fft.rfft2(evenly), shape), 0, 1)
            latent = np.where(truth.mask > 0, sharp[photo], image[:, :, channel])
        restored[:, :, channel] = latent
    return restored
