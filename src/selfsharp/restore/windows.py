"""Windows: what lies between some rows and some columns of a photo."""

from collections.abc import Sequence

from selfsharp.raster import NOWHERE, Image, Piece, Window

__all__ = ["NOWHERE", "Piece", "Window", "around", "counted_from", "pasted", "widened"]


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


def pasted(image: Image, piece: Piece, window: Window) -> Image:
    """The image with a piece in place of a window of it; the very piece where that is all of it."""
    if piece.shape == image.shape:
        return piece
    whole = image.copy()
    whole[window] = piece
    return whole
