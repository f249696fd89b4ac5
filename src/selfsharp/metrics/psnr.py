"""Peak signal-to-noise ratio, RGB at 8 bit, peak 255."""

import math

import numpy as np

from selfsharp.image import Image, quantize
from selfsharp.region import Region, mean_over

REACH = 0
"""Pixels around a pixel that count with it."""


def measure(restored: Image, sharp: Image, region: Region | None = None) -> float:
    """10 log10(255^2 / MSE) over all three channels, in dB, from 0 up; infinity when equal.

    Args:
        restored: RGB in 0..1; both images are rounded to 8 bit first, as files are.
        region: the pixels that count, or their weights; all of them alike when None.

    Raises:
        ValueError: the region is empty, or a weight is negative or not finite.
    """
    difference = quantize(restored).astype(np.float64) - quantize(sharp)
    error = mean_over((difference**2).mean(axis=2), region)
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)
