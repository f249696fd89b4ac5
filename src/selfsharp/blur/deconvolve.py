"""Undoes a known blur in a part of an image."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.psf import Psf
from selfsharp.blur.spectrum import (
    Spectrum,
    bordered,
    centred_spectrum,
    derivatives,
    divergence,
    over,
    slope_power,
    transform,
)
from selfsharp.image import Image, Plane

Whole = Float32[np.ndarray, "rows columns"]
"""A plane with a border around it."""
SPARSITY = 0.8
"""Exponent of the gradients' prior: 2 is Gaussian, under 1 keeps edges."""
FIDELITY = 500.0
"""Weight of the data beside the prior; more restores more, and trusts the PSF more."""
DAMPINGS = (0.01,)
"""Weight of the prior in each round of dividing the blur out."""
CONTRAST = 0.02
"""What the prior adds to the gradients' power, for the lowest frequencies."""


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
    inside = bordered(mask, border, mode="constant")
    shape = inside.shape
    blur, slopes = centred_spectrum(psf, shape), slope_power(shape)
    energy = np.abs(blur) ** 2
    result = np.empty_like(image)
    for channel in range(3):
        given = bordered(image[:, :, channel], border)
        data = np.conj(blur) * _evenly_blurred(given, given, inside, blur)
        latent = np.fft.irfft2(over(data, energy + 0.02 * slopes + 1e-5), shape)
        coupling = 1.0
        while coupling < 256:
            across, below = (_shrunk(slope, coupling) for slope in derivatives(latent))
            prior = transform(divergence(across, below))
            weight = coupling / fidelity
            latent = np.fft.irfft2(over(data + weight * prior, energy + weight * slopes), shape)
            coupling *= 2 * math.sqrt(2)
        result[:, :, channel] = latent[border : border + height, border : border + width]
    return np.clip(result, 0, 1)


def divide(image: Image, mask: Plane, psf: Psf, dampings: Sequence[float] = DAMPINGS) -> Image:
    """The image with the blur divided out in one step: quick, exact, and noisy.

    With H the spectrum of the PSF, D those of the derivatives, and a the damping, the evenly
    blurred image is multiplied by conj(H) / (|H|^2 + a (|D|^2 + CONTRAST)): the filter of N.
    Wiener (1949) with the power of a photo's gradients as its prior. Like :func:`deconvolve` it
    takes the surroundings of the mask for sharp. What lies beyond the photo's edges is unknown:
    first the photo mirrored, blurred again; then, from round to round, the last result is.

    Args:
        image: RGB in 0..1.
        mask: 1 where the image is blurred; only there is the result of use.
        psf: how it is blurred.
        dampings: weight of the prior in each round; less restores more, noise and errors
            included. More in the first ones keeps errors from feeding the next.
    """
    planes = _divided([image[:, :, at] for at in range(3)], mask, psf, dampings)
    divided = np.empty((*mask.shape, 3), np.float32)
    for channel, plane in enumerate(planes):
        divided[:, :, channel] = plane
    return divided


def divide_plane(
    plane: Plane, mask: Plane, psf: Psf, dampings: Sequence[float] = DAMPINGS
) -> Plane:
    """:func:`divide` for one channel."""
    return next(_divided([plane], mask, psf, dampings))


def _divided(
    planes: Sequence[Plane], mask: Plane, psf: Psf, dampings: Sequence[float]
) -> Iterator[Plane]:
    """Channels with the blur divided out; what filters are made of serves all.

    One after the other, so that few are in memory at a time.
    """
    border, (height, width) = psf.shape[0], mask.shape
    inside = bordered(mask, border, mode="constant")
    blur = centred_spectrum(psf, inside.shape)
    power, prior = np.abs(blur) ** 2, slope_power(inside.shape) + np.float32(CONTRAST)
    cross = np.conj(blur)
    inverses = [over(cross, power + damping * prior) for damping in dampings]
    del power, prior, cross
    photo = slice(border, border + height), slice(border, border + width)
    for plane in planes:
        given = latent = bordered(plane, border)
        for number, inverse in enumerate(inverses):
            sharp = given
            if number:
                inner = np.where(mask > 0, np.clip(latent[photo], 0, 1), plane)
                sharp = bordered(inner, border)
            evenly = _evenly_blurred(given, sharp, inside, blur)
            latent = np.fft.irfft2(inverse * evenly, inside.shape)
        yield np.clip(latent[photo], 0, 1)


def _evenly_blurred(given: Whole, sharp: Whole, inside: Whole, blur: Spectrum) -> Spectrum:
    """The spectrum of a plane whose surroundings are those of a sharp one, blurred alike."""
    again = np.fft.irfft2(blur * transform(sharp), given.shape)
    return transform(inside * given + (1 - inside) * again)


def _shrunk(slope: Plane, coupling: float) -> Plane:
    """Gradients moved towards 0 by the prior, one step of its fixed point."""
    size = np.abs(slope)
    step = SPARSITY / coupling * np.maximum(size, np.float32(1e-3)) ** (SPARSITY - 1)
    return np.sign(slope) * np.maximum(size - step, 0)
