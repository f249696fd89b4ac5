"""Share of pixels that came back bit for bit as they went in."""

import numpy as np

from selfsharp.image import Image, quantize
from selfsharp.region import Region, mean_over

REACH = 0
"""Pixels around a pixel that count with it."""


def measure(restored: Image, sharp: Image, region: Region | None = None) -> float:
    """Share, 0..1, of the pixels whose three channels are equal at 8 bit.

    Args:
        region: the pixels that count, or their weights; all of them alike when None.

    Raises:
        ValueError: the region is empty, or a weight is negative or not finite.
    """
    equal = (quantize(restored) == quantize(sharp)).all(axis=2)
    return mean_over(equal.astype(np.float64), region)
