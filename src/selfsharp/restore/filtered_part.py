"""What a program's Gaussian filter has blurred of a found part, without what is soft beside it.

Soft places that hang together with it hide what it is: the mean spectrum of both is no Gaussian's.
The blocks that one Gaussian explains best, each by itself, tell where it was applied. What was not
filtered after all tells when the filter is undone: it rings.
"""

from itertools import product

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.deconvolve import divide_plane
from selfsharp.blur.gaussian_blocks import SIDE, GaussianBlocks, find_gaussian_blocks
from selfsharp.blur.psf import Psf
from selfsharp.blur.regions import dilated
from selfsharp.blur.scatter import CAREFUL
from selfsharp.blur.sharpness import CELL, means_of_cells
from selfsharp.blur.spectrum import derivatives
from selfsharp.image import AnyImage, Plane, grey_of
from selfsharp.restore.fit import LEAST, round_blur_of
from selfsharp.restore.judgement import is_filter
from selfsharp.restore.partition import Partition, narrowed, opened, smoothed
from selfsharp.restore.windows import Window, counted_from

Cells = Float32[np.ndarray, "cell_rows cell_columns"]
DECIDED = 10.0
"""Margin from which a block's vote counts in full."""
FAR = SIDE / CELL / 2
"""Standard deviation in cells of how far a block's vote is carried; half a block."""
NARROW = 3
"""Reach in cells of what is too narrow to be a part."""
RIM = 3
"""Reach in cells of what belongs to it as well: no block lies half beyond what was filtered."""
RINGING = 2.25
"""By how many times more than in the middle of the core gradients may grow where a filter is
undone. Of 8,033 squares of 68 held-out photos that were filtered two in a thousand are over it. Of
76 such photos eight are changed by it: six gain .3 to 1.1 dB, and two lose .02 and .03; with 1.75
it would be 22, of which nine would lose .05 to 1.1 dB."""
AROUND = 4.0
"""Standard deviation in cells of the mean that growth is measured by."""
SQUARE = 1024
"""Side in pixels of what is undone at a time to see it."""
FAINT = 1e-4
"""Gradients that are hardly there, which may grow as they like."""


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
    there = cells[_in_cells(window)]
    there[:] = _votes(blocks, there.shape)
    part = narrowed(parts, dilated(opened(cells > 0, NARROW), RIM), parts.certainty)
    if np.count_nonzero(part.core) < LEAST:
        return parts
    found = round_blur_of(image, part)
    return part if found is not None and is_filter(found) else parts


def without_ringing(image: AnyImage, parts: Partition, psf: Psf) -> Partition:
    """A filtered part without places that ring once the filter is undone; or the very part.

    Args:
        image: RGB in 0..1.
        parts: what is to be undone.
        psf: the filter's.
    """
    box = _around(parts.gate > 0)
    growth, core = _growth(image, parts, psf, box), parts.core[box][::CELL, ::CELL]
    if not core.any():
        return parts
    rings = dilated(opened(growth > RINGING * np.median(growth[core]), NARROW), RIM)
    if not rings.any():
        return parts
    left = parts.gate[::CELL, ::CELL] > 0
    left[_in_cells(box)] &= ~rings
    return narrowed(parts, left, parts.certainty)


def _growth(image: AnyImage, parts: Partition, psf: Psf, box: Window) -> Cells:
    """By how many times gradients around each cell of a box grow where a filter is undone.

    Square by square, so that memory is bounded whatever the size of the part.
    """
    margin = CELL * psf.shape[0]
    rows, columns = (range(side.start, side.stop, SQUARE) for side in box)
    growth = np.zeros([-(-(side.stop - side.start) // CELL) for side in box], np.float32)
    for corner in product(rows, columns):
        sides = list(zip(corner, box, strict=True))
        top, left = (slice(at, min(at + SQUARE, side.stop)) for at, side in sides)
        above, beside = (
            slice(max(side.start, at - margin), min(side.stop, at + SQUARE + margin))
            for at, side in sides
        )
        square, seen = (top, left), (above, beside)
        grey, gate = grey_of(image[seen]), parts.gate_in(seen)
        before, after = (
            _strength(plane, gate) for plane in (grey, divide_plane(grey, gate, psf, CAREFUL))
        )
        grown = after / (before + FAINT)
        growth[_in_cells(counted_from(square, box))] = grown[_in_cells(counted_from(square, seen))]
    return growth


def _in_cells(window: Window) -> Window:
    """A window that begins with a whole cell, counted in cells."""
    rows, columns = (slice(side.start // CELL, -(-side.stop // CELL)) for side in window)
    return rows, columns


def _strength(plane: Plane, gate: Plane) -> Cells:
    """How strong gradients are around each cell of a part (RMS)."""
    power = sum(slopes**2 for slopes in derivatives(plane)) * gate
    mean, share = (smoothed(means_of_cells(one), AROUND) for one in (power, gate))
    return np.sqrt(mean / (share + np.float32(1e-6)))


def _votes(blocks: GaussianBlocks, shape: tuple[int, ...]) -> Plane:
    """For and against the filter, cell by cell: over 0 where blocks close by speak for it."""
    votes = np.zeros(shape, np.float32)
    for (row, column), margin in zip(blocks.corners, blocks.margins, strict=True):
        rows, columns = (slice(at // CELL, (at + SIDE) // CELL) for at in (row, column))
        votes[rows, columns] += np.float32(np.clip(margin / DECIDED, -1, 1))
    return smoothed(votes, FAR)


def _around(inside: np.ndarray) -> Window:
    """The bounding box of what is inside; it begins with a whole cell."""
    sides = []
    for axis in (1, 0):
        places = np.flatnonzero(inside.any(axis=axis))
        sides.append(slice(int(places[0]) // CELL * CELL, int(places[-1]) + 1))
    return sides[0], sides[1]
