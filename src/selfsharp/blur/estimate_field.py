"""Estimates how a PSF differs from place to place, as where a camera was turned in the hand.

Blind estimates need a large part; a learnt round needs much less, once it has a PSF to set out
from. So the PSF of the whole part is made better in overlapping cells, each by its own pixels.
"""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
from jaxtyping import Bool

from selfsharp.blur.blurred_part import BlurredPart
from selfsharp.blur.deconvolve import divide_plane
from selfsharp.blur.estimate import TELLING
from selfsharp.blur.learnt_round import LearntRound
from selfsharp.blur.misfit import gathered
from selfsharp.blur.psf import Psf, tidied
from selfsharp.blur.psf_field import PsfField
from selfsharp.blur.scatter import CAREFUL
from selfsharp.blur.sharpness import structure_over_noise
from selfsharp.image import AnyGrey, Plane

CELL, STEP = 320, 192
"""Side of a cell, and distance between the middles of two, in pixels."""
MOST = 12
"""Cells at most, so that the time is bounded; in a larger part they lie further apart."""
ROUNDS = 3
"""Learnt rounds in each cell; each is averaged with what it sets out from."""
LEAST = 128**2
"""Pixels of the part that a cell needs; else it keeps the PSF of the whole part."""


def estimate_field(
    grey: AnyGrey,
    core: Bool[np.ndarray, "height width"],
    psf: Psf,
    learnt: LearntRound,
    within: tuple[slice, slice],
    threads: int = 1,
) -> PsfField | None:
    """The PSFs of a part, cell by cell; None where one explains it as well, or it is too small.

    Args:
        grey: mean of the channels, 0..1.
        core: where it is blurred for certain.
        psf: of the whole part, to set out from and to fall back to.
        learnt: what makes a better PSF of one.
        within: window in which both are compared.
        threads: cells that are looked at side by side.
    """
    rows, columns = _grid(core)
    if len(rows) * len(columns) == 1:
        return None

    cells = _in_cells(grey, core, psf, learnt, rows, columns, threads)
    found = [psf if own is None else own for own in cells]
    width = len(columns)
    lines = tuple(tuple(found[start : start + width]) for start in range(0, len(found), width))
    field = PsfField(tuple(rows), tuple(columns), lines)
    seen, inside = grey[within], core[within].astype(np.float32)
    one = divide_plane(seen, inside, psf, CAREFUL)
    other = undo_field(seen, inside, field, (within[0].start, within[1].start))
    return field if gathered(seen, one, other, inside, psf.shape[0] // 2) < 0 else None


def _in_cells(
    grey: AnyGrey,
    core: Bool[np.ndarray, "height width"],
    psf: Psf,
    learnt: LearntRound,
    rows: Sequence[float],
    columns: Sequence[float],
    threads: int,
) -> list[Psf | None]:
    """The PSF made better in each cell, row by row; None in those with too little to tell one."""

    def better(middle: tuple[float, float]) -> Psf | None:
        window = _cell(middle, grey.shape)
        inside = core[window].astype(np.float32)
        if np.count_nonzero(inside) < LEAST or structure_over_noise(grey[window], inside) < TELLING:
            return None
        part, found = BlurredPart.of(grey[window], inside, psf.shape[0]), psf
        for _ in range(ROUNDS):
            found = tidied(learnt(part, found) + found, 0.0)
        return found

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(better, product(rows, columns)))


def undo_field(grey: Plane, mask: Plane, field: PsfField, corner: tuple[int, int]) -> Plane:
    """A window of a plane with a field undone, carefully, to be judged by."""

    def undo(plane: Plane, inside: Plane, psf: Psf) -> Plane:
        return divide_plane(plane, inside, psf, CAREFUL)

    return field.undone(grey, mask, corner, 2 * field.psfs[0][0].shape[0], undo)


def _grid(core: Bool[np.ndarray, "height width"]) -> tuple[list[float], list[float]]:
    """Middles of the cells that a part is covered with, by rows and by columns."""
    spans = _span(core, 1), _span(core, 0)
    step = float(STEP)
    while True:
        rows, columns = (_middles(start, stop, step) for start, stop in spans)
        if len(rows) * len(columns) <= MOST:
            return rows, columns
        step *= 1.1


def _span(core: Bool[np.ndarray, "height width"], axis: int) -> tuple[int, int]:
    """From where to where a part reaches, seen along an axis."""
    places = np.flatnonzero(core.any(axis=axis))
    return (int(places[0]), int(places[-1]) + 1) if places.size else (0, 1)


def _middles(start: int, stop: int, step: float) -> list[float]:
    if stop - start <= CELL:
        return [(start + stop) / 2]
    count = math.ceil((stop - start - CELL) / step) + 1
    return [float(place) for place in np.linspace(start + CELL / 2, stop - CELL / 2, count)]


def _cell(middle: tuple[float, float], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The window of a cell, within the photo."""
    windows = []
    for place, length in zip(middle, shape, strict=True):
        start = max(0, min(length - CELL, round(place - CELL / 2)))
        windows.append(slice(start, start + CELL))
    return windows[0], windows[1]
