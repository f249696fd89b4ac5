"""Parts a photo into its sharp reference part and its blurred part."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32
from PIL import Image as PillowImage

from selfsharp.blur.regions import dilated, eroded, softened
from selfsharp.blur.sharpness import CELL, FLAT, mean_around, means_of_cells
from selfsharp.image import Image, Plane, grey_of
from selfsharp.restore.detect import Findings, enlarged
from selfsharp.restore.memory import blank, blank_plane, even_plane
from selfsharp.restore.windows import Weights, Window, widened

PLAIN = 0.9
"""Probability from which blur is plain to see."""
SHARP = 0.5
"""Probability of being blurred under which a marked place is taken for sharp. 80 held-out photos of
448 px shaken in part, mask given, gain 2.70 dB in the mean where such places are left out of what
tells the PSF, 2.58 by all that is marked, and 1.86 by what is plainly blurred alone."""
APPARENT = 0.42
"""Probability from which a person would call a place blurred: on 48 held-out photos with masks made
by hand the mean absolute error is least there."""
FEATHER = (3, 3)
"""Reaches in pixels of the two means that make the gate's soft edge, of about 12 px."""
WIDE = 24
"""Cells around a blurred part that are looked at, more than any mean here is wide."""
RIM = 6
"""Pixels along the border of a given mask that its core leaves out."""


@dataclass(frozen=True)
class Partition:
    """Where a photo is to be restored.

    Attributes:
        gate: 0..1; exactly 0 in the reference part.
        radius: blur radius in pixels where the gate is open, else 0; a generator is told it.
        core: what is blurred for certain, off the border; all that is marked but its rim, unless
            some of that is sharp.
        certainty: mean probability of the core, 1 where a user says so.
    """

    gate: Weights
    radius: Weights
    core: Bool[np.ndarray, "height width"]
    certainty: float = 1.0

    def gate_in(self, window: Window) -> Plane:
        """The gate in a window, in full precision."""
        return self.gate[window].astype(np.float32, copy=False)

    @property
    def mean_radius(self) -> float:
        """Mean blur radius of the core in pixels, as far as it is known; 0 where it is not."""
        known = self.radius[self.core & (self.radius > 0)]
        return float(known.mean()) if known.size else 0.0


def part_by_findings(
    found: Findings,
    height: int,
    width: int,
    *,
    threshold: float,
    certain: float,
    least_radius: float,
) -> Partition:
    """The partition that the detector's findings suggest: thresholded, cleaned, feathered.

    Args:
        threshold: probability from which a cell may belong to the blurred part.
        certain: probability that some place in a blurred part has to reach; softness that
            belongs to a photo, as of a background, seldom does.
        least_radius: blur radius in pixels that has to be exceeded.
    """
    probability = smoothed(found.probability, 1.5)
    # A flat place belongs to the blurred part only when it lies close to structure in it.
    near_structure = dilated(found.structure > FLAT, 2)
    likely = (probability > threshold) & near_structure
    # Lone cells are no blurred part: a blur always spans many of them.
    cells = opened(likely & (smoothed(found.radius, 1.5) > least_radius), 3)
    cells = _reached(cells & opened(probability > certain, 1), cells)
    core = cells & eroded(probability > max(threshold, PLAIN), 2)
    sure = core if core.any() else cells
    certainty = float(found.probability[sure].mean()) if sure.any() else 0.0
    if not cells.any():
        return _nothing(height, width, certainty=0.0)
    around = _around(cells)
    window, (rows, columns) = _in_pixels(around, height, width)
    near = enlarged(dilated(cells[around], 1).astype(np.float32), rows, columns) > 0
    inside = near & (enlarged(probability[around], rows, columns) > threshold)
    planes = [softened(inside, *FEATHER)]
    planes.append(_told_radius(_cropped(found, around), cells[around], planes[0]))
    planes.append(by_pixels(core[around], rows, columns) & inside)
    return _laid_out(planes, window, height, width, certainty)


def marked(mask: Plane) -> Partition:
    """The partition that a user's mask asks for, before anyone has looked: no radius is known."""
    height, width = mask.shape
    parts = _nothing(height, width, certainty=1.0)
    # Its first pixel spares most masks the look at all of them.
    if mask.size and mask[0, 0] == 1 and (mask == 1).all():
        gate = even_plane(1.0, height, width, parts.gate.dtype)
        core = even_plane(1.0, height, width, parts.core.dtype)
        return replace(parts, gate=gate, core=core)
    if mask.any():
        window, _ = _in_pixels(_around(mask, CELL), height, width)
        parts.gate[window] = _feathered(mask[window])
        parts.core[window] = core_of(mask[window])
    return parts


