"""Blocks of a part that one Gaussian filter has blurred, among others that are soft by nature.

A program's filter blurs alike wherever it was applied. Where what it blurred hangs together with
soft places, the mean spectrum of both is neither's. So every block is asked by itself how much
better one and the same Gaussian explains it than anything else that is round.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from selfsharp.blur.lens import (
    BLOCKS,
    LARGELY,
    SLOPES,
    Power,
    block_corners,
    mean_power,
    transfers_of,
    unlikelihood,
)
from selfsharp.image import Plane

SIDE = BLOCKS[0]
"""Side of a block in pixels."""
MOST = 100
"""Blocks that are looked at, at most; larger parts have them further apart."""
GAUSSIANS = tuple(np.geomspace(2.5, 20, 24))
"""Blur radii in pixels of the Gaussians that are asked for."""
OTHERS = tuple(np.geomspace(1, 20, 50))
"""Those of the discs that may explain a block instead; their zeros are narrow."""


@dataclass(frozen=True)
class GaussianBlocks:
    """How well one Gaussian explains each block of a part.

    Attributes:
        corners: first row and column of each block.
        radius: the Gaussian's blur radius in pixels: the one that explains most, all together.
        margins: by how much it explains each better than any disc does, or no blur, as a
            logarithm of likelihoods.
    """

    corners: tuple[tuple[int, int], ...]
    radius: float
    margins: Float64[np.ndarray, " blocks"]


def find_gaussian_blocks(grey: Plane, mask: Plane) -> GaussianBlocks | None:
    """Asks the blocks of a masked part for the Gaussian that explains most of them.

    Args:
        grey: mean of the channels, 0..1.
        mask: 1 where blurred for certain.

    Returns:
        None where no block lies largely within the mask.
    """
    shares = block_corners(mask, SIDE, MOST)
    corners = tuple(corner for corner, share in shares.items() if share >= LARGELY)
    if not corners:
        return None
    models = [("gaussian", radius) for radius in GAUSSIANS]
    models += [("defocus", radius) for radius in OTHERS]
    transfers = transfers_of(models, SIDE)
    margins = np.array([_margins(grey, corner, transfers) for corner in corners])
    best = int(np.maximum(margins, 0).sum(0).argmax())
    return GaussianBlocks(corners, float(GAUSSIANS[best]), margins[:, best])


def _margins(
    grey: Plane, corner: tuple[int, int], transfers: Float64[np.ndarray, "models frequencies"]
) -> Float64[np.ndarray, " radii"]:
    """By how much each Gaussian explains a block better than what is none."""
    power = Power(mean_power(grey, [corner], SIDE), 1)
    gaps = np.min([unlikelihood(power, transfers, slope) for slope in SLOPES], axis=0)
    filtered = slice(1, 1 + len(GAUSSIANS))
    return np.delete(gaps, filtered).min() - gaps[filtered]
