"""What a program's Gaussian filter has blurred of a found part, without what is soft beside it.

Soft places that hang together with it hide what it is: the mean spectrum of both is no Gaussian's.
The blocks that one Gaussian explains best, each by itself, tell where it was applied.
"""

import numpy as np

from selfsharp.blur.gaussian_blocks import SIDE, GaussianBlocks, find_gaussian_blocks
from selfsharp.blur.regions import dilated
from selfsharp.blur.sharpness import CELL
from selfsharp.image import AnyImage, Plane, grey_of
from selfsharp.restore.fit import LEAST, round_blur_of
from selfsharp.restore.judgement import is_filter
from selfsharp.restore.partition import Partition, narrowed, opened, smoothed
from selfsharp.restore.windows import Window

DECIDED = 10.0
"""Margin from which a block's vote counts in full."""
FAR = SIDE / CELL / 2
"""Standard deviation in cells of how far a block's vote is carried; half a block."""
NARROW = 3
"""Reach in cells of what is too narrow to be a part."""
RIM = 3
"""Reach in cells of what belongs to it as well: no block lies half beyond what was filtered."""


def filtered_part(image: AnyImage, parts: Partition) -> Partition:
    """What of a part was blurred by a filter, if some of it was; else the very partition.

    Of 39 held-out photos that were blurred by a Gaussian of 15.6 px in a blob of 30 % of their
    area, 31 are told as a whole, and three more by this; of 323 photos with soft parts none is.
    """
    if np.count_nonzero(parts.core) < LEAST:
        return parts
    window = _around(parts.core)
    grey, core = grey_of(image[window]), parts.core[window].astype(np.float32)
    blocks = find_gaussian_blocks(grey, core)
    if blocks is None or not (blocks.margins > 0).any():
        return parts
    cells = np.zeros(parts.gate[::CELL, ::CELL].shape, np.float32)
    there = cells[tuple(slice(side.start // CELL, -(-side.stop // CELL)) for side in window)]
    there[:] = _votes(blocks, there.shape)
    part = narrowed(parts, dilated(opened(cells > 0, NARROW), RIM), parts.certainty)
    if np.count_nonzero(part.core) < LEAST:
        return parts
    found = round_blur_of(image, part)
    return part if found is not None and is_filter(found) else parts


def _votes(blocks: GaussianBlocks, shape: tuple[int, ...]) -> Plane:
    """For and against the filter, cell by cell: over 0 where blocks close by speak for it."""
    votes = np.zeros(shape, np.float32)
    for (row, column), margin in zip(blocks.corners, blocks.margins, strict=True):
        rows, columns = (slice(at // CELL, (at + SIDE) // CELL) for at in (row, column))
        votes[rows, columns] += np.float32(np.clip(margin / DECIDED, -1, 1))
    return smoothed(votes, FAR)


def _around(core: np.ndarray) -> Window:
    """The bounding box of a core; it begins with a whole cell."""
    sides = []
    for axis in (1, 0):
        places = np.flatnonzero(core.any(axis=axis))
        sides.append(slice(int(places[0]) // CELL * CELL, int(places[-1]) + 1))
    return sides[0], sides[1]
