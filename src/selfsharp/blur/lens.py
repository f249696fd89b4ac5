"""Blur of a lens: told from blur by a movement, and its PSF, by the power spectrum alone.

A movement smears along its path and leaves the frequencies across it, so the spectrum of what
it blurred varies with direction; a lens out of focus blurs alike in all directions, and so does
a Gaussian filter. Of such a round PSF only the radius has to be found.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

import numpy as np
from jaxtyping import Bool, Float64

from selfsharp.blur.kinds import KINDS
from selfsharp.blur.psf import Psf
from selfsharp.image import AnyGrey, Plane

BLOCKS = (128, 64)
"""Sides of the blocks whose spectra are averaged; the smaller ones where the larger do not fit."""
WITHIN, LARGELY = 0.98, 0.8
"""Share of a block that has to be blurred, and that will do for a few where none has as much."""
FEW = 3
"""Blocks that are taken where none lies within the blurred part."""
BAND = (0.03, 0.22)
"""Frequencies, in cycles a pixel, at which directions are compared."""
ROUND = ("gaussian", "defocus")
"""Kinds of blur without direction."""
WIDEST = {"gaussian": 20.5, "defocus": 18.5}
"""Radii in pixels from which round blur is at the end of what is looked for: where nothing round
explains a spectrum, something as wide often does it best, and sooner a disc than a Gaussian."""
SLOPES = (1.7, 2.0, 2.3)
"""Exponents with which the power of a sharp photo may fall with frequency."""

Radial = Float64[np.ndarray, " frequencies"]
Mask = Plane | Bool[np.ndarray, "height width"]
"""A part: 1, or true, where a photo is blurred for certain."""


@dataclass(frozen=True)
class Power:
    """The mean power spectrum of blocks of a blurred part.

    Attributes:
        values: power by frequency, as `numpy.fft.rfft2` lays it out.
        blocks: how many blocks were averaged; they overlap by half.
    """

    values: Float64[np.ndarray, "side half"]
    blocks: int

    @property
    def side(self) -> int:
        """Side of a block in pixels."""
        return self.values.shape[0]


@dataclass(frozen=True)
class RoundBlur:
    """The round PSF that explains a power spectrum best.

    Attributes:
        kind: one of `ROUND`.
        radius: blur radius in pixels.
        evidence: by how much it explains the spectrum better than no blur, as a logarithm of
            likelihoods; 0 and less speak for no blur.
        margin: by how much it explains it better than any of the other kind does.
    """

    kind: str
    radius: float
    evidence: float
    margin: float

    @cached_property
    def psf(self) -> Psf:
        """The PSF of that kind and radius."""
        return _round_psf(self.kind, self.radius)


def measure_power(grey: AnyGrey, mask: Mask) -> Power | None:
    """The power spectrum of the masked part (Welch 1967, doi:10.1109/TAU.1967.1161901).

    Args:
        grey: mean of the channels, 0..1.
        mask: 1 where blurred for certain.

    Returns:
        None where the part is too small or too ragged to hold a block.
    """
    for side in BLOCKS:
        shares = block_corners(mask, side)
        corners = [corner for corner, share in shares.items() if share >= WITHIN]
        if not corners:
            fullest = sorted(shares, key=lambda corner: -shares[corner])[:FEW]
            corners = [corner for corner in fullest if shares[corner] >= LARGELY]
        if corners:
            return Power(mean_power(grey, corners, side), len(corners))
    return None


def unevenness(power: Power) -> float:
    """How much the power varies with direction: about 0.5 for a lens, over 1 for a movement.

    The standard deviation, over directions, of the logarithm of the power at frequencies where
    it stands out of the noise, less what chance alone makes of so few blocks.
    """
    frequency, ring = _frequencies(power.side)
    radial = _radial_mean(power.values)
    values, around = power.values, range(-1, 2)
    near = np.mean([np.roll(values, (y, x), (0, 1)) for y in around for x in around], axis=0)
    floor = float(np.median(radial[-power.side // 6 :]))
    mean = radial[np.minimum(ring, power.side // 2)]
    used = (frequency >= BAND[0]) & (frequency <= BAND[1]) & (mean > 5 * floor)
    if np.count_nonzero(used) < 20:
        return 0.0
    spread = float(np.log(near[used] / mean[used]).var())
    return float(np.sqrt(max(0.0, spread - 0.5 / power.blocks)))


def fit_round_blur(power: Power) -> RoundBlur:
    """The Gaussian or disc that explains a power spectrum best, by Whittle's likelihood.

    The power of a sharp photo falls with a power of the frequency; blurred, it is multiplied
    by the squared spectrum of the PSF, and noise is added (Whittle 1953,
    doi:10.1007/BF02590998).
    """
    # A disc's zeros are narrow: radii further apart would miss the right one.
    best = _best_of(power, np.geomspace(1, 20, 50))
    step = 20 ** (1 / 49)
    return _best_of(power, best.radius * np.geomspace(1 / step, step, 7))


def _best_of(power: Power, radii: np.ndarray) -> RoundBlur:
    names = [(kind, float(radius)) for kind in ROUND for radius in radii]
    transfers = transfers_of(names, power.side)
    gaps = np.min([unlikelihood(power, transfers, slope) for slope in SLOPES], axis=0)
    unblurred, blurred = gaps[0], gaps[1:]
    chosen = int(blurred.argmin())
    kind, radius = names[chosen]
    other = min(gap for gap, name in zip(blurred, names, strict=True) if name[0] != kind)
    least = blurred[chosen]
    return RoundBlur(kind, radius, float(unblurred - least), float(other - least))


def transfers_of(
    models: Sequence[tuple[str, float]], side: int
) -> Float64[np.ndarray, "models frequencies"]:
    """What no blur, and each round PSF by its kind and radius, leaves of the power."""
    return np.stack([np.ones(side // 2 + 1), *(_transfer(*model, side) for model in models)])


def unlikelihood(
    power: Power, transfers: Float64[np.ndarray, "models frequencies"], slope: float
) -> Float64[np.ndarray, " models"]:
    """Whittle's negative logarithm of the likelihood of each model, gain and noise fitted.

    Args:
        transfers: what each model leaves of the power, by whole cycles a block.
        slope: exponent with which the power of the sharp photo falls.
    """
    side = power.side
    use = slice(2, side // 2 + 1)  # The lowest frequencies hold the blocks' taper.
    given = _radial_mean(power.values)[use]
    # Neighbouring frequencies and blocks are not independent: weights are kept in bounds.
    weight = np.minimum(_counts(side)[use], 60.0)
    frequency = np.arange(side // 2 + 1)[use] / side
    shape = transfers[:, use] * frequency**-slope
    gain = np.ones((len(shape), 1))
    noise = np.full_like(gain, max(float(np.quantile(given[side // 3 :], 0.3)), 1e-7))

    def share(model: np.ndarray, part: np.ndarray) -> np.ndarray:
        excess = (weight * part * given / model**2).sum(1) / (weight * part / model).sum(1)
        return excess[:, None] ** 0.7

    for _ in range(25):  # Multiplicative steps keep gain and noise positive.
        gain *= share(gain * shape + noise, shape)
        noise *= share(gain * shape + noise, np.ones_like(shape))
    model = gain * shape + noise
    return (weight * (np.log(model) + given / model)).sum(1)


def block_corners(mask: Mask, side: int, most: int | None = None) -> dict[tuple[int, int], float]:
    """Corners of blocks half a side apart, and how much of each lies within the mask.

    Args:
        mask: 1 in the part.
        side: of a block in pixels.
        most: blocks that there may be where the mask is; fewer lie further apart.
    """
    height, width = mask.shape
    apart = side // 2
    if most is not None:
        many = np.count_nonzero(mask > 0.5) / (most * apart**2)
        apart *= max(1, math.ceil(math.sqrt(many)))
    return {
        (row, column): float(mask[row : row + side, column : column + side].mean())
        for row in range(0, height - side + 1, apart)
        for column in range(0, width - side + 1, apart)
    }


def mean_power(
    grey: AnyGrey, corners: Sequence[tuple[int, int]], side: int
) -> Float64[np.ndarray, "side half"]:
    """The mean power spectrum of blocks, by their corners."""
    taper = np.hanning(side + 2)[1:-1]
    window = np.outer(taper, taper)
    total = np.zeros((side, side // 2 + 1))
    for row, column in corners:
        block = grey[row : row + side, column : column + side].astype(np.float64)
        block -= (block * window).sum() / window.sum()
        total += np.abs(np.fft.rfft2(block * window)) ** 2
    return total / (len(corners) * (window**2).sum())


@cache
def _frequencies(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Of every place in a spectrum: its frequency, and that in whole cycles a block."""
    rows, columns = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
    frequency = np.hypot(rows, columns)
    return frequency, np.rint(frequency * side).astype(int)


