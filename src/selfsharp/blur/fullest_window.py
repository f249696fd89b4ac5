"""The window of a part that is looked at: all of it, or where a larger one is fullest."""

import numpy as np

from selfsharp.blur.alternation import SIZE
from selfsharp.blur.sharpness import CELL
from selfsharp.raster import Window

LARGEST = 640
"""Side of the window whose spectrum is measured, in pixels."""


def fullest_window(core: np.ndarray, largest: int = LARGEST) -> Window:
    """The bounding box of the core, or the fullest square of it where that is larger.

    It has a margin, and begins with a whole cell.

    Args:
        core: where it is blurred for certain.
        largest: side of that square in pixels.
    """
    sides = []
    for axis in (1, 0):
        filled = np.count_nonzero(core, axis=axis)
        places = np.flatnonzero(filled)
        start, stop = int(places[0]), int(places[-1]) + 1
        if stop - start > largest:
            inside = np.convolve(filled[start:stop], np.ones(largest), "valid")
            start += int(inside.argmax())
            stop = start + largest
        sides.append(with_margin(slice(start, stop)))
    return sides[0], sides[1]


def with_margin(side: slice) -> slice:
    """Rows or columns, and as many beside them as a PSF reaches, beginning with a whole cell."""
    return slice(max(0, side.start - SIZE) // CELL * CELL, side.stop + SIZE)
