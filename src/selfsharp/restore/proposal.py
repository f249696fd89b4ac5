"""Physics proposes: the PSF of the blurred part, estimated twice, and what undoing it gives."""

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.deconvolve import divide
from selfsharp.blur.estimate import SIZE, Estimate, estimate_psf
from selfsharp.blur.psf import Psf, blur_radius
from selfsharp.image import Image, Plane
from selfsharp.restore.partition import Partition
from selfsharp.restore.tiles import Tile, Window

LARGEST = 640
"""Side of the window that a PSF is estimated from, in pixels."""
LEAST = 4096
"""Pixels of blurred part that it takes to estimate a PSF."""
CONFIDENCE = 0.5
"""Probability that the blur is no natural softness, from which its PSF is undone."""
AGREEMENT, RADIUS = 0.5, 1.0
"""Limits of the check: two estimates that differ wholly, or tell of no blur, propose nothing."""
REACH = SIZE + 40
"""Pixels around what is kept of a tile that its proposals are made from."""


def propose_psfs(image: Image, parts: Partition) -> Estimate | None:
    """Two estimates of the PSF of the blurred part; None where it is too small to tell."""
    if np.count_nonzero(parts.core) < LEAST:
        return None
    window = _fullest_window(parts.core)
    estimate = estimate_psf(image[window].mean(axis=2), parts.core[window].astype(np.float32))
    return estimate if is_certain(estimate, parts) else None


def is_certain(estimate: Estimate, parts: Partition) -> bool:
    """The check: whether the proposals of an estimate are worth showing to the generator."""
    return (
        estimate.agreement >= AGREEMENT
        and blur_radius(estimate.psf) >= RADIUS
        and confidence(estimate, parts) >= CONFIDENCE
    )


def confidence(estimate: Estimate, parts: Partition) -> float:
    """Probability that a part was blurred while it was taken, and is not soft by nature.

    A logistic regression on the detector's certainty and on how widely the PSF's light is
    spread (a shake leaves a path, a lens out of focus a disc), fitted to 36 held-out photos
    blurred in part and 40 sharp or naturally soft ones, 32 of them photos that the networks
    were trained on as sharp; left out one by one, it ranks 87 % of their pairs rightly. A
    part that a user gives is blurred.
    """
    if parts.certainty == 1:
        return 1.0
    evidence = 183 * (parts.certainty - 0.975) - 5.93 * estimate.spread + 3.14
    return float(1 / (1 + np.exp(-evidence)))


def propose(
    image: Image, gate: Plane, both: tuple[Psf, Psf]
) -> Float32[np.ndarray, "height width 6"]:
    """What two estimates of a PSF make of an image."""
    return np.concatenate([divide(image, gate, psf) for psf in both], axis=2)


def undo(
    image: Image, parts: Partition, tile: Tile, estimate: Estimate | None
) -> Float32[np.ndarray, "rows columns 6"]:
    """What the two PSFs of an estimate make of all that a tile sees; without one, the tile."""
    if estimate is None:
        return np.concatenate([image[tile.seen]] * 2, axis=2)
    wider = tile.widened(REACH, image.shape[0], image.shape[1])
    seen, gate = image[wider.seen], parts.gate[wider.seen]
    inner = tuple(
        slice(narrow.start - wide.start, narrow.stop - wide.start)
        for narrow, wide in zip(tile.seen, wider.seen, strict=True)
    )
    return propose(seen, gate, estimate.both)[inner]


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
