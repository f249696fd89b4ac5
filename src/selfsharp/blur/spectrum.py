"""Spectra of planes, PSFs and derivatives, for images taken as periodic."""

import math
from functools import lru_cache

import numpy as np
from jaxtyping import Complex, Float, Float32

from selfsharp.blur.psf import Psf
from selfsharp.image import Plane

Spectrum = Complex[np.ndarray, "rows frequencies"]
Shape = tuple[int, int]


def transform(plane: Float[np.ndarray, "height width"], shape: Shape | None = None) -> Spectrum:
    """The spectrum of a plane, zeros added up to a shape.

    NumPy's own, without a norm, works in double precision whatever it is given, and takes four
    times as long (2.4); with one it keeps to float32. The norm is taken back here.
    """
    spectrum = np.fft.rfft2(plane, shape, norm="forward")
    spectrum *= math.prod(shape or plane.shape)
    return spectrum


def psf_spectrum(psf: Psf, shape: Shape) -> Spectrum:
    """The spectrum of a PSF centred on the first pixel."""
    half = psf.shape[0] // 2
    whole = np.zeros(shape, np.float32)
    whole[: psf.shape[0], : psf.shape[1]] = psf
    return transform(np.roll(whole, (-half, -half), (0, 1)))


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


@lru_cache(maxsize=16)
def slope_power(shape: Shape) -> Float32[np.ndarray, "rows frequencies"]:
    """The squared spectra of both derivatives, added; not to be written to."""
    rows, columns = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None]
    power = 4 * (np.sin(np.pi * rows) ** 2 + np.sin(np.pi * columns) ** 2)
    return power.astype(np.float32)


def derivatives(plane: Plane) -> tuple[Plane, Plane]:
    """Forward differences along columns and along rows."""
    return np.roll(plane, -1, 1) - plane, np.roll(plane, -1, 0) - plane


def divergence(across: Plane, below: Plane) -> Plane:
    """The adjoint of :func:`derivatives`: <divergence(a, b), x> = <a, across x> + <b, below x>."""
    summed = np.roll(across, 1, 1)
    summed -= across
    summed += np.roll(below, 1, 0)
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
