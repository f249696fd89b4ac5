"""A found part that two blurs make up: what was shaken or filtered, and what is soft beside it.

A part is undone by one PSF, which is estimated from all of its core. Where naturally soft places
hang together with it, they spoil the estimate, are undone by a PSF that is not theirs, and make
the check doubt a movement. Their radius is smaller, as a rule plainly so.
"""

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.sharpness import CELL
from selfsharp.restore.detect import Findings
from selfsharp.restore.partition import Partition, narrowed, opened, smoothed

BINS = 24
"""Of the histogram of radii, on a log scale."""
FEW = 200
"""Cells of a core that are too few to part."""
LEAST, RATIO, VALLEY = 0.1, 1.6, 0.5
"""Share of the core that either blur has at least, by what factor their mean radii differ at least,
and how high the valley between them is at most, over the lower of both hills. Of 384 photos out of
focus in part, half of them shaken in a blob and half filtered there, these part 48. In 42 the
heavier blur is the made one (69 to 98 % of what is kept, for 38 to 80 %), in six it is not; the
detector is surer of it than of all that was found in all of the 42, and in one of the six."""
NARROW = 3
"""Reach in cells of what is too narrow to be a part."""


def heavier_part(found: Findings, parts: Partition) -> Partition:
    """The more blurred part of two, where radii fall into two plainly; else the partition as it is.

    Args:
        found: what the detector sees.
        parts: the partition that its findings suggest.
    """
    core = parts.core[::CELL, ::CELL]
    trust = found.probability * (parts.gate[::CELL, ::CELL] > 0)
    radius = (smoothed(trust * found.radius, 3.0) + 1e-3) / (smoothed(trust, 3.0) + 1e-3)
    limit = limit_between(radius[core])
    if limit is None:
        return parts
    heavy = opened((trust > 0) & (radius > limit), NARROW)
    sure = core & heavy
    if not sure.any():
        return parts
    certainty = float(found.probability[sure].mean())
    # What is softer and no surer is softness of the photo's own, and the lighter blur the made one.
    return narrowed(parts, heavy, certainty) if certainty > parts.certainty else parts


def limit_between(radii: Float32[np.ndarray, " cells"]) -> float | None:
    """The radius between two hills of a histogram of radii; None where there is but one."""
    if radii.size < FEW:
        return None
    sizes = np.log(np.maximum(radii, 0.3))
    low, high = np.quantile(sizes, (0.01, 0.99))
    if high - low < np.log(RATIO):
        return None
    counts, edges = np.histogram(sizes, BINS, (low, high))
    hills = np.convolve(counts, np.array([1, 2, 3, 2, 1]) / 9, "same")
    best, limit = VALLEY, None
    for place in range(2, BINS - 2):
        below = hills[:place].sum() / hills.sum()
        depth = hills[place] / min(hills[:place].max(), hills[place + 1 :].max())
        if LEAST <= below <= 1 - LEAST and depth < best:
            best, limit = depth, (edges[place] + edges[place + 1]) / 2
    if limit is None:
        return None
    light, heavy = sizes[sizes <= limit], sizes[sizes > limit]
    return float(np.exp(limit)) if heavy.mean() - light.mean() >= np.log(RATIO) else None
