"""Tiles: the pieces in which a photo goes through a graph, and how they join without seams.

Tiles lie on a grid. Neighbours overlap by a ramp in which one fades out as the other fades
in, so that their weights add up to 1 everywhere; around that lies a halo, which a graph
sees and whose result is thrown away.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32

from selfsharp.image import Plane
from selfsharp.restore.windows import Weights, Window, counted_from, widened

FEW = 40
"""Tiles under which they are worked on in squares of four by four rather than in pairs."""
LITTLE, NEAR = 16, 40
"""Tiles up to which no effort is spared, and the widest halo of more of them, in pixels. What a
generator of four scales sees beyond that changes single pixels, and would take half as long again.
"""
Residual = Float32[np.ndarray, "rows columns 3"]
"""What is to be added to all that a tile sees."""
Ramp = Float32[np.ndarray, "_"]
"""How much each row, or each column, of what is kept of a tile counts."""


@dataclass(frozen=True)
class Grid:
    """How a photo is parted into tiles.

    Attributes:
        step: distance between tiles in pixels.
        ramp: width of the overlap with a neighbour; even.
        halo: pixels seen around a tile.
        multiple: what a graph wants sizes to be multiples of.
    """

    step: int
    ramp: int
    halo: int
    multiple: int

    def seeing(self, halo: int) -> "Grid":
        """The grid with another halo, and as much more as has tiles begin at multiples."""
        return replace(self, halo=halo + -(halo + self.ramp // 2) % self.multiple)


@dataclass(frozen=True)
class Tile:
    """One piece of a photo.

    Attributes:
        seen: the window that a graph sees, halo included.
        kept: the window whose result is used.
        ramps: how much the tile counts in the rows and in the columns of `kept`.
    """

    seen: Window
    kept: Window
    ramps: tuple[Ramp, Ramp]

    @property
    def weight(self) -> Plane:
        """How much the tile counts in `kept`; neighbours' weights add up to 1."""
        down, across = self.ramps
        return down[:, None] * across[None, :]

    def widened(self, reach: int, height: int, width: int) -> "Tile":
        """The tile, seen with `reach` pixels around what is kept, within the photo."""
        return replace(self, seen=widened(self.kept, reach, height, width))

    @property
    def seen_size(self) -> tuple[int, int]:
        """Height and width of the seen window."""
        rows, columns = self.seen
        return rows.stop - rows.start, columns.stop - columns.start

    @property
    def inner(self) -> Window:
        """The kept window, counted from the corner of the seen one."""
        return counted_from(self.kept, self.seen)


def tiles_of(height: int, width: int, grid: Grid) -> Iterator[Tile]:
    """Every tile of a photo, row by row."""
    for row_seen, row_kept, row_weight in _spans(height, grid):
        for column_seen, column_kept, column_weight in _spans(width, grid):
            yield Tile(
                (row_seen, column_seen),
                (row_kept, column_kept),
                (row_weight, column_weight),
            )


def work_list(gate: Weights, grid: Grid) -> list[Tile]:
    """What there is to restore: of each tile the part around where the gate is open."""
    tiles = tiles_of(gate.shape[0], gate.shape[1], grid)
    return [trimmed(tile, gate, grid) for tile in tiles if gate[tile.kept].any()]


def parted(gate: Weights, grid: Grid, halo: int) -> tuple[Grid, list[Tile]]:
    """How a photo is parted for a generator with such a halo, and what there is to restore.

    Where that is little, tiles see all that tells of what they keep, and their answers are those
    of one whole pass; else no farther than `NEAR`.
    """
    near = grid.seeing(min(halo, NEAR))
    work = work_list(gate, near)
    if halo <= NEAR or len(work) > LITTLE:
        return near, work
    far = grid.seeing(halo)
    return far, work_list(gate, far)


