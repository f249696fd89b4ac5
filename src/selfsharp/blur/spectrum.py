"""Spectra of PSFs and of derivatives, for images taken as periodic."""

import numpy as np
from jaxtyping import Complex, Float32

from selfsharp.blur.convolve import fast_length
from selfsharp.blur.psf import Psf
from selfsharp.image import Plane

Spectrum = Complex[np.ndarray, "rows frequencies"]
Shape = tuple[int, int]


def psf_spectrum(psf: Psf, shape: Shape) -> Spectrum:
    """The spectrum of a PSF centred on the first pixel."""
    half = psf.shape[0] // 2
    whole = np.zeros(shape, np.float32)
    whole[: psf.shape[0], : psf.shape[1]] = psf
    return np.fft.rfft2(np.roll(whole, (-half, -half), (0, 1)))


def centred_spectrum(psf: Psf, shape: Shape) -> Spectrum:
    """The spectrum of a PSF with its centroid exactly on the first pixel.

    An estimated PSF's centroid lies up to half a pixel off its middle; undone like that, it
    would shift the photo.
    """
    places = np.arange(psf.shape[0]) - psf.shape[0] // 2
    row, column = float(psf.sum(1) @ places), float(psf.sum(0) @ places)
    turns = row * np.fft.fftfreq(shape[0])[:, None] + column * np.fft.rfftfreq(shape[1])[None]
    shift = np.exp(2j * np.pi * turns).astype(np.complex64)
    return psf_spectrum(psf, shape) * shift


def derivative_spectra(shape: Shape) -> tuple[Spectrum, Spectrum]:
    """The spectra of the forward differences along columns and along rows."""
    along, down = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    along[0, 0] = down[0, 0] = -1
    along[0, -1] = down[-1, 0] = 1
    return np.fft.rfft2(along), np.fft.rfft2(down)


def derivatives(plane: Plane) -> tuple[Plane, Plane]:
    """Forward differences along columns and along rows."""
    return np.roll(plane, -1, 1) - plane, np.roll(plane, -1, 0) - plane


def bordered(
    plane: Float32[np.ndarray, "height width"], border: int, *, mode: str = "symmetric"
) -> Float32[np.ndarray, "rows columns"]:
    """A plane with a border, filled up to a size that is fast to transform."""
    height, width = (side + 2 * border for side in plane.shape)
    fill = (fast_length(height) - height, fast_length(width) - width)
    pads = ((border, border + fill[0]), (border, border + fill[1]))
    return np.pad(plane, pads, mode)  # type: ignore[call-overload]
