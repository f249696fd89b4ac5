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


def blur_radius(psf: Float[np.ndarray, "height width"]) -> float:
    """The radius of a PSF: RMS distance from its centroid, in pixels."""
    weights = np.asarray(psf, np.float64)
    weights = weights / weights.sum()
    rows, columns = np.mgrid[: weights.shape[0], : weights.shape[1]]
    row, column = (weights * rows).sum(), (weights * columns).sum()
    return math.sqrt(max(0.0, (weights * ((rows - row) ** 2 + (columns - column) ** 2)).sum()))


def distances(half_size: int) -> Float[np.ndarray, "size size"]:
    """Distance of every pixel from the centre of a square of side 2 * half_size + 1."""
    line = np.arange(-half_size, half_size + 1, dtype=np.float64)
    return np.hypot(line[:, None], line[None, :])


def normalised(weights: Float[np.ndarray, "size size"]) -> Psf:
    """A PSF out of non-negative weights that are centred already."""
    return (weights / weights.sum()).astype(np.float32)


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
    if radius == 0:
        return np.ones((1, 1), np.float32)
    # Bisection: discs and lines grow in steps of pixels, on which a secant can stall.
    low, high = 0.0, radius + 1.0
    psf = shape(radius)
    for _ in range(24):
        middle = 0.5 * (low + high)
        psf = shape(middle)
        found = blur_radius(psf)
        if abs(found - radius) <= 0.002 * radius:
            break
        low, high = (middle, high) if found < radius else (low, middle)
    return psf
