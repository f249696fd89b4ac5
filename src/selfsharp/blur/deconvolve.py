"""Undoes a known blur in a part of an image."""

import math

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.psf import Psf
from selfsharp.blur.spectrum import (
    Spectrum,
    bordered,
    centred_spectrum,
    derivative_spectra,
    derivatives,
)
from selfsharp.image import Image, Plane

SPARSITY = 0.8
"""Exponent of the gradients' prior: 2 is Gaussian, under 1 keeps edges."""
FIDELITY = 500.0
"""Weight of the data beside the prior; more restores more, and trusts the PSF more."""
DAMPING = 0.01
"""Weight of the prior when the blur is divided out in one step."""


def deconvolve(image: Image, mask: Plane, psf: Psf, fidelity: float = FIDELITY) -> Image:
    """The image that, blurred by the PSF, explains the masked part of the given one.

    Outside the mask the given image is sharp already. There its re-blurred self takes its
    place, so that the whole is blurred evenly and nothing rings at the mask's border. The
    prior is sparse gradients by half-quadratic splitting (Krishnan and Fergus 2009, Fast
    image deconvolution using hyper-Laplacian priors, NIPS).

    Args:
        image: RGB in 0..1.
        mask: 1 where the image is blurred; only there is the result of use.
        psf: how it is blurred.
        fidelity: weight of the data beside the prior.
    """
    border, (height, width) = psf.shape[0], mask.shape
    inside = bordered(mask, border)
    shape = inside.shape
    blur, along, down = centred_spectrum(psf, shape), *derivative_spectra(shape)
    slopes, energy = np.abs(along) ** 2 + np.abs(down) ** 2, np.abs(blur) ** 2
    result = np.empty_like(image)
    for channel in range(3):
        data = np.conj(blur) * _evenly_blurred(image[:, :, channel], inside, blur, border)
        latent = np.fft.irfft2(data / (energy + 0.02 * slopes + 1e-5), shape)
        coupling = 1.0
        while coupling < 256:
            across, below = (_shrunk(slope, coupling) for slope in derivatives(latent))
            prior = np.conj(along) * np.fft.rfft2(across) + np.conj(down) * np.fft.rfft2(below)
            weight = coupling / fidelity
            latent = np.fft.irfft2((data + weight * prior) / (energy + weight * slopes), shape)
            coupling *= 2 * math.sqrt(2)
        result[:, :, channel] = latent[border : border + height, border : border + width]
    return np.clip(result, 0, 1)


def divide(image: Image, mask: Plane, psf: Psf, damping: float = DAMPING) -> Image:
    """The image with the blur divided out in one step: quick, exact, and noisy.

    The filter of Wiener (1949) with the power of a photo's gradients as its prior. Like
    :func:`deconvolve` it takes the surroundings of the mask for sharp.

    Args:
        image: RGB in 0..1.
        mask: 1 where the image is blurred; only there is the result of use.
        psf: how it is blurred.
        damping: weight of the prior; less restores more, noise and errors included.
    """
    border, (height, width) = psf.shape[0], mask.shape
    inside = bordered(mask, border)
    blur = centred_spectrum(psf, inside.shape)
    slopes = sum(np.abs(slope) ** 2 for slope in derivative_spectra(inside.shape))
    inverse = np.conj(blur) / (np.abs(blur) ** 2 + damping * (slopes + 0.02))
    result = np.empty_like(image)
    for channel in range(3):
        evenly = _evenly_blurred(image[:, :, channel], inside, blur, border)
        whole = np.fft.irfft2(inverse * evenly, inside.shape)
        result[:, :, channel] = whole[border : border + height, border : border + width]
    return np.clip(result, 0, 1)


def _evenly_blurred(
    channel: Plane, inside: Float32[np.ndarray, "rows columns"], blur: Spectrum, border: int
) -> Spectrum:
    """The spectrum of a channel whose sharp surroundings are blurred like its blurred part."""
    given = bordered(channel, border)
    again = np.fft.irfft2(blur * np.fft.rfft2(given), given.shape)
    return np.fft.rfft2(inside * given + (1 - inside) * again)


def _shrunk(slope: Plane, coupling: float) -> Plane:
    """Gradients moved towards 0 by the prior, one step of its fixed point."""
    size = np.abs(slope)
    step = SPARSITY / coupling * np.maximum(size, np.float32(1e-3)) ** (SPARSITY - 1)
    return np.sign(slope) * np.maximum(size - step, 0)
