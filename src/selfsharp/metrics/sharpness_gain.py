"""Sharpness gained over the photo as it was before, in dB; needs no sharp original."""

import math

import numpy as np
from jaxtyping import Float64

from selfsharp.blur.convolve import filter_inside
from selfsharp.image import Image, quantize
from selfsharp.region import Region, weights_of

REACH = 5
"""Pixels around a pixel that count with it: half the longer filter."""
CELL = 16
"""Side in pixels of the squares in which flat places are looked for."""
FLATTEST = 0.25
"""Share of the region that is taken for flat: noise is measured there."""
UNSEEN = 0.1
"""Share of the noise's energy under which structure is not told from noise."""
LEAST = 0.1
"""Energy, in squared grey levels per pixel, under which there is nothing to see."""
_STEPS = np.arange(-4.0, 5.0)
_SMOOTH = np.exp(-0.5 * _STEPS**2) / np.exp(-0.5 * _STEPS**2).sum()
_SLOPE = np.convolve(_SMOOTH, (-0.5, 0.0, 0.5))
_BEND = np.array([1.0, -2.0, 1.0])


def measure(restored: Image, before: Image, region: Region | None = None) -> float:
    """How many dB more energy the fine gradients of the restored photo have than before.

    The second image is the **input**, the photo as it was before restoring, not a sharp
    original. 0 for equal images, over 0 after sharpening, under 0 after blurring; with the
    images exchanged, the sign changes. With S the mean squared gradient of the grey image
    after a Gaussian of sigma 1, less that of the noise N, and f = 0.1 + max(N) / 10:

    10 log10((S_restored + f) / (S_before + f))

    Noise is not sharpness. It is measured in the flattest quarter of the region, the same
    for both images, and the lower of two estimates is taken: the gradients' energy there,
    and what white noise would have there that is as strong as the finest differences say
    (J. Immerkaer, 1996, doi:10.1006/cviu.1996.0060). The rest is this project's own.

    It tells how much sharper a photo looks, not whether it is right: halos and ripples count
    as well, and so does, in part, noise that is itself blurred. In a region under about
    32 x 32 px noise is hard to tell from structure, and gains are drawn towards 0.

    Args:
        restored: RGB in 0..1; both images are rounded to 8 bit first, as files are.
        region: the pixels that count, or their weights; all of them alike when None.

    Raises:
        ValueError: the region is empty, or a weight is negative or not finite.
    """
    weights = weights_of(region, before.shape[0], before.shape[1])
    slopes, bends = zip(*(_energies(image) for image in (restored, before)), strict=True)
    flat = _flattest(slopes[0] + slopes[1], weights)
    noise = [
        min(float((flat * slope).sum()), float((flat * bend).sum()))
        for slope, bend in zip(slopes, bends, strict=True)
    ]
    floor = LEAST + UNSEEN * max(noise)
    after, at_first = (
        max(float((weights * slope).sum()) - of_noise, 0) + floor
        for slope, of_noise in zip(slopes, noise, strict=True)
    )
    return 10 * math.log10(after / at_first)


def _energies(
    image: Image,
) -> tuple[Float64[np.ndarray, "height width"], Float64[np.ndarray, "height width"]]:
    """Squared fine gradient of every pixel, and what it would be of white noise alone."""
    grey = quantize(image).mean(axis=2, dtype=np.float64)
    framed = np.pad(grey, REACH, "symmetric")
    across = filter_inside(framed[1:-1], _SMOOTH, _SLOPE) ** 2
    down = filter_inside(framed[:, 1:-1], _SLOPE, _SMOOTH) ** 2
    finest = filter_inside(framed[4:-4, 4:-4], _BEND, _BEND) ** 2
    # What one unit of white noise leaves behind each filter: the sum of its squares.
    of_slopes = 2 * (_SMOOTH**2).sum() * (_SLOPE**2).sum()
    return across + down, finest * (of_slopes / (_BEND**2).sum() ** 2)


def _flattest(
    energy: Float64[np.ndarray, "height width"], weights: Float64[np.ndarray, "height width"]
) -> Float64[np.ndarray, "height width"]:
    """Weights, summing to 1, of the pixels in the flattest cells of what is weighed."""
    share = _sums_of_cells(weights)
    mean = _sums_of_cells(weights * energy) / np.maximum(share, 1e-300)
    # Cells that the region barely touches are too small a sample to be judged.
    judged = np.flatnonzero(share.ravel() >= 0.5 * share.max())
    order = judged[np.argsort(mean.ravel()[judged], kind="stable")]
    filled = np.cumsum(share.ravel()[order])
    count = int(np.searchsorted(filled, FLATTEST * filled[-1])) + 1
    chosen = np.zeros(share.size)
    chosen[order[:count]] = 1
    cells = chosen.reshape(share.shape).repeat(CELL, axis=0).repeat(CELL, axis=1)
    flat = weights * cells[: weights.shape[0], : weights.shape[1]]
    return flat / flat.sum()


def _sums_of_cells(
    plane: Float64[np.ndarray, "height width"],
) -> Float64[np.ndarray, "cell_rows cell_columns"]:
    """The sum of every 16 x 16 pixels; the last cells hold fewer."""
    rows, columns = (-(-side // CELL) for side in plane.shape)
    fill = ((0, rows * CELL - plane.shape[0]), (0, columns * CELL - plane.shape[1]))
    return np.pad(plane, fill).reshape(rows, CELL, columns, CELL).sum(axis=(1, 3))
