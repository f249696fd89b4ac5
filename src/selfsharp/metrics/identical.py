"""Share of pixels that came back bit for bit as they went in."""

import numpy as np
from jaxtyping import Bool

from selfsharp.image import Image, quantize


def measure(
    restored: Image, sharp: Image, region: Bool[np.ndarray, "height width"] | None = None
) -> float:
    """Share, 0..1, of the pixels whose three channels are equal at 8 bit.

    Args:
        region: the pixels that count; all of them when None.

    Raises:
        ValueError: the region is empty.
    """
    equal = (quantize(restored) == quantize(sharp)).all(axis=2)
    counted = equal if region is None else equal[region]
    if counted.size == 0:
        raise ValueError("the region to measure is empty; give at least one pixel")
    return float(counted.mean())