def told_by(found: Findings, parts: Partition, looked_at: Window | None = None) -> Partition:
    """A part that a user marks, with what the detector sees of it: its radius, and its core.

    Where the detector has not looked, the core is what is marked, and the radius 0.

    Args:
        looked_at: where the detector has looked, if that is not all that is marked.
    """
    height, width = parts.gate.shape
    if not parts.gate.any():
        return parts
    around = _around(parts.gate, CELL)
    all_of_it, _ = _in_pixels(around, height, width)
    around = around if looked_at is None else _cells_around(looked_at, found.probability.shape)
    window, _ = _in_pixels(around, height, width)
    near, gate = _cropped(found, around), parts.gate_in(window)
    radius, core = blank_plane(height, width), blank(height, width, np.bool_)
    core[all_of_it] = parts.core[all_of_it]
    core[window] = _unlike_sharp(near, parts.core[window])
    radius[window] = _told_radius(near, _cells_of(gate), gate)
    return replace(parts, radius=radius, core=core)


def with_all_of_it(parts: Partition) -> Partition:
    """The partition with all that is to be restored as its core, but for the rim."""
    height, width = parts.gate.shape
    core = blank(height, width, np.bool_)
    if parts.gate.any():
        window, _ = _in_pixels(_around(parts.gate, CELL), height, width)
        core[window] = core_of(parts.gate[window])
    return replace(parts, core=core)


def told_alike(parts: Partition, radius: float) -> Partition:
    """The partition with one and the same blur radius, in pixels, wherever the gate is open."""
    height, width = parts.gate.shape
    opened, alike = parts.gate > 0, blank_plane(height, width)
    if opened.all():
        return replace(parts, radius=even_plane(radius, height, width, alike.dtype))
    alike[opened] = radius
    return replace(parts, radius=alike)


def narrowed(parts: Partition, cells: np.ndarray, certainty: float) -> Partition:
    """What of a blurred part lies in some cells, feathered towards those that it leaves out."""
    height, width = parts.gate.shape
    if not parts.gate.any():
        return _nothing(height, width, certainty=certainty)
    around = _around(parts.gate, CELL)
    window, (rows, columns) = _in_pixels(around, height, width)
    before, inside = parts.gate_in(window), cells[around]
    near = enlarged(dilated(inside, 1).astype(np.float32), rows, columns) > 0
    planes = [softened((before > 0.5) & near, *FEATHER) * (before > 0)]
    planes.append(parts.radius[window] * (planes[0] > 0))
    planes.append(parts.core[window] & by_pixels(inside, rows, columns))
    return _laid_out(planes, window, height, width, certainty)


def opened_everywhere(found: Findings, parts: Partition) -> Partition:
    """All of a photo as its blurred part, with the core of what was found."""
    height, width = parts.gate.shape
    gate = even_plane(1.0, height, width, parts.gate.dtype)
    radius = _told_radius(found, np.ones(found.probability.shape, bool), gate)
    return Partition(gate, radius.astype(gate.dtype, copy=False), parts.core, parts.certainty)


def map_of(found: Findings, height: int, width: int) -> Plane:
    """Blur radius in pixels; 0 where a person would call a photo sharp."""
    blurred = (enlarged(found.apparent, height, width) > APPARENT).astype(np.float32)
    return _told_radius(found, found.apparent > APPARENT, blurred)


def _feathered(mask: Plane) -> Plane:
    """A mask with a soft edge, inwards: where it is 0, the photo stays as it is."""
    if not ((mask == 0) | (mask == 1)).all():
        return mask
    feathered = softened(mask > 0, *FEATHER)
    feathered *= 2
    feathered -= 1
    np.clip(feathered, 0, 1, out=feathered)
    feathered *= mask
    # A mask thinner than its feather would vanish.
    return feathered if feathered.any() else mask


