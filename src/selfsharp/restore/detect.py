"""Finds the blur of a photo with the detector's graph."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32
from PIL import Image as PillowImage

from selfsharp.blur.sharpness import CELL, structure
from selfsharp.image import AnyImage, Image, Plane
from selfsharp.restore.runtime import Graph
from selfsharp.restore.side_by_side import side_by_side
from selfsharp.restore.tiles import Grid, Tile, padded, tiles_of, trimmed
from selfsharp.restore.windows import Weights

STRIP = 256
"""Rows of cells that are enlarged at a time: Pillow holds what it enlarges two times."""
MARGIN = 96
"""Pixels around a mask that are looked at, at least: farther than what parts a photo sees."""

LEAST = 384
"""Rows and columns that a detector sees at least: the side of the crops that it has learnt of. What
is blurred all over a window of 112 x 96 px was so with .64, and mirrored on and on with .999."""


@dataclass(frozen=True)
class Findings:
    """What the detector found, for cells of 4x4 pixels.

    Attributes:
        probability: of being blurred, 0..1.
        radius: blur radius in pixels of the photo, if it is blurred.
        structure: how much there is to see; under `FLAT` blur cannot be told.
        seen: probability that a person would call it blurred, flat places and all, told by the
            surroundings; None where the detector does not tell.
    """

    probability: Plane
    radius: Plane
    structure: Plane
    seen: Plane | None = None

    @property
    def apparent(self) -> Plane:
        """What comes closest to what a person would call blurred, 0..1."""
        return self.probability if self.seen is None else self.seen


def find_blur(
    image: AnyImage, detector: Graph, multiple: int, threads: int = 1, mask: Weights | None = None
) -> Findings:
    """Looks at a photo piece by piece, so that memory stays bounded.

    Pieces smaller than what a detector has learnt of are mirrored: it compares what it sees.

    Args:
        image: RGB in 0..1.
        detector: the graph that looks.
        multiple: rows and columns that it takes are multiples of this.
        threads: pieces that are prepared side by side.
        mask: where there is nothing else to ask for, 1; what of a piece lies around it is passed
            over, as if that were sharp.
    """
    height, width = image.shape[:2]
    cells = (-(-height // CELL), -(-width // CELL))
    told, weights, there = np.zeros((3, *cells), np.float32), *np.zeros((2, *cells), np.float32)
    # Steps, ramps and halos are whole cells, so that cells of neighbours coincide.
    grid = Grid(step=1024, ramp=64, halo=96, multiple=multiple)
    whole = tiles_of(height, width, grid)
    tiles = (
        list(whole)
        if mask is None
        else [trimmed(t, mask, grid, MARGIN) for t in whole if mask[t.kept].any()]
    )
    answers = 2

    def look(tile: Tile) -> tuple[Float32[np.ndarray, "_ _ _"], Plane]:
        piece = image[tile.seen]
        return detector(padded(piece, grid.multiple, LEAST)), structure(piece)

    for tile, (found, structured) in zip(tiles, side_by_side(look, tiles, threads), strict=True):
        inner, place = (
            tuple(slice(side.start // CELL, -(-side.stop // CELL)) for side in window)
            for window in (tile.inner, tile.kept)
        )
        weight = tile.weight[::CELL, ::CELL]
        answers = len(found)
        told[:answers, *place] += weight * found[:, *inner]
        weights[place] += weight
        # Halos are wider than what structure is told by, so that neighbours agree.
        there[place] = structured[inner]
    looked = weights > 0
    probability = _logistic(told[0]) * looked
    seen = _logistic(told[2]) * looked if answers > 2 else None
    return Findings(probability, np.maximum(told[1], 0), there, seen)


def look_mirrored(
    found: Findings, image: Image, detector: Graph, multiple: int, threads: int = 1
) -> Findings:
    """What a person would call blurred, told by the photo's mirror images as well: the mean.

    A photo mirrored or stood on its head is blurred in the same places. What is told of those two
    errs elsewhere in part: on 48 held-out photos with masks made by hand the mean absolute error
    falls from .094 to .089.

    Args:
        found: what was told of the image as it is.
        image: RGB in 0..1.
        detector: the graph that tells; it has to tell what is seen.
        multiple: rows and columns that it takes are multiples of this.
        threads: pieces that are prepared side by side.
    """
    assert found.seen is not None
    seen = found.seen.copy()
    # Cells are whole in the mirror images as well.
    fill = [(0, -side % CELL) for side in image.shape[:2]]
    whole = np.pad(image, (*fill, (0, 0)), "symmetric")
    for axis in (0, 1):
        mirrored = np.ascontiguousarray(np.flip(whole, axis))
        told = find_blur(mirrored, detector, multiple, threads).seen
        assert told is not None
        seen += np.flip(told, axis)
    return replace(found, seen=seen / np.float32(3))


def _logistic(logit: Plane) -> Plane:
    # Beyond 80 a probability is 0 or 1 already, and exp would overflow.
    return 1 / (1 + np.exp(-np.clip(logit, -80, 80)))


def enlarged(
    cells: Float32[np.ndarray, "cell_rows cell_columns"], height: int, width: int
) -> Plane:
    """A plane of cells at the photo's size, bilinear; an array of its own."""
    whole = np.empty((height, width), np.float32)
    for start in range(0, cells.shape[0], STRIP):
        # A row of pixels is a mean of two rows of cells; with one more, strips join as one.
        first = max(0, start - 2)
        some = cells[first : start + STRIP + 2]
        size = (some.shape[1] * CELL, some.shape[0] * CELL)
        large = PillowImage.fromarray(some).resize(size, PillowImage.Resampling.BILINEAR)
        rows = whole[start * CELL : (start + STRIP) * CELL]
        offset = (start - first) * CELL
        rows[:] = np.asarray(large)[offset : offset + len(rows), :width]
    return whole
