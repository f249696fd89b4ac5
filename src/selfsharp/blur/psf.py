"""What every point spread function obeys, and the pieces that kinds of blur are made of.

A PSF here is square and odd-sized, non-negative, sums to 1, and has its centroid at
its centre. Its radius is the RMS distance from the centroid, in pixels:
sqrt(sum p |x - c|^2).
"""

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Float32

Psf = Float32[np.ndarray, "size size"]
FAINT = 0.05
"""Share of a PSF's largest weight under which its light does not count for its extent."""
STEPS = 4
"""Shifts per pixel at which two PSFs are compared."""


def blur_radius(psf: Float[np.ndarray, "height width"]) -> float:
    """The radius of a PSF: RMS distance from its centroid, in pixels."""
    weights = np.asarray(psf, np.float64)
    square = 0.0
    for light in (weights.sum(axis=1), weights.sum(axis=0)):
        shares, places = light / light.sum(), np.arange(light.size)
        square += float(shares @ (places - shares @ places) ** 2)
    return math.sqrt(square)


def extent(psf: Psf) -> tuple[int, int]:
    """Rows and columns that the light of a PSF covers, but for weights under `FAINT`."""
    places = np.argwhere(psf >= FAINT * psf.max())
    rows, columns = np.ptp(places, axis=0) + 1
    return int(rows), int(columns)


def similarity(
    found: Float32[np.ndarray, "found found"], true: Float32[np.ndarray, "true true"]
) -> float:
    """Largest normalised correlation of two PSFs over all shifts, to a quarter pixel, 0..1.

    A PSF that is shifted as a whole restores the same photo, shifted; that is no error of it.

    Source: the kernel similarity of Z. Hu and M.-H. Yang, Good Regions to Deblur, ECCV 2012,
    doi:10.1007/978-3-642-33715-4_5.
    """
    side = found.shape[0] + true.shape[0]
    one, other = (np.fft.fft2(psf, (side, side)) for psf in (found, true))
    # A spectrum laid out in a larger one is the same correlation, between the pixels too.
    wide = np.zeros((STEPS * side, STEPS * side), complex)
    places = np.fft.fftfreq(side, 1 / side).astype(int)
    wide[np.ix_(places, places)] = one * np.conj(other)
    best = float(np.fft.ifft2(wide).real.max()) * STEPS**2
    return best / math.sqrt(float((found**2).sum()) * float((true**2).sum()))


def distances(half_size: int) -> Float[np.ndarray, "size size"]:
    """Distance of every pixel from the centre of a square of side 2 * half_size + 1."""
    line = np.arange(-half_size, half_size + 1, dtype=np.float64)
    return np.hypot(line[:, None], line[None, :])


def normalised(weights: Float[np.ndarray, "size size"]) -> Psf:
    """A PSF out of non-negative weights that are centred already."""
    return (weights / weights.sum()).astype(np.float32)


def tidied(weights: np.ndarray, floor: float) -> Psf:
    """A PSF without weak and negative values, its centroid on the middle pixel."""
    kept = np.where(weights > floor * weights.max(), np.maximum(weights, 0), 0)
    if not kept.any():
        kept = np.zeros_like(kept)
        kept[kept.shape[0] // 2, kept.shape[1] // 2] = 1
    rows, columns = np.mgrid[: kept.shape[0], : kept.shape[1]]
    middle = kept.shape[0] // 2
    shift = [round(middle - float((kept * at).sum() / kept.sum())) for at in (rows, columns)]
    return (np.roll(kept, shift, (0, 1)) / kept.sum()).astype(np.float32)


def as_psf(weights: np.ndarray) -> Psf:
    """A PSF out of weights of any scale: normalised, its centroid on the middle pixel.

    Args:
        weights: non-negative numbers, shape (rows, columns), both odd; the empty frame around
            them is left away.

    Raises:
        ValueError: wrong shape or type, a weight is negative or not finite, or all are 0.
    """
    if not (isinstance(weights, np.ndarray) and weights.ndim == 2):
        shape = getattr(weights, "shape", type(weights).__name__)
        raise ValueError(f"psf has shape {shape}; give an array of (rows, columns)")
    if not all(side % 2 for side in weights.shape):
        sides = " x ".join(map(str, weights.shape))
        raise ValueError(f"psf of {sides} has no middle pixel; give odd numbers of both")
    if weights.dtype.kind not in "buif":
        raise ValueError(f"psf has type {weights.dtype}; give numbers")
    light = weights.astype(np.float64)
    if not np.isfinite(light).all():
        raise ValueError("psf has weights that are not finite; give numbers of 0 and more")
    if light.min() < 0:
        raise ValueError(f"psf has a weight of {light.min():g}; give numbers of 0 and more")
    if not light.any():
        raise ValueError("psf is 0 everywhere; give weights of which one at least is over 0")
    light /= light.max()
    rows, columns = np.nonzero(light)
    shares = light[rows, columns] / light.sum()
    rows -= round(float(shares @ rows))
    columns -= round(float(shares @ columns))
    half = int(max(np.abs(rows).max(), np.abs(columns).max()))
    psf = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    psf[rows + half, columns + half] = shares
    return psf


def trace(points: Float[np.ndarray, "points 2"]) -> Psf:
    """The PSF of a path: equal light at every point (row, column), splatted bilinearly.

    The path is moved to its centroid first; bilinear splatting keeps a centroid, so the
    PSF is centred to rounding.
    """
    points = points - points.mean(axis=0)
    half = max(1, math.ceil(np.abs(points).max()) + 1)
    size = 2 * half + 1
    low = np.floor(points).astype(np.int64)
    part = points - low
    weights = np.zeros(size * size)
    for row in (0, 1):
        for column in (0, 1):
            share = np.abs(1 - row - part[:, 0]) * np.abs(1 - column - part[:, 1])
            index = (low[:, 0] + row + half) * size + low[:, 1] + column + half
            weights += np.bincount(index, share, minlength=size * size)
    return cropped(normalised(weights.reshape(size, size)))


def cropped(psf: Psf) -> Float32[np.ndarray, "smaller smaller"]:
    """The PSF without the empty frame around it."""
    half = psf.shape[0] // 2
    used = np.argwhere(psf > 0) - half
    keep = int(np.abs(used).max())
    return psf[half - keep : half + keep + 1, half - keep : half + keep + 1].copy()


def with_radius(shape: Callable[[float], Psf], radius: float) -> Psf:
    """The member of a family of PSFs that has the wanted radius.

    Args:
        shape: makes a PSF of about the radius it is given; pixels make it differ a little.
        radius: wanted radius in pixels; 0 gives the PSF that changes nothing.

    Raises:
        ValueError: the radius is negative or not finite.
    """
    if not (math.isfinite(radius) and radius >= 0):
        raise ValueError(f"blur radius {radius} is not a number of pixels >= 0; give 0 to 100, say")
    psf = np.ones((1, 1), np.float32)
    if radius == 0:
        return psf
    # Bisection: discs and lines grow in steps of pixels, on which a secant can stall.
    low, high = 0.0, radius + 1.0
    for _ in range(24):
        middle = 0.5 * (low + high)
        psf = shape(middle)
        found = blur_radius(psf)
        if abs(found - radius) <= 0.002 * radius:
            break
        low, high = (middle, high) if found < radius else (low, middle)
    return psf