@cache
def _counts(side: int) -> np.ndarray:
    """How many places of a spectrum have each whole number of cycles a block."""
    return np.bincount(_frequencies(side)[1].ravel())[: side // 2 + 1].astype(np.float64)


def _radial_mean(values: Float64[np.ndarray, "side half"]) -> Radial:
    """The mean over directions, by whole cycles a block."""
    side = values.shape[0]
    total = np.bincount(_frequencies(side)[1].ravel(), values.ravel())
    return total[: side // 2 + 1] / _counts(side)


@lru_cache(maxsize=256)
def _transfer(kind: str, radius: float, side: int) -> np.ndarray:
    """The squared spectrum of a round PSF, mean over directions."""
    psf = _round_psf(kind, radius)
    off = max(0, -(-(psf.shape[0] - side) // 2))
    inner = psf[off : psf.shape[0] - off, off : psf.shape[1] - off]
    exact = np.abs(np.fft.rfft2(inner, (side, side)).astype(np.complex128)) ** 2
    # The blocks' taper fills zeros from both sides.
    return np.convolve(np.pad(_radial_mean(exact), 1, "edge"), (0.2, 0.6, 0.2), "valid")


def _round_psf(kind: str, radius: float) -> Psf:
    return KINDS.load(kind).psf(radius, np.random.default_rng(0))
