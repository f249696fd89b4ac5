"""Spectra of planes, PSFs and derivatives, for images taken as periodic."""

import math
from functools import lru_cache

import numpy as np
from jaxtyping import Complex, Float, Float32

from selfsharp.blur.psf import Psf

Planes = Float32[np.ndarray, "... height width"]
"""A plane, or several of one size."""
Spectrum = Complex[np.ndarray, "... rows frequencies"]
"""The spectrum of a plane, or of each of several."""
PowerSpectrum = Float32[np.ndarray, "... rows frequencies"]
Shape = tuple[int, int]


def transform(plane: Float[np.ndarray, "... height width"], shape: Shape | None = None) -> Spectrum:
    """The spectrum of a plane, or of several, zeros added up to a shape.

    NumPy's own, without a norm, works in double precision whatever it is given, and takes four
    times as long (2.4); with one it keeps to float32. The norm is taken back here.
    """
    size = plane.shape[-2:]
    if shape is None or shape == size:
        # In place, which NumPy's own for planes is not: a fifth of the time is the other array's.
        spectrum = np.fft.rfft(plane, norm="forward")
        np.fft.fft(spectrum, axis=-2, norm="forward", out=spectrum)
    else:
        spectrum = np.fft.rfft2(plane, shape, norm="forward")
    spectrum *= math.prod(shape or size)
    return spectrum


def back(spectrum: Spectrum, shape: Shape) -> Float[np.ndarray, "... height width"]:
    """The plane of a spectrum, or of each of several; the spectrum is used up."""
    np.fft.ifft(spectrum, axis=-2, out=spectrum)
    return np.fft.irfft(spectrum, shape[1])


def psf_spectrum(psf: Float32[np.ndarray, "... side side"], shape: Shape) -> Spectrum:
    """The spectrum of a PSF, or of several, centred on the first pixel."""
    half = psf.shape[-1] // 2
    return transform(psf, shape) * _shift(shape, float(half), float(half))


def centred_spectrum(psf: Psf, shape: Shape) -> Spectrum:
    """The spectrum of a PSF with its centroid exactly on the first pixel.

    An estimated PSF's centroid lies up to half a pixel off its middle; undone like that, it
    would shift the photo.
    """
    places = np.arange(psf.shape[0])
    row, column = float(psf.sum(1) @ places), float(psf.sum(0) @ places)
    return transform(psf, shape) * _shift(shape, row, column)


def _shift(shape: Shape, row: float, column: float) -> Spectrum:
    """What moves a place of a plane to its first pixel."""
    down = np.exp(2j * np.pi * row * np.fft.fftfreq(shape[0])).astype(np.complex64)
    right = np.exp(2j * np.pi * column * np.fft.rfftfreq(shape[1])).astype(np.complex64)
    return np.outer(down, right)


def over(spectrum: Spectrum, power: PowerSpectrum) -> Spectrum:
    """A spectrum over a power; a division of complex numbers would take eight times as long."""
    return spectrum * (1 / power)


def corner_of(spectrum: Spectrum, shape: Shape, side: int) -> Float32[np.ndarray, "... side side"]:
    """The square around a plane's first pixel, of its spectrum; half the work of all of it."""
    half = side // 2
    rows = np.fft.ifft(spectrum, axis=-2).take(range(-half, half + 1), axis=-2)
    lines = np.fft.irfft(rows, shape[1])
    return lines.take(range(-half, half + 1), axis=-1)


@lru_cache(maxsize=16)
def slope_power(shape: Shape) -> Float32[np.ndarray, "rows frequencies"]:
    """The squared spectra of both derivatives, added; not to be written to."""
    rows, columns = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None]
    power = 4 * (np.sin(np.pi * rows) ** 2 + np.sin(np.pi * columns) ** 2)
    return power.astype(np.float32)


def derivatives(plane: Planes) -> tuple[Planes, Planes]:
    """Forward differences along columns and along rows."""
    across, below = np.empty_like(plane), np.empty_like(plane)
    # By slices, since rolled copies take as long again.
    np.subtract(plane[..., 1:], plane[..., :-1], out=across[..., :-1])
    np.subtract(plane[..., 0], plane[..., -1], out=across[..., -1])
    np.subtract(plane[..., 1:, :], plane[..., :-1, :], out=below[..., :-1, :])
    np.subtract(plane[..., 0, :], plane[..., -1, :], out=below[..., -1, :])
    return across, below


def divergence(across: Planes, below: Planes) -> Planes:
    """The adjoint of :func:`derivatives`: <divergence(a, b), x> = <a, across x> + <b, below x>."""
    summed = np.empty_like(across)
    np.subtract(across[..., :-1], across[..., 1:], out=summed[..., 1:])
    np.subtract(across[..., -1], across[..., 0], out=summed[..., 0])
    summed[..., 1:, :] += below[..., :-1, :]
    summed[..., 0, :] += below[..., -1, :]
    summed -= below
    return summed


def bordered(
    plane: Float32[np.ndarray, "height width"], border: int, *, mode: str = "symmetric"
) -> Float32[np.ndarray, "rows columns"]:
    """A plane with a border, filled up to a size that is fast to transform."""
    height, width = (side + 2 * border for side in plane.shape)
    fill = (fast_length(height) - height, fast_length(width) - width)
    pads = ((border, border + fill[0]), (border, border + fill[1]))
    return np.pad(plane, pads, mode)  # type: ignore[call-overload]


def fast_length(length: int) -> int:
    """The next length whose only prime factors are 2, 3 and 5: fast to transform."""
    best = 1 << math.ceil(math.log2(max(length, 1)))
    five = 1
    while five < best:
        three = five
        while three < best:
            two = three << max(0, math.ceil(math.log2(length / three)))
            best = min(best, two) if two >= length else best
            three *= 3
        five *= 5
    return best
