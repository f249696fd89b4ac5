"""Largest F-measure that any threshold gives a found map."""

import numpy as np

from selfsharp.map_metrics._agreement import Found, Mask, values_of
from selfsharp.map_metrics.f_beta import BETA_SQUARED
from selfsharp.region import Region, weights_of


def measure(found: Found, true: Mask, region: Region | None = None) -> float:
    """The maximum of `f_beta` over thresholds, from 0 to 1: what the order of values can give.

    The thresholds are every value of the map, and one above them all. It does not depend on
    the map's scale, and it flatters: nobody knows the best threshold beforehand. Where
    nothing is blurred it is always 1, as the highest threshold finds nothing; take `f_beta`.

    Source: as of `f_beta`.

    Args:
        found: a mask, or a map in 0..1.
        region: the pixels that count, or their weights; all of them alike when None.

    Raises:
        ValueError: the map leaves 0..1, the region is empty, or a weight is negative or not
            finite.
    """
    weights = weights_of(region, true.shape[0], true.shape[1])
    blurred = (weights * true).sum()
    if blurred == 0:
        return 1.0
    counted = weights > 0
    values, weights, inside = values_of(found)[counted], weights[counted], true[counted]
    order = np.argsort(-values, kind="stable")
    found_so_far = np.cumsum(weights[order])
    hits = np.cumsum((weights * inside)[order])
    # A threshold lies between different values only: equal ones are found together.
    last = np.append(np.diff(values[order]) != 0, True)
    scores = (1 + BETA_SQUARED) * hits / (BETA_SQUARED * blurred + found_so_far)
    return float(min(1.0, scores[last].max()))
