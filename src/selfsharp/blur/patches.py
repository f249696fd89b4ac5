"""Tells blurred patches of a photo from sharp ones, by their statistics and without a network."""

import json
from functools import lru_cache, reduce
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32, Float64

from selfsharp.blur.convolve import filter_inside
from selfsharp.blur.sharpness import CELL, FLAT, mean_around, means_of_cells
from selfsharp.image import Image

FITTED = Path(__file__).with_name("patches.json")
"""The classifier's weights, with the command that fitted them."""
FEATURES = (
    "contrast",
    "Laplacian variance",
    "Laplacian to gradient",
    "re-blur 1 px",
    "re-blur 2 px",
    "dark-channel gap",
    "sparse gradients",
    "steepest slope",
)
"""What is measured of a patch; `measure_patches` tells of each."""
PATCH = 4
"""Cells of 4x4 pixels around a cell that are its patch: 9 x 9 of them, 36 pixels."""
DARK = 2
"""Pixels around a pixel among which the darkest is sought."""
SIGMAS = (1.0, 2.0)
"""Standard deviations in pixels of the Gaussians that a photo is blurred again with."""
BAND = 512
"""Rows that are measured at a time, so that memory stays bounded."""
HALO = 48
"""Rows seen around a band: more than a patch, a Gaussian and a dark channel reach."""
GREY = 1 / 255
"""One grey level: under it there is little but rounding and noise."""

Cells = Float32[np.ndarray, "cell_rows cell_columns"]
Patches = Float32[np.ndarray, "cell_rows cell_columns features"]


def find_blurred_patches(image: Image) -> Cells:
    """The probability of being blurred, 0..1, for every cell of 4x4 pixels; about 0.5 where flat.

    A logistic regression of the features of the patch around the cell, fitted to photos
    blurred by the kinds of `blur/kinds` and to photos with hand-made masks.

    Source: the patch classification of A. Khmag and R. Ramlee, *Blur Removal in Natural
    Digital Images Using Self-Reference Generative Networks*, who name the dark channel and
    leave the rest open; a classifier of such features: R. Liu, Z. Li and J. Jia, 2008,
    doi:10.1109/CVPR.2008.4587465.

    Args:
        image: RGB in 0..1.
    """
    bias, *weights = _weights()
    patches = measure_patches(image)
    logit = evidence(patches) * (bias + patches @ np.asarray(weights, np.float32))
    return 1 / (1 + np.exp(-np.clip(logit, -30, 30)))


def evidence(patches: Patches) -> Cells:
    """How far a patch can be judged, 0..1: c^2 / (c^2 + f^2) of its contrast c and `FLAT` f.

    In a clear sky nobody can tell blur; there the logit is drawn to 0, the probability to 0.5.
    """
    squared = np.exp(2 * patches[:, :, 0])
    return squared / (squared + np.float32((FLAT / GREY) ** 2))


