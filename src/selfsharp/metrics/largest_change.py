"""Largest change of any channel of any pixel, in grey levels of 8 bit."""

import numpy as np

from selfsharp.image import Image, quantize
from selfsharp.region import Region, pixels_of

REACH = 0
"""Pixels around a pixel that count with it."""


def measure(restored: Image, sharp: Image, region: Region | None = None) -> float:
    """The largest |restored - sharp| over all three channels, 0..255; 0 when equal.

    Args:
        restored: RGB in 0..1; both images are rounded to 8 bit first, as files are.
        region: the pixels that count; all of them when None. Of weights only matters
            whether they are over 0: a maximum has no shares.

    Raises:
        ValueError: the region is empty, or a weight is negative or not finite.
    """
    change = np.abs(quantize(restored).astype(np.int16) - quantize(sharp)).max(axis=2)
    return float(change.max() if region is None else change[pixels_of(region)].max())
