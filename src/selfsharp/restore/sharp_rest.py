"""Whether anything of a photo is sharp beside what was found blurred.

Where a whole photo was shaken, sky, walls and water look no more blurred than they always do, and
are not found. But nothing else there is sharp.
"""

import numpy as np

from selfsharp.blur.regions import dilated
from selfsharp.blur.sharpness import CELL, FLAT
from selfsharp.restore.detect import Findings
from selfsharp.restore.partition import Partition, smoothed

NEAR = 6
"""Reach in cells of what is too close to a blurred part to be asked."""
DISTINCT = 2 * FLAT
"""Structure of a cell from which it would look sharp, if it was."""
SHARP = 0.3
"""Probability of blur under which a cell is sharp."""
LITTLE = 0.004
"""Share of a photo that may look sharp for all that. Of 75 held-out photos shaken as a whole, of 38
of which less than nine tenths are found, 69 have no more, and shaken in a blob of 30 % one, of
which 99 % are found; the next has three times as much."""


def anything_sharp(found: Findings, parts: Partition) -> bool:
    """Whether a photo has plainly sharp places off its blurred part.

    Args:
        found: what the detector sees.
        parts: the blurred part.
    """
    far = ~dilated(parts.gate[::CELL, ::CELL] > 0, NEAR)
    sharp = far & (found.structure > DISTINCT) & (smoothed(found.probability, 1.5) < SHARP)
    return bool(np.count_nonzero(sharp) > LITTLE * sharp.size)
