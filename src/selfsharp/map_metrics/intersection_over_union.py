"""Intersection over union of a found mask and the true one."""

from selfsharp.map_metrics._agreement import Found, Mask, compare
from selfsharp.region import Region


def measure(
    found: Found, true: Mask, region: Region | None = None, threshold: float = 0.5
) -> float:
    """What is found and blurred over what is found or blurred, from 0 to 1.

    1 where nothing is blurred and nothing was found.

    Source: P. Jaccard, 1912, doi:10.1111/j.1469-8137.1912.tb05611.x.

    Args:
        found: a mask, or a map in 0..1.
        region: the pixels that count, or their weights; all of them alike when None.
        threshold: value of the map from which a pixel is found.

    Raises:
        ValueError: the map leaves 0..1, the threshold is not over 0 and at most 1, the
            region is empty, or a weight is negative or not finite.
    """
    shares = compare(found, true, region, threshold)
    union = shares.hits + shares.false_alarms + shares.misses
    return shares.hits / union if union > 0 else 1.0
