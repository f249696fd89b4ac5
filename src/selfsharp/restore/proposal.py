"""Physics proposes: one PSF for the blurred part, where the photo tells it for certain."""

import numpy as np

from selfsharp.blur.deconvolve import deconvolve
from selfsharp.blur.estimate import SIZE, Estimate, estimate_psf
from selfsharp.blur.psf import Psf, blur_radius
from selfsharp.image import Image
from selfsharp.restore.partition import Partition
from selfsharp.restore.tiles import Residual, Tile, Window

LARGEST = 640
"""Side of the window that a PSF is estimated from, in pixels."""
LEAST = 4096
"""Pixels of blurred part that it takes to estimate a PSF."""
CERTAINTY = 0.985
"""Mean probability of a found core; softness that belongs to a photo stays below it."""
AGREEMENT, SPREAD, RADIUS = 0.92, 0.72, 1.5
"""Limits of the check, from held-out photos: what lies outside them makes photos worse.

Two estimates have to agree, the light has to fall on a path rather than on a disc, as it does
for a shake, and the blur has to be worth undoing.
"""


def propose_psf(image: Image, parts: Partition) -> Psf | None:
    """The PSF of the blurred part; None where none can be told for certain."""
    if np.count_nonzero(parts.core) < LEAST or parts.certainty < CERTAINTY:
        return None
    window = _fullest_window(parts.core)
    estimate = estimate_psf(image[window].mean(axis=2), parts.core[window].astype(np.float32))
    return estimate.psf if is_certain(estimate) else None


def is_certain(estimate: Estimate) -> bool:
    """The check: whether undoing the estimated PSF can be expected to gain."""
    return (
        estimate.agreement >= AGREEMENT
        and estimate.spread <= SPREAD
        and blur_radius(estimate.psf) >= RADIUS
    )


def undo(image: Image, parts: Partition, tile: Tile, psf: Psf) -> tuple[Residual, Tile]:
    """The residual that undoes the PSF, and the tile with the window it was seen in."""
    wider = tile.widened(SIZE + 17, image.shape[0], image.shape[1])
    seen = image[wider.seen]
    return deconvolve(seen, parts.gate[wider.seen], psf) - seen, wider


def _fullest_window(core: np.ndarray) -> Window:
    """The bounding box of the core, or the fullest square of it where that is larger."""
    sides = []
    for axis in (1, 0):
        filled = np.count_nonzero(core, axis=axis)
        places = np.flatnonzero(filled)
        start, stop = int(places[0]), int(places[-1]) + 1
        if stop - start > LARGEST:
            inside = np.convolve(filled[start:stop], np.ones(LARGEST), "valid")
            start += int(inside.argmax())
            stop = start + LARGEST
        sides.append(slice(max(0, start - SIZE), stop + SIZE))
    return sides[0], sides[1]