def _cells_of(gate: Plane) -> np.ndarray:
    """The cells in which a gate is open."""
    height, width = gate.shape
    size = (-(-width // CELL), -(-height // CELL))
    return np.asarray(PillowImage.fromarray(gate).resize(size, PillowImage.Resampling.BOX)) > 0


def _unlike_sharp(found: Findings, core: np.ndarray) -> np.ndarray:
    """A core without what a mask drawn too wide has of the sharp part; all, if little is left."""
    sharp = (smoothed(found.probability, 1.5) < SHARP) & (found.structure > FLAT)
    left = core & ~by_pixels(dilated(opened(sharp, 1), 2), *core.shape)
    return left if np.count_nonzero(left) > np.count_nonzero(core) / 4 else core


def _around(filled: np.ndarray, size: int = 1) -> Window:
    """Cells around all that is filled, as far as anything here looks.

    Args:
        filled: a plane of cells, or of parts of them; something is.
        size: how many such parts a cell has along a side.
    """
    sides = []
    for axis in (1, 0):
        places = np.flatnonzero(filled.any(axis=axis)) // size
        last = -(-filled.shape[1 - axis] // size)
        sides.append(slice(max(0, int(places[0]) - WIDE), min(last, int(places[-1]) + 1 + WIDE)))
    return sides[0], sides[1]


def _cells_around(window: Window, shape: tuple[int, int]) -> Window:
    """Cells around a window of pixels, as far as anything here looks.

    Args:
        shape: rows and columns of cells that there are.
    """
    cells = (slice(side.start // CELL, -(-side.stop // CELL)) for side in window)
    rows, columns = cells
    return widened((rows, columns), WIDE, *shape)


def _in_pixels(cells: Window, height: int, width: int) -> tuple[Window, tuple[int, int]]:
    """A window of cells in pixels of the photo, and its height and width."""
    rows, columns = (
        slice(side.start * CELL, min(side.stop * CELL, length))
        for side, length in zip(cells, (height, width), strict=True)
    )
    return (rows, columns), (rows.stop - rows.start, columns.stop - columns.start)


def _cropped(found: Findings, cells: Window) -> Findings:
    return Findings(found.probability[cells], found.radius[cells], found.structure[cells])


def _nothing(height: int, width: int, *, certainty: float) -> Partition:
    """A photo in which nothing is blurred."""
    gate, radius = (blank_plane(height, width) for _ in range(2))
    return Partition(gate, radius, blank(height, width, np.bool_), certainty)


def _laid_out(
    planes: list[np.ndarray], window: Window, height: int, width: int, certainty: float
) -> Partition:
    """The partition of a photo, given that of a window outside of which nothing is blurred.

    Args:
        planes: gate, radius and core; they are handed over, and gone one by one.
        window: where they lie.
        height: the photo's, in pixels.
        width: the photo's, in pixels.
        certainty: the partition's.
    """
    whole = _nothing(height, width, certainty=certainty)
    for plane in (whole.core, whole.radius, whole.gate):
        plane[window] = planes.pop()
    return whole


def core_of(mask: Weights) -> Bool[np.ndarray, "height width"]:
    """What a mask is sure of: the mask without its rim."""
    return eroded(mask > 0.5, RIM)


def by_pixels(cells: np.ndarray, height: int, width: int) -> Bool[np.ndarray, "height width"]:
    """Cells laid out for every pixel."""
    return cells.repeat(CELL, axis=0).repeat(CELL, axis=1)[:height, :width]


def worth(residual: Image, least: float) -> Plane:
    """How far a residual is worth a changed pixel: 0 under `least`, 1 from its double.

    Judged by the mean of its size over about 20 px, so that sky, skin and soft backgrounds,
    in which there is next to nothing to restore, keep every bit of their grain.
    """
    height, width = residual.shape[:2]
    size = means_of_cells(grey_of(np.abs(residual)))
    return enlarged(np.clip(mean_around(size) / max(least, 1e-9) - 1, 0, 1), height, width)


def _told_radius(found: Findings, cells: np.ndarray, gate: Weights) -> Plane:
    """The radius in the blurred part, carried on to where the detector sees none."""
    trust = found.probability * cells
    if not trust.any():
        return np.zeros(gate.shape, np.float32)
    near = smoothed(trust, 6.0) + 1e-3
    mean = float((found.radius * trust).sum() / trust.sum())
    radius = enlarged((smoothed(trust * found.radius, 6.0) + 1e-3 * mean) / near, *gate.shape)
    radius *= gate > 0
    return radius


def smoothed(plane: Plane, sigma: float) -> Plane:
    """A Gaussian of the plane, zero beyond three standard deviations, edges repeated."""
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2).astype(np.float32)
    kernel /= kernel.sum()
    return _along_columns(_along_columns(plane, kernel).T, kernel).T


def _along_columns(plane: Plane, kernel: Float32[np.ndarray, " taps"]) -> Plane:
    """Every column convolved with a kernel, its ends repeated."""
    reach, height = len(kernel) // 2, plane.shape[0]
    rows = np.pad(plane, ((reach, reach), (0, 0)), "edge")
    smoothed = np.zeros_like(plane)
    for start, share in enumerate(kernel):
        smoothed += share * rows[start : start + height]
    return smoothed


def opened(cells: np.ndarray, reach: int) -> np.ndarray:
    """Cells without what is narrower than 2 * reach + 1 of them."""
    return dilated(eroded(cells, reach), reach)


def _reached(seeds: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """The cells that hang together with a seed."""
    while True:
        grown = dilated(seeds, 2) & cells
        if (grown == seeds).all():
            return seeds
        seeds = grown
