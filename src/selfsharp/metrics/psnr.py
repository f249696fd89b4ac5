"""Peak signal-to-noise ratio, RGB at 8 bit, peak 255."""

import math

import numpy as np
from jaxtyping import Bool

from selfsharp.image import Image, quantize

EQUAL = 100.0
"""What equal images score, in dB: a mean over photos has to stay finite."""


def measure(
    restored: Image, sharp: Image, region: Bool[np.ndarray, "height width"] | None = None
) -> float:
    """10 log10(255^2 / MSE) over all three channels, in dB, at most 100.

    Args:
        restored: RGB in 0..1; both images are rounded to 8 bit first, as files are.
        region: the pixels that count; all of them when None.

    Raises:
        ValueError: the region is empty.
    """
    if region is not None and not region.any():
        raise ValueError("the region to measure is empty; give at least one pixel")
    difference = quantize(restored).astype(np.float64) - quantize(sharp)
    squares = difference**2 if region is None else difference[region] ** 2
    error = float(squares.mean())
    return EQUAL if error == 0 else min(EQUAL, 10 * math.log10(255**2 / error))