def in_blocks(tiles: Sequence[Tile], grid: Grid) -> list[list[Tile]]:
    """Neighbouring tiles together, since they share their surroundings; full blocks first.

    Many come in pairs side by side. Squares of four by four share more, are undone as in one whole
    pass, and take more memory: in those come few, of a photo that takes less itself. Full blocks
    come first, so that all threads end at about the same time.
    """
    rows, columns = (4, 4) if len(tiles) < FEW else (1, 2)
    blocks: dict[tuple[int, int], list[Tile]] = {}
    for tile in tiles:
        # A tile begins half a ramp before its place, unless it was trimmed.
        row, column = ((side.start + grid.ramp) // grid.step for side in tile.kept)
        blocks.setdefault((row // rows, column // columns), []).append(tile)
    return sorted(blocks.values(), key=len, reverse=True)


def trimmed(tile: Tile, gate: Weights, grid: Grid, margin: int = 0) -> Tile:
    """The tile without its outer rows and columns in which the gate is closed; some of it is not.

    Args:
        margin: pixels around where it is open that the tile keeps, where it has them.
    """
    opened = gate[tile.kept] > 0
    inner = tuple(
        _extent(np.any(opened, axis=axis), kept.start - grid.halo, grid.multiple, margin)
        for axis, kept in zip((1, 0), tile.kept, strict=True)
    )
    kept = tuple(
        slice(whole.start + part.start, whole.start + part.stop)
        for whole, part in zip(tile.kept, inner, strict=True)
    )
    ramps = tile.ramps[0][inner[0]], tile.ramps[1][inner[1]]
    smaller = replace(tile, kept=(kept[0], kept[1]), ramps=ramps)
    return smaller.widened(grid.halo, gate.shape[0], gate.shape[1])


def _extent(filled: Bool[np.ndarray, " length"], offset: int, multiple: int, margin: int) -> slice:
    """From the first to the last place that is filled, and a margin.

    It begins where a graph's coarser scales begin, or at 0: what a tile sees then lies on
    them as the whole photo does.
    """
    places = np.flatnonzero(filled)
    start = int(places[0]) - margin
    start -= (start + offset) % multiple
    return slice(max(0, start), min(len(filled), int(places[-1]) + 1 + margin))


def padded(
    planes: Float32[np.ndarray, "height width channels"], multiple: int, least: int = 1
) -> Float32[np.ndarray, "channels rows columns"]:
    """Planes laid out channels first, mirrored at the end up to the size that a graph wants.

    Args:
        multiple: rows and columns that it takes are multiples of this.
        least: rows and columns that there are to be at least.
    """
    rows, columns = (-(-max(side, least) // multiple) * multiple for side in planes.shape[:2])
    pad = ((0, rows - planes.shape[0]), (0, columns - planes.shape[1]), (0, 0))
    if any(after for _, after in pad):
        planes = np.pad(planes, pad, "symmetric")
    return np.ascontiguousarray(planes.transpose(2, 0, 1))


def _spans(length: int, grid: Grid) -> list[tuple[slice, slice, Ramp]]:
    """Seen and kept spans along one side, and the weights in the kept one."""
    # A last tile narrower than half a step joins the one before it.
    number = max(1, round(length / grid.step))
    half = grid.ramp // 2
    spans = []
    for index in range(number):
        first, last = index == 0, index == number - 1
        start = 0 if first else index * grid.step
        stop = length if last else (index + 1) * grid.step
        low, high = (start if first else start - half), (stop if last else stop + half)
        places = np.arange(low, high, dtype=np.float32) + np.float32(0.5)
        weight = np.ones(high - low, np.float32)
        if not first:
            weight = np.minimum(weight, (places - (start - half)) / np.float32(grid.ramp))
        if not last:
            weight = np.minimum(weight, ((stop + half) - places) / np.float32(grid.ramp))
        seen = slice(max(0, low - grid.halo), min(length, high + grid.halo))
        spans.append((seen, slice(low, high), weight))
    return spans
