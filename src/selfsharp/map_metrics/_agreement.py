"""Where a found mask and the true one agree: what the metrics of masks are made of."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from selfsharp.image import Plane
from selfsharp.region import Region, weights_of

Found = Bool[np.ndarray, "height width"] | Plane
"""A mask, or a map from 0 (sharp) to 1 (blurred)."""
Mask = Bool[np.ndarray, "height width"]


@dataclass(frozen=True)
class Agreement:
    """Shares of the region, from 0 to 1.

    Attributes:
        hits: blurred and found.
        false_alarms: found, yet sharp.
        misses: blurred, yet not found.
    """

    hits: float
    false_alarms: float
    misses: float


def compare(found: Found, true: Mask, region: Region | None, threshold: float) -> Agreement:
    """How a map, from a threshold up, agrees with the true mask.

    Raises:
        ValueError: the map leaves 0..1, the threshold is not over 0 and at most 1, the
            region is empty, or a weight is negative or not finite.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold {threshold} is not over 0 and at most 1; try 0.5")
    values, weights = values_of(found), weights_of(region, true.shape[0], true.shape[1])
    # Of one precision with the map: 0.8 as float32 is to be found from 0.8 up.
    blurred = values >= np.float32(threshold)
    return Agreement(
        hits=float(weights[blurred & true].sum()),
        false_alarms=float(weights[blurred & ~true].sum()),
        misses=float(weights[~blurred & true].sum()),
    )


def values_of(found: Found) -> Float64[np.ndarray, "height width"]:
    """The found map as numbers.

    Raises:
        ValueError: the map leaves 0..1.
    """
    if found.dtype != bool and not ((found >= 0) & (found <= 1)).all():
        wrong = found[~((found >= 0) & (found <= 1))][0]
        raise ValueError(
            f"a value of the found map is {wrong}, not in 0..1; give a mask or a share, "
            "such as the blur radius over the largest one"
        )
    return found.astype(np.float64)
