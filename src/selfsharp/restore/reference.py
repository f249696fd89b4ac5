"""Self-reference: what the sharp part of a photo knows of its blurred part.

Sharp places that meet the fate of the blurred ones look like what those have become. So keys are
sharp patches *re-blurred* by the estimated PSF and undone again as the blurred part is, queries are
patches of the blurred part undone, and what is carried over from the best keys is the detail that
was lost on the way: just what undoing cannot give back. (Where no PSF is undone, both are compared
as they are blurred.) Undone patches are compared because blur leaves least of what tells places
apart: so found, references explain nearly twice as much of what undoing leaves wrong.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.convolve import convolve
from selfsharp.blur.psf import Psf
from selfsharp.blur.regions import dilated
from selfsharp.blur.sharpness import CELL, means_of_cells
from selfsharp.image import Image, Plane
from selfsharp.restore.patches import Corners, Layout
from selfsharp.restore.proposal import middle, propose
from selfsharp.restore.windows import Window

Codes = Float32[np.ndarray, "patches dimensions"]

DIMENSIONS = 40
"""Numbers that patches are searched by; the best are then compared in full."""
MOST = 60_000
"""Keys at most: where there would be more, they lie further apart, and only the best one's
neighbourhood is then searched pixel by pixel."""
OVERLAP, NEAREST = 4, 3
"""Queries along a patch's side, and their distance in pixels at least."""
QUERIES = 24_000
"""Queries in a photo, about: in a larger part they lie further apart, up to a patch's side."""
REACH = 1024
"""Side in pixels of the part of a photo that is referred to: where most is sharp and close by."""
CLOSE_BY = 256
"""Pixels from the blurred part within which sharp places count as close by."""
FEW = 50
"""Keys under which there is nothing to refer to."""


@dataclass(frozen=True)
class References:
    """The reference part of a photo, encoded once for all of its tiles.

    Attributes:
        origin: first row and column of the window of the photo that was encoded.
        detail: what re-blurring and undoing takes from that window, and the mean of its squares.
        means: for each pixel of it, the mean of the square that begins there, as it is compared.
        keys: first row and column of every key, in the window.
        codes: the keys as they are searched by.
        basis: what a patch is multiplied by to be searched.
        layout: how a patch is sampled.
        step: distance of keys in pixels.
        apart: distance of queries in pixels.
        dealt: whether what is found is dealt out among the queries, which no restoring does: it
            proves that references are of use for what they are like.
    """

    origin: tuple[int, int]
    detail: Float32[np.ndarray, "rows columns 4"]
    means: Image
    keys: Corners
    codes: Codes
    basis: Float32[np.ndarray, "values dimensions"]
    layout: Layout
    step: int
    apart: int
    dealt: bool = False


def encode(
    image: Image, gate: Plane, psf: Psf, both: tuple[Psf, Psf] | None = None
) -> References | None:
    """Encodes the reference part of a photo; None where there is next to none.

    Args:
        image: RGB in 0..1.
        gate: 0 in the reference part.
        psf: how the blurred part is blurred.
        both: what it is undone by; None where it is compared as it is.
    """
    layout, reach = Layout.for_blur(psf), psf.shape[0] // 2
    window = closest(gate)
    within, sharp = image[window], gate[window] == 0
    if min(sharp.shape) < layout.side + 2 * reach:
        return None
    keys, step = _keys(sharp, layout.side, reach)
    if len(keys) < FEW:
        return None
    again = convolve(within, psf)
    if both:
        again = middle(propose(again, np.ones(sharp.shape, np.float32), both))
    means = layout.means(again)
    basis, codes = encoded(layout, means, keys)
    detail = within - again
    detail = np.concatenate([detail, (detail**2).mean(axis=2, keepdims=True)], axis=2)
    origin = window[0].start, window[1].start
    apart = distance_of_queries(gate, layout)
    return References(origin, detail, means, keys, codes, basis, layout, step, apart)


def distance_of_queries(gate: Plane, layout: Layout) -> int:
    """How many pixels lie between queries, so that there are not too many."""
    few = round(float(np.sqrt(np.count_nonzero(gate) / QUERIES)))
    return max(NEAREST, layout.side // OVERLAP, min(few, layout.side))


def encoded(
    layout: Layout, means: Image, keys: Corners
) -> tuple[Float32[np.ndarray, "values dimensions"], Codes]:
    """What patches are multiplied by to be searched, and keys so multiplied."""
    patches = layout.patches(means, keys[:: max(1, len(keys) // 4000)])
    # Where keys differ most: the principal axes, the last ones of the products' matrix.
    basis = np.linalg.eigh(patches.T @ patches)[1][:, -DIMENSIONS:]
    codes = np.concatenate(
        [layout.patches(means, keys[at : at + 8192]) @ basis for at in range(0, len(keys), 8192)]
    )
    return basis, codes


def closest(gate: Plane) -> Window:
    """The window of the photo, at most `REACH` a side, in which most is sharp and close by."""
    height, width = gate.shape
    if max(height, width) <= REACH:
        return slice(0, height), slice(0, width)
    cells = means_of_cells((gate > 0).astype(np.float32))
    useful = (cells == 0) & dilated(cells > 0, CLOSE_BY // CELL)
    spans = []
    for axis, length in ((1, height), (0, width)):
        side = min(length, REACH)
        counts = np.count_nonzero(useful, axis=axis)
        inside = np.convolve(counts, np.ones(side // CELL), "valid")
        start = min(int(inside.argmax()) * CELL, length - side)
        spans.append(slice(start, start + side))
        # The columns are those of the rows chosen.
        useful = useful[start // CELL : (start + side) // CELL]
    return spans[0], spans[1]


def _keys(sharp: np.ndarray, side: int, reach: int) -> tuple[Corners, int]:
    """Corners of the patches that are sharp as far as re-blurring sees, and their distance."""
    sums = np.pad((~sharp).astype(np.int32), ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    wide = side + 2 * reach
    blurred = sums[wide:, wide:] - sums[:-wide, wide:] - sums[wide:, :-wide] + sums[:-wide, :-wide]
    step = 2
    while np.count_nonzero(blurred[::step, ::step] == 0) > MOST:
        step += 1
    corners = np.argwhere(blurred[::step, ::step] == 0) * step + reach
    return corners.astype(np.int32), step
