"""Means that stay honest, and how sure they are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DRAWS = 2000
"""Samples with replacement that an interval is made from."""


@dataclass(frozen=True)
class Mean:
    """A mean over photos that stays finite: infinite values are left out, and counted.

    Attributes:
        value: mean of the finite values; infinite when there are none.
        left_out: how many of the values are infinite.
        count: how many values there are.
    """

    value: float
    left_out: int
    count: int

    @property
    def note(self) -> str:
        """What is left out, in brackets; empty when nothing is."""
        if self.left_out == 0:
            return ""
        if self.left_out == self.count:
            return f" (all {self.count})"
        return f" ({self.left_out} of {self.count} infinite, left out)"


def mean_of(values: Sequence[float]) -> Mean:
    """The mean of the finite values among at least one.

    PSNR of equal images is infinite: one of them would hide all the others, and a number
    put in its place would be made up.
    """
    finite = [value for value in values if np.isfinite(value)]
    mean = float(np.mean(finite)) if finite else math.inf
    return Mean(mean, len(values) - len(finite), len(values))


def bootstrap_interval(
    values: Sequence[float], seed: int, share: float = 0.95
) -> tuple[float, float]:
    """Where the mean of photos like these lies with a given probability.

    The photos are drawn anew, with replacement, and the middle share of the means is taken.
    Infinite values are left out, as of a mean; of fewer than two values, both ends are their mean.

    Source: B. Efron, 1979, doi:10.1214/aos/1176344552, percentile interval.
    """
    finite = np.array([value for value in values if np.isfinite(value)])
    if len(finite) < 2:
        mean = mean_of(values).value
        return mean, mean
    drawn = np.random.default_rng(seed).integers(0, len(finite), (DRAWS, len(finite)))
    low, high = np.quantile(finite[drawn].mean(axis=1), [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)


def fit_line(places: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """Slope and start (value at 0) of the line with the least squared error."""
    slope, start = np.polyfit(np.asarray(places, float), np.asarray(values, float), 1)
    return float(slope), float(start)


def gain(after: float, before: float) -> float:
    """The difference in dB; nothing is gained where both are infinite."""
    return 0.0 if after == before else after - before