def measure_patches(image: Image) -> Patches:
    """The features of the patch around every cell, logarithms but for the sixth.

    With g the grey image (mean of the channels), g_s the same blurred by a Gaussian of
    sigma s, and all means taken over the patch:

    - contrast: the standard deviation of the cells' means, in grey levels;
    - Laplacian variance: mean (laplace g)^2, in squared grey levels (J. L. Pech-Pacheco et
      al., 2000, doi:10.1109/ICPR.2000.903548);
    - Laplacian to gradient: that over mean |grad g|^2;
    - re-blur 1 px, 2 px: mean |grad g_1|^2 over mean |grad g|^2, and g_2 over g_1; a blurred
      photo loses little when it is blurred again (F. Crete et al., 2007,
      doi:10.1117/12.702790);
    - dark-channel gap: how much the darkest value of 5x5 pixels and three channels rises when
      the photo is blurred again by 2 px, over the contrast (J. Pan, D. Sun, H. Pfister and
      M.-H. Yang, 2016, doi:10.1109/CVPR.2016.180);
    - sparse gradients: (mean |grad g|)^2 over mean |grad g|^2; few steep ones make it small
      (J. Shi, L. Xu and J. Jia, 2014, doi:10.1109/CVPR.2014.379);
    - steepest slope: the largest |grad g| over the range of the cells' means.

    Args:
        image: RGB in 0..1.
    """
    height, width = image.shape[:2]
    patches = np.empty((-(-height // CELL), -(-width // CELL), len(FEATURES)), np.float32)
    for start in range(0, height, BAND):
        first, stop = max(0, start - HALO), min(height, start + BAND)
        found = _measure_band(image[first : stop + HALO])
        rows = slice(start // CELL, -(-stop // CELL))
        patches[rows] = found[rows.start - first // CELL : rows.stop - first // CELL]
    return patches


def _measure_band(image: Image) -> Patches:
    grey_levels = image.astype(np.float64) / GREY
    soft, softer = (
        np.stack([_gaussian(grey_levels[:, :, c], sigma) for c in range(3)], axis=2)
        for sigma in SIGMAS
    )
    greys = [channels.mean(axis=2) for channels in (grey_levels, soft, softer)]
    slopes = [_slope(grey) for grey in greys]
    energies = [_over_patch(slope**2) for slope in slopes]
    laplacian = _over_patch(_laplacian(greys[0]) ** 2)
    cells = means_of_cells(greys[0].astype(np.float32)) - 128
    contrast = np.sqrt(np.maximum(mean_around(cells**2, PATCH) - mean_around(cells, PATCH) ** 2, 0))
    spread = _most_around(cells, PATCH) - _least_around(cells, PATCH)
    steepest = _most_around(_most_of_cells(slopes[0]), PATCH)
    gap = _over_patch(_dark_channel(softer) - _dark_channel(grey_levels))
    few = 0.1  # Squared grey levels: rounding to 8 bit alone leaves about as much.
    return np.stack(
        [
            np.log(contrast + 0.1),
            np.log(laplacian + few),
            np.log((laplacian + few) / (energies[0] + few)),
            np.log((energies[1] + few) / (energies[0] + few)),
            np.log((energies[2] + few) / (energies[1] + few)),
            gap / (contrast + 1),
            np.log((_over_patch(slopes[0]) ** 2 + few) / (energies[0] + few)),
            np.log((steepest + 1) / (spread + 1)),
        ],
        axis=2,
    ).astype(np.float32)


@lru_cache(1)
def _weights() -> tuple[float, ...]:
    """The bias, and the weight of each feature."""
    fitted = json.loads(FITTED.read_text(encoding="utf-8"))
    return (fitted["bias"], *(fitted["weights"][name] for name in FEATURES))


def _over_patch(plane: Float64[np.ndarray, "height width"]) -> Cells:
    """The mean over the patch of every cell."""
    return mean_around(means_of_cells(plane.astype(np.float32)), PATCH)


def _gaussian(
    plane: Float64[np.ndarray, "height width"], sigma: float
) -> Float64[np.ndarray, "height width"]:
    reach = round(3 * sigma)
    window = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    window /= window.sum()
    return filter_inside(np.pad(plane, reach, "symmetric"), window, window)


def _slope(plane: Float64[np.ndarray, "height width"]) -> Float64[np.ndarray, "height width"]:
    """The length of the gradient, by central differences."""
    framed = np.pad(plane, 1, "symmetric")
    across = framed[1:-1, 2:] - framed[1:-1, :-2]
    return 0.5 * np.hypot(across, framed[2:, 1:-1] - framed[:-2, 1:-1])


def _laplacian(plane: Float64[np.ndarray, "height width"]) -> Float64[np.ndarray, "height width"]:
    framed = np.pad(plane, 1, "symmetric")
    around = framed[:-2, 1:-1] + framed[2:, 1:-1] + framed[1:-1, :-2] + framed[1:-1, 2:]
    return around - 4 * plane


def _dark_channel(
    image: Float64[np.ndarray, "height width 3"],
) -> Float64[np.ndarray, "height width"]:
    """The darkest of all channels of all pixels around each (K. He, J. Sun, X. Tang, 2009)."""
    return _least_around(image.min(axis=2), DARK)


def _least_around(
    plane: Float[np.ndarray, "height width"], reach: int
) -> Float[np.ndarray, "height width"]:
    """The least value of a square of 2 * reach + 1 around each, within the plane."""
    framed = np.pad(plane, reach, "edge")
    for axis in (0, 1):
        size = plane.shape[axis]
        steps = (framed.take(range(start, start + size), axis) for start in range(2 * reach + 1))
        framed = reduce(np.minimum, steps)
    return framed


def _most_around(cells: Cells, reach: int) -> Cells:
    return -_least_around(-cells, reach)


def _most_of_cells(plane: Float64[np.ndarray, "height width"]) -> Cells:
    """The largest value of every 4x4 pixels."""
    height, width = -(-plane.shape[0] // CELL), -(-plane.shape[1] // CELL)
    fill = ((0, height * CELL - plane.shape[0]), (0, width * CELL - plane.shape[1]))
    whole = np.pad(plane, fill, "edge").astype(np.float32)
    return whole.reshape(height, CELL, width, CELL).max(axis=(1, 3))
