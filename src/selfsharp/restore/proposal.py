"""Physics proposes: what undoing the estimated PSFs makes of a tile."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.deconvolve import divide, divide_ways
from selfsharp.blur.estimate import SIZE, Estimate
from selfsharp.blur.psf import Psf
from selfsharp.image import Image, Plane
from selfsharp.restore.partition import Partition
from selfsharp.restore.tiles import Tile

Proposals = Float32[np.ndarray, "rows columns 6"]
"""What two PSFs make of an image, each in three channels."""

DAMPINGS = ((0.01,), (0.02, 0.004))
"""How the two are made: one careful, one that gives more back where its PSF is right."""
REACH = 40
"""Pixels around what is kept of a tile that its proposals are made from, beside a PSF's side."""


def propose(image: Image, gate: Plane, both: tuple[Psf, Psf], threads: int = 1) -> Proposals:
    """What two estimates of a PSF make of an image."""
    if np.array_equal(*both):
        return np.concatenate(divide_ways(image, gate, both[0], DAMPINGS), axis=2)
    with ThreadPoolExecutor(min(threads, len(both))) as pool:
        offers = list(pool.map(partial(divide, image, gate), both, DAMPINGS))
    return np.concatenate(offers, axis=2)


def middle(proposals: Proposals) -> Image:
    """The mean of two proposals."""
    return (proposals[:, :, :3] + proposals[:, :, 3:]) / 2


def undo(
    image: Image, parts: Partition, tile: Tile, estimate: Estimate | None, threads: int = 1
) -> Proposals:
    """What the two PSFs of an estimate make of all that a tile sees; without one, the tile."""
    if estimate is None:
        return np.concatenate([image[tile.seen]] * 2, axis=2)
    reach = REACH + max(SIZE, estimate.psf.shape[0])
    wider = tile.widened(reach, image.shape[0], image.shape[1])
    seen, gate = image[wider.seen], parts.gate[wider.seen]
    corner = wider.seen[0].start, wider.seen[1].start
    inner = tuple(
        slice(narrow.start - wide.start, narrow.stop - wide.start)
        for narrow, wide in zip(tile.seen, wider.seen, strict=True)
    )
    if estimate.field is None:
        return propose(seen, gate, estimate.both, threads)[inner]

    def undo_one(seen: Image, gate: Plane, psf: Psf) -> Proposals:
        return propose(seen, gate, (psf, psf), threads)

    return estimate.field.undone(seen, gate, corner, reach, undo_one)[inner]
