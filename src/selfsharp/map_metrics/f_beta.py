"""F-measure of a found mask, in which precision counts more than recall."""

from selfsharp.map_metrics._agreement import Found, Mask, compare, values_of
from selfsharp.region import Region, mean_over

BETA_SQUARED = 0.3
"""Weight of recall against precision, as is usual for maps of blur and of saliency."""


def measure(
    found: Found, true: Mask, region: Region | None = None, threshold: float = 0.5
) -> float:
    """(1 + b) precision recall / (b precision + recall) with b = beta^2 = 0.3, from 0 to 1.

    1 where nothing is blurred and nothing was found.

    Source: C. J. van Rijsbergen, 1979; beta^2 = 0.3 as in R. Achanta, S. Hemami, F. Estrada
    and S. Süsstrunk, 2009, doi:10.1109/CVPR.2009.5206596.

    Args:
        found: a mask, or a map in 0..1.
        region: the pixels that count, or their weights; all of them alike when None.
        threshold: value of the map from which a pixel is found, fixed at 0.5 unless given;
            see `adaptive_threshold`, and `largest_f_beta` for the best of all.

    Raises:
        ValueError: the map leaves 0..1, the threshold is not over 0 and at most 1, the
            region is empty, or a weight is negative or not finite.
    """
    shares = compare(found, true, region, threshold)
    # The same in shares, which is defined where precision or recall is not.
    twice = (1 + BETA_SQUARED) * shares.hits
    whole = twice + BETA_SQUARED * shares.misses + shares.false_alarms
    return twice / whole if whole > 0 else 1.0


def precision_and_recall(
    found: Found, true: Mask, region: Region | None = None, threshold: float = 0.5
) -> tuple[float, float]:
    """Share of the found that is blurred, and share of the blurred that is found, each 0..1.

    Precision is 1 where nothing was found, recall is 1 where nothing is blurred.

    Args:
        found: a mask, or a map in 0..1.
        region: the pixels that count, or their weights; all of them alike when None.
        threshold: value of the map from which a pixel is found.

    Raises:
        ValueError: the map leaves 0..1, the threshold is not over 0 and at most 1, the
            region is empty, or a weight is negative or not finite.
    """
    shares = compare(found, true, region, threshold)
    of_found, of_blurred = shares.hits + shares.false_alarms, shares.hits + shares.misses
    return (
        shares.hits / of_found if of_found > 0 else 1.0,
        shares.hits / of_blurred if of_blurred > 0 else 1.0,
    )


def adaptive_threshold(found: Found, region: Region | None = None) -> float:
    """Twice the mean of the map, at most 1; of a map that is 0 throughout, 1.

    Source: R. Achanta, S. Hemami, F. Estrada and S. Süsstrunk, 2009,
    doi:10.1109/CVPR.2009.5206596.

    Raises:
        ValueError: the map leaves 0..1, the region is empty, or a weight is negative or not
            finite.
    """
    twice = 2 * mean_over(values_of(found), region)
    return min(1.0, twice) if twice > 0 else 1.0
