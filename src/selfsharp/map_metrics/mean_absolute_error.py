"""Mean absolute error of a found map against the true mask."""

import numpy as np

from selfsharp.map_metrics._agreement import Found, Mask, values_of
from selfsharp.region import Region, mean_over


def measure(found: Found, true: Mask, region: Region | None = None) -> float:
    """Mean of |found - true|, blurred being 1 and sharp 0; from 0 (equal) to 1.

    Source: for maps against masks, F. Perazzi, P. Krähenbühl, Y. Pritch and A. Hornung,
    2012, doi:10.1109/CVPR.2012.6247743.

    Args:
        found: a mask, or a map in 0..1; no threshold is taken.
        region: the pixels that count, or their weights; all of them alike when None.

    Raises:
        ValueError: the map leaves 0..1, the region is empty, or a weight is negative or not
            finite.
    """
    return mean_over(np.abs(values_of(found) - true), region)
