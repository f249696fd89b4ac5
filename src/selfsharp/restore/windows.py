"""Windows: what lies between some rows and some columns of a photo."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from selfsharp.blur.frame import Ends
from selfsharp.raster import NOWHERE, Added, Image, Piece, Window
from selfsharp.raster_image import add_to

__all__ = [
    "NOWHERE",
    "Added",
    "Piece",
    "Weights",
    "Window",
    "around",
    "counted_from",
    "cut_off",
    "plus",
    "widened",
]
Weights = Float[np.ndarray, "height width"]
"""What pixels count, or their blur's radius; of a large photo in half precision."""


def around(windows: Sequence[Window]) -> Window:
    """The window around all of some windows."""
    rows, columns = (
        slice(min(side.start for side in sides), max(side.stop for side in sides))
        for sides in zip(*windows, strict=True)
    )
    return rows, columns


def counted_from(window: Window, other: Window) -> Window:
    """A window, counted from the corner of another that holds it."""
    rows, columns = (
        slice(narrow.start - wide.start, narrow.stop - wide.start)
        for narrow, wide in zip(window, other, strict=True)
    )
    return rows, columns


def widened(window: Window, reach: int, height: int, width: int) -> Window:
    """A window with `reach` pixels more around it, within a photo."""
    rows, columns = (
        slice(max(0, side.start - reach), min(length, side.stop + reach))
        for side, length in zip(window, (height, width), strict=True)
    )
    return rows, columns


def cut_off(window: Window, height: int, width: int) -> Ends:
    """At which ends of a window the photo goes on."""
    rows, columns = (
        (side.start > 0, side.stop < length)
        for side, length in zip(window, (height, width), strict=True)
    )
    return rows, columns


def plus(image: Image, added: Added, window: Window) -> Image:
    """The image with something added in a window."""
    whole = image.copy()
    add_to(whole, (0, 0), added, window)
    return whole
