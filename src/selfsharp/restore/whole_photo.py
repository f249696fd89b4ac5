"""Whether a movement that was found in a part of a photo has moved all of it.

Where a whole photo was shaken, sky, walls and water look no more blurred than they always do, and
are not found. But hardly anything there looks sharp, and the path of the rest, undone, fits.
"""

import numpy as np

from selfsharp.blur.fullest_window import fullest_window
from selfsharp.blur.misfit import misfit
from selfsharp.blur.psf import Psf
from selfsharp.blur.regions import dilated, eroded
from selfsharp.blur.sharpness import CELL, FLAT
from selfsharp.image import AnyImage, grey_of
from selfsharp.restore.detect import Findings
from selfsharp.restore.partition import Partition, smoothed

NEAR = 6
"""Reach in cells of what is too close to a blurred part to be asked."""
DISTINCT = 2 * FLAT
"""Structure of a cell from which it would look sharp, if it was."""
SHARP = 0.3
"""Probability of blur under which a cell is sharp."""
LITTLE, SOME = 0.004, 0.15
"""Share of a photo that may look sharp although it was moved: without being asked, and at most. Of
75 held-out photos shaken as a whole, of 38 of which less than nine tenths are found, 69 have no
more than the first and none has more than .1; of as many shaken in a blob of 30 %, one has no more
than the first, and 99 % of that is found."""
APART = 16
"""Pixels around a blurred part that are not asked whether its path fits them."""
FITS = 0.05
"""How badly the path may fit there: what is sharp rings. Of those six photos with more than
`LITTLE` the worst has .041; of 16 shaken in part, by a path beyond doubt, the best has .142."""


def moved_as_a_whole(image: AnyImage, found: Findings, parts: Partition, psf: Psf) -> bool:
    """Whether all of a photo was moved along the path of its blurred part.

    Args:
        image: RGB in 0..1.
        found: what the detector sees.
        parts: the blurred part.
        psf: the path, beyond doubt.
    """
    share = share_sharp(found, parts)
    return share <= LITTLE or (share <= SOME and misfit_off(image, parts, psf) <= FITS)


def share_sharp(found: Findings, parts: Partition) -> float:
    """The share of a photo that is off its blurred part, and plainly sharp.

    Args:
        found: what the detector sees.
        parts: the blurred part.
    """
    far = ~dilated(parts.gate[::CELL, ::CELL] > 0, NEAR)
    sharp = far & (found.structure > DISTINCT) & (smoothed(found.probability, 1.5) < SHARP)
    return float(np.count_nonzero(sharp) / sharp.size)


def misfit_off(image: AnyImage, parts: Partition, psf: Psf) -> float:
    """How badly a path fits off the part that it was estimated of; 0 where nothing is to be told.

    Args:
        image: RGB in 0..1.
        parts: the blurred part.
        psf: its path.
    """
    rest = eroded(parts.gate == 0, APART)
    if not rest.any():
        return 0.0
    window = fullest_window(rest)
    grey = grey_of(image[window])
    return misfit(grey, np.ones_like(grey), rest[window].astype(np.float32), psf)
