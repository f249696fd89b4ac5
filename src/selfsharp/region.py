"""A region: which pixels of a picture count when it is measured, and how much."""

import numpy as np
from jaxtyping import Bool, Float32, Float64

Region = Bool[np.ndarray, "height width"] | Float32[np.ndarray, "height width"]
"""The pixels that count, or how much each of them counts: weights from 0 up, of any scale."""


def mean_over(values: Float64[np.ndarray, "height width"], region: Region | None = None) -> float:
    """The mean of a plane over a region, weighed where the region has weights.

    Args:
        region: the pixels that count; all of them when None.

    Raises:
        ValueError: the region is empty, or a weight is negative or not finite.
    """
    if region is None:
        return float(values.mean())
    counted = pixels_of(region)
    if region.dtype == bool:
        return float(values[counted].mean())
    weights = region[counted].astype(np.float64)
    return float((weights * values[counted]).sum() / weights.sum())


def pixels_of(region: Region) -> Bool[np.ndarray, "height width"]:
    """The pixels of a region that count at all.

    Raises:
        ValueError: the region is empty, or a weight is negative or not finite.
    """
    if region.dtype != bool and not (np.isfinite(region).all() and region.min(initial=0) >= 0):
        wrong = region[np.invert(np.isfinite(region) & (region >= 0))][0]
        raise ValueError(f"a weight of the region is {wrong}; give finite weights from 0 up")
    counted = region > 0
    if not counted.any():
        raise ValueError("the region to measure is empty; give at least one pixel")
    return counted


def weights_of(
    region: Region | None, height: int, width: int
) -> Float64[np.ndarray, "height width"]:
    """How much each pixel of a picture counts, summing to 1.

    Args:
        region: the pixels that count; all of them when None.

    Raises:
        ValueError: the region is empty, or a weight is negative or not finite.
    """
    if region is None:
        return np.full((height, width), 1 / (height * width))
    weights = np.where(pixels_of(region), region, 0).astype(np.float64)
    return weights / weights.sum()
