"""Whether one PSF holds all over a part, or in some places of it only."""

import numpy as np
from jaxtyping import Float64

from selfsharp.blur.deconvolve import divide_plane
from selfsharp.blur.psf import Psf
from selfsharp.blur.scatter import CAREFUL, scatter
from selfsharp.blur.spectrum import derivatives
from selfsharp.image import Plane

SIDE = 96
"""Side of the squares that are looked at one by one, in pixels; they overlap by half."""
FILLED = 0.5
"""Share of a square that has to lie in the core."""
WORST = 0.05
"""Share of the squares that may fit worse than what counts: the largest of so many would be the
larger, the larger the part is."""
TELLING = 0.25
"""Gradients, as a share of the middle square's, under which a square tells nothing."""


def misfit(grey: Plane, mask: Plane, core: np.ndarray, psf: Psf) -> float:
    """How much an undone PSF spreads gradients where it fits badly; under 0, it gathers them.

    Undone where it is right, a PSF gathers gradients in few places; where the blur is another,
    its ringing spreads them. Every square of the part is judged by how scattered its gradients
    are, undone against given. All but the worst `WORST` of them count.

    Args:
        grey: mean of the channels, 0..1.
        mask: 1 where blurred.
        core: where that is certain, off the border.
        psf: how the part may be blurred.

    Returns:
        0 where the part is too small to tell.
    """
    return misfit_undone(grey, divide_plane(grey, mask, psf, CAREFUL), core, psf.shape[0] // 2)


def misfit_undone(grey: Plane, undone: Plane, core: np.ndarray, rim: int) -> float:
    """:func:`misfit` of whatever was undone.

    Args:
        undone: what undoing made of `grey`.
        rim: pixels along the planes' edges that do not count.
    """
    spreads = _telling_spreads(grey, undone, core, rim)
    return float(np.quantile(spreads, 1 - WORST)) if spreads.size > 1 else 0.0


def mean_misfit(grey: Plane, core: Plane, psf: Psf) -> float:
    """:func:`misfit` in the mean over the squares of a part, not in the worst of them.

    Args:
        core: 1 where blurred for certain; it is undone there alone.
    """
    undone = divide_plane(grey, core, psf, CAREFUL)
    spreads = _telling_spreads(grey, undone, core, psf.shape[0] // 2)
    return float(spreads.mean()) if spreads.size else 0.0


def _telling_spreads(
    grey: Plane, undone: Plane, core: np.ndarray, rim: int
) -> Float64[np.ndarray, " squares"]:
    """How much more scattered gradients are in each square that has enough of them."""
    spreads, sizes = _squares(grey, undone, core, rim)
    return spreads[sizes >= TELLING * np.median(sizes)] if sizes.size else spreads


def gathered(grey: Plane, one: Plane, other: Plane, core: np.ndarray, rim: int) -> float:
    """By how much less another undone plane gathers gradients than one does; under 0, it does more.

    The mean over squares, by the size of their gradients; 0 where the part is too small to tell.
    """
    both = [_squares(grey, undone, core, rim) for undone in (one, other)]
    sizes = both[0][1]
    if not sizes.size:
        return 0.0
    return float(((both[1][0] - both[0][0]) * sizes).sum() / sizes.sum())


def _squares(
    grey: Plane, undone: Plane, core: np.ndarray, rim: int
) -> tuple[Float64[np.ndarray, " squares"], Float64[np.ndarray, " squares"]]:
    """How much more scattered gradients are in each square of the core, and how large they were."""
    before, after = (np.hypot(*derivatives(plane)) for plane in (grey, undone))
    counted = np.zeros(core.shape, bool)
    inner = tuple(slice(rim, max(rim, side - rim)) for side in core.shape)
    counted[inner] = core[inner] > 0
    spreads, sizes = [], []
    step = SIDE // 2
    for top in range(0, max(1, grey.shape[0] - step), step):
        for left in range(0, max(1, grey.shape[1] - step), step):
            square = slice(top, top + SIDE), slice(left, left + SIDE)
            here = counted[square]
            given, left_over = before[square][here], after[square][here]
            if given.size < FILLED * SIDE**2 or not (given.any() and left_over.any()):
                continue
            spreads.append(scatter(left_over) - scatter(given))
            sizes.append(np.sqrt((given**2).mean()))
    return np.array(spreads, np.float64), np.array(sizes, np.float64)
