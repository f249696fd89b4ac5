"""Where in a part the spectra of its blocks speak for the path that was estimated of it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from selfsharp.blur.path_blocks import SIDE, find_path_blocks
from selfsharp.blur.psf import Psf
from selfsharp.blur.sharpness import CELL
from selfsharp.image import AnyImage, GreyImage
from selfsharp.restore.partition import Partition, opened, smoothed

NARROW = 3
"""Reach in cells of bridges that do not make two pieces one, and of what is too narrow for one."""
DECIDED = 100.0
"""Margin from which a block's vote counts in full."""
FAR = SIDE / CELL / 2
"""Standard deviation in cells of how far a block's vote is carried; half a block."""
MUCH = 0.3
"""Share of a part that has no votes for a path, from which they count: single blocks err."""
PLAINLY_NOT = -0.25
"""Sum of votes under which a place is left alone, however few there are. Of 29 held-out shakes in a
blob that are undone ten have such places: their sharp parts come back at 64 dB instead of 60 in the
mean, and the photos gain .5 dB more; one loses .16."""

Cells = Bool[np.ndarray, "cell_rows cell_columns"]


@dataclass(frozen=True)
class Votes:
    """What the blocks of a part say of a path.

    Attributes:
        cells: those of the part.
        sums: the votes around each cell of the photo, over 0 for the path; None where there is no
            block to ask, and none speaks against it.
    """

    cells: Cells
    sums: Float32[np.ndarray, "cell_rows cell_columns"] | None

    def over(self, least: float) -> Cells:
        """The cells around which more than that is said for the path."""
        if self.sums is None:
            return self.cells
        return opened(self.cells & (self.sums > least), NARROW)

    @property
    def share(self) -> float:
        """The share of the part around which blocks speak for the path; 1 of an empty one."""
        whole = np.count_nonzero(self.cells)
        return float(np.count_nonzero(self.over(0.0)) / whole) if whole else 1.0


def votes_for(image: AnyImage, parts: Partition, psf: Psf) -> Votes:
    """Asks the blocks of a part for a path.

    Args:
        image: RGB in 0..1.
        parts: what is blurred.
        psf: the path that was estimated of it.
    """
    inside = parts.gate > 0
    blocks = find_path_blocks(GreyImage(image), inside, psf)
    cells = opened(parts.gate[::CELL, ::CELL] > 0, NARROW)
    if not blocks.corners:
        return Votes(cells, None)
    votes = np.zeros(cells.shape, np.float32)
    for (row, column), margin in zip(blocks.corners, blocks.margins, strict=True):
        rows, columns = (slice(at // CELL, (at + SIDE) // CELL) for at in (row, column))
        votes[rows, columns] += np.float32(np.clip(margin / DECIDED, -1, 1))
    return Votes(cells, smoothed(votes, FAR))
