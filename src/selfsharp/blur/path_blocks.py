"""Blocks of a part that were blurred along one path, among others that are soft by nature.

Where what was shaken hangs together with soft places, every block is asked by itself whether its
power spectrum has the directions of the path that was estimated, or is sooner that of round blur.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float64

from selfsharp.blur.direction import transfer
from selfsharp.blur.kinds import gaussian
from selfsharp.blur.lens import BLOCKS, Mask, block_corners, mean_power
from selfsharp.blur.psf import Psf
from selfsharp.image import AnyGrey

SIDE = BLOCKS[1]
"""Side of a block in pixels."""
MOST = 150
"""Blocks that are looked at, at most; larger parts have them further apart."""
FILLED = 0.95
"""Share of a block that has to lie in the part."""
OTHERS = (0.0, 1.0, 1.7, 3.0, 5.0)
"""Blur radii in pixels of the Gaussians that may explain a block instead; 0 is no blur."""
SLOPE = 2.0
"""Exponent with which the power of a sharp photo falls with frequency."""
TURNS = 12
"""Multiplicative steps in which gain and noise are fitted."""


@dataclass(frozen=True)
class PathBlocks:
    """How well a PSF explains each block of a part.

    Attributes:
        corners: first row and column of each block.
        margins: by how much it explains each better than any round blur does, as a logarithm of
            likelihoods (Whittle 1953, doi:10.1007/BF02590998).
    """

    corners: tuple[tuple[int, int], ...]
    margins: Float64[np.ndarray, " blocks"]


def find_path_blocks(grey: AnyGrey, mask: Mask, psf: Psf) -> PathBlocks:
    """Asks the blocks of a masked part for a PSF.

    Args:
        grey: mean of the channels, 0..1.
        mask: 1 where blurred.
        psf: how that was estimated to be.
    """
    shares = block_corners(mask, SIDE, MOST)
    corners = tuple(corner for corner, share in shares.items() if share >= FILLED)
    if not corners:
        return PathBlocks((), np.zeros(0))
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None])
    # The lowest frequencies hold the blocks' taper, and the corners little but noise.
    used = (frequency >= 2 / SIDE) & (frequency <= 0.5)
    given = np.stack([mean_power(grey, [corner], SIDE)[used] for corner in corners])
    fall = frequency[used] ** -SLOPE
    transfers = [transfer(psf, SIDE), *_others()]
    gaps = [_unlikelihoods(given, one[used] * fall) for one in transfers]
    return PathBlocks(corners, np.min(gaps[1:], axis=0) - gaps[0])


@cache
def _others() -> list[Float64[np.ndarray, "side half"]]:
    """What round blur that may explain a block instead leaves of its power; of `OTHERS`."""
    generator = np.random.default_rng(0)
    return [transfer(gaussian.psf(radius, generator), SIDE) for radius in OTHERS]


def _unlikelihoods(
    given: Float64[np.ndarray, "blocks frequencies"], shape: Float64[np.ndarray, " frequencies"]
) -> Float64[np.ndarray, " blocks"]:
    """Whittle's negative logarithm of each block's likelihood, gain and noise fitted."""
    gain = np.ones((len(given), 1))
    noise = np.maximum(np.quantile(given, 0.1, axis=1), 1e-7)[:, None]
    for _ in range(TURNS):  # Multiplicative steps keep both positive.
        for part, scale in ((shape, gain), (np.ones_like(shape), noise)):
            # Matrix products add up what would else be whole arrays more.
            inverse = 1 / (gain * shape + noise)
            fits = ((inverse * inverse * given) @ part) / (inverse @ part)
            scale *= fits[:, None] ** 0.7
    model = gain * shape + noise
    return (np.log(model) + given / model).sum(1)
