"""How much structure a picture has, and how blurred it is against its sharp original."""

from functools import lru_cache

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.convolve import Channels, convolve
from selfsharp.blur.kinds import gaussian
from selfsharp.blur.psf import Psf
from selfsharp.image import Image, Plane, grey_of

CELL = 4
"""Side of the cells, in pixels, in which structure is seen and blur is detected."""
FLAT = 1.6 / 255
"""Structure under which there is too little to see to tell blur."""
ROUNDING = 0.3 / 255
"""Standard deviation of the noise that rounding to 8 bit makes."""
PATCH = 32
"""Side of the patches, in pixels, in which a photo is sharp somewhere, or nowhere."""
BLURRED = 0.8
"""Softness from which a photo is blurred itself. Measured: 53 sharp photos are under 0.71; with
Gaussian blur of radius 2.1 px (and grain) 99 % of them are over 0.81, at 1.5 px three quarters."""
LADDER = (0.0, 0.5, 0.8, 1.2, 1.8, 2.6, 3.6, 5.0, 7.0)
"""Radii in pixels that are tried when a pair is measured."""


def radius_between(sharp: Image, blurred: Image, window: float = 12.0) -> Plane:
    """The blur radius of a real pair: which Gaussian of the sharp image explains the blurred.

    For every pixel the radius of `LADDER` is taken whose Gaussian leaves the least squared
    error in a soft window around it. In flat places all explain alike, and the least wins.

    Args:
        window: the window's own radius in pixels.
    """
    before, after = (image.mean(axis=2, keepdims=True) for image in (sharp, blurred))
    steps: list[Channels] = [convolve(before, _gaussian(radius)) for radius in LADDER]
    squares = np.concatenate([(step - after) ** 2 for step in steps], axis=2)
    errors = convolve(squares, _gaussian(window))
    # The least radius whose error is within rounding noise of the best.
    floor = errors.min(axis=2, keepdims=True) * 1.1 + (0.5 / 255) ** 2
    return np.asarray(LADDER, np.float32)[np.argmax(errors <= floor, axis=2)]


@lru_cache
def _gaussian(radius: float) -> Psf:
    return gaussian.psf(radius, np.random.default_rng(0))


def structure(image: Image) -> Float32[np.ndarray, "cell_rows cell_columns"]:
    """How much there is to see around each cell of 4x4 pixels: the spread of its neighbours.

    The standard deviation of the cells' grey values in a window of 5x5 cells. Blur of any
    kind hardly lowers it, while sky and walls have none: there, blur cannot be told and
    sharpening gains nothing. Cells' means hold little of the noise of single pixels.
    """
    cells = means_of_cells(grey_of(image))
    return np.sqrt(np.maximum(mean_around(cells**2) - mean_around(cells) ** 2, 0))


def structure_over_noise(grey: Plane, mask: Plane) -> float:
    """How far a part's structure stands out of its noise: about 1 in noise alone, less in a ramp.

    The second differences between cells' means, RMS, over what the noise of single pixels makes
    of them. Shading that rises evenly has none; blurred structure keeps them.

    Source of the noise's estimate: J. Immerkaer, 1996, doi:10.1006/cviu.1996.0060, here by the
    median.

    Args:
        grey: mean of the channels, 0..1.
        mask: 1 in the part.

    Returns:
        0 where the part is too small to tell.
    """
    smooth = grey[1:-1, :-2] - 2 * grey[1:-1, 1:-1] + grey[1:-1, 2:]
    noise = (smooth[:-2] - 2 * smooth[1:-1] + smooth[2:])[mask[2:-2, 1:-1] > 0.5]
    cells, inside = means_of_cells(grey), means_of_cells(mask) > 0.99
    second = []
    for values, within in ((cells, inside), (cells.T, inside.T)):
        bent = values[2:] - 2 * values[1:-1] + values[:-2]
        second.append(bent[within[2:] & within[1:-1] & within[:-2]])
    bends = np.concatenate(second)
    if not noise.size or not bends.size:
        return 0.0
    # The median of the absolute value is 0.6745 sigma; the filter's weights have the norm 6.
    sigma = max(float(np.median(np.abs(noise))) / 0.6745 / 6, ROUNDING)
    return float(np.sqrt((bends**2).mean() * CELL**2 / (6 * sigma**2)))


def means_of_cells(
    plane: Plane,
) -> Float32[np.ndarray, "cell_rows cell_columns"]:
    """The mean of every 4x4 pixels; the last ones are filled up with copies of the edge."""
    height, width = -(-plane.shape[0] // CELL), -(-plane.shape[1] // CELL)
    fill = ((0, height * CELL - plane.shape[0]), (0, width * CELL - plane.shape[1]))
    whole = np.pad(plane, fill, "edge")
    return whole.reshape(height, CELL, width, CELL).mean(axis=(1, 3))


def mean_around(plane: Plane, reach: int = 2) -> Plane:
    """The mean of a square of 2 * reach + 1 around each value, edges repeated."""
    size = 2 * reach + 1
    around = np.pad(plane, reach, "edge")
    windows = np.lib.stride_tricks.sliding_window_view(around, (size, size))
    return windows.mean(axis=(2, 3), dtype=np.float32)


def softness(image: Image) -> float:
    """How blurred a photo is where it is sharpest, told from the photo alone; 0 to 1.

    The share of the differences between pixels (RMS) that is left after a further slight blur:
    what is blurred already loses little. Taken for patches with something to see, of which the
    sharpest tenth counts: a photo with a sharp subject before a soft background is sharp.

    Source: F. Crete, T. Dolmiere, P. Ladret and M. Nicolas, 2007, doi:10.1117/12.702790.
    """
    grey = np.pad(grey_of(image), 1, "edge")
    rows = (grey[:-2] + 2 * grey[1:-1] + grey[2:]) / 4
    again = (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 4
    before, after = (_differences(plane) for plane in (grey[1:-1, 1:-1], again))
    seen = before > min(4 * FLAT, float(np.quantile(before, 0.9)) * 0.999)
    if not seen.any():
        return 1.0  # Nothing to see at all.
    return float(np.quantile(after[seen] / before[seen], 0.1))


def _differences(plane: Plane) -> Float32[np.ndarray, "patch_rows patch_columns"]:
    """How much the neighbours on either side of a pixel differ, RMS over every patch.

    What is left over at the end of rows and columns counts only in photos under a patch.
    """
    framed = np.pad(plane, 1, "edge")
    down = framed[2:, 1:-1] - framed[:-2, 1:-1]
    across = framed[1:-1, 2:] - framed[1:-1, :-2]
    height, width = (side - side % PATCH if side >= PATCH else side for side in plane.shape)
    tall, wide = min(PATCH, height), min(PATCH, width)
    squares = (down**2 + across**2)[:height, :width]
    patches = squares.reshape(height // tall, tall, width // wide, wide)
    return np.sqrt(patches.mean(axis=(1, 3)))
