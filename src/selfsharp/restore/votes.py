"""Where in a part the spectra of its blocks speak for the path that was estimated of it."""

import numpy as np
from jaxtyping import Bool

from selfsharp.blur.path_blocks import SIDE, find_path_blocks
from selfsharp.blur.psf import Psf
from selfsharp.blur.sharpness import CELL
from selfsharp.image import Image, grey_of
from selfsharp.restore.partition import Partition, opened, smoothed

NARROW = 3
"""Reach in cells of bridges that do not make two pieces one, and of what is too narrow for one."""
DECIDED = 100.0
"""Margin from which a block's vote counts in full."""
FAR = SIDE / CELL / 2
"""Standard deviation in cells of how far a block's vote is carried; half a block."""
MUCH = 0.3
"""Share of a part that blocks have to speak against, to count: single ones err."""

Cells = Bool[np.ndarray, "cell_rows cell_columns"]


def speaking_cells(image: Image, parts: Partition, psf: Psf) -> tuple[Cells, Cells]:
    """The cells of a part, and those of them around which blocks speak for a path.

    Where there is no block to ask, none speaks against it.

    Args:
        image: RGB in 0..1.
        parts: what is blurred.
        psf: the path that was estimated of it.
    """
    blocks = find_path_blocks(grey_of(image), (parts.gate > 0).astype(np.float32), psf)
    cells = opened(parts.gate[::CELL, ::CELL] > 0, NARROW)
    if not blocks.corners:
        return cells, cells
    votes = np.zeros_like(parts.gate[::CELL, ::CELL])
    for (row, column), margin in zip(blocks.corners, blocks.margins, strict=True):
        rows, columns = (slice(at // CELL, (at + SIDE) // CELL) for at in (row, column))
        votes[rows, columns] += np.float32(np.clip(margin / DECIDED, -1, 1))
    return cells, opened(cells & (smoothed(votes, FAR) > 0), NARROW)


def share_speaking(image: Image, parts: Partition, psf: Psf) -> float:
    """The share of a part around which blocks speak for a path; 1 where there is none to ask."""
    cells, left = speaking_cells(image, parts, psf)
    return float(np.count_nonzero(left) / np.count_nonzero(cells)) if cells.any() else 1.0
