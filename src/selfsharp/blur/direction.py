"""Whether blur has the directions of an estimated PSF: the power spectrum tells, again.

A wrong PSF can be estimated of any soft part, but its spectrum is then not to be found in the
part's own.
"""

import numpy as np
from jaxtyping import Float64

from selfsharp.blur.lens import SLOPES, Power, RoundBlur
from selfsharp.blur.psf import Psf

TAPER = (0.25, 0.5, 0.25)
"""What the blocks' taper makes of a line in the spectrum, along either axis."""
TURNS = 25
"""Multiplicative steps in which gain and noise are fitted."""


def margin_over_round(power: Power, psf: Psf, blur: RoundBlur) -> float:
    """By how much a PSF explains a power spectrum better than round blur does; under 0, worse.

    Args:
        power: of the blurred part.
        psf: how it may be blurred.
        blur: the round blur that explains it best.

    Returns:
        The difference of the logarithms of both likelihoods, by Whittle (1953,
        doi:10.1007/BF02590998), frequency by frequency.
    """
    told, instead = (
        min(_unlikelihood(power, _transfer(one, power.side), slope) for slope in SLOPES)
        for one in (psf, blur.psf)
    )
    return instead - told


def _transfer(psf: Psf, side: int) -> Float64[np.ndarray, "side half"]:
    """The squared spectrum of a PSF as a tapered block of a side shows it."""
    off = max(0, -(-(psf.shape[0] - side) // 2))
    inner = psf[off : psf.shape[0] - off, off : psf.shape[1] - off]
    squared = np.abs(np.fft.fft2(inner.astype(np.float64), (side, side))) ** 2
    for axis in (0, 1):
        squared = np.tensordot(TAPER, [np.roll(squared, step, axis) for step in (-1, 0, 1)], 1)
    return squared[:, : side // 2 + 1]


def _unlikelihood(power: Power, transfer: Float64[np.ndarray, "side half"], slope: float) -> float:
    """Whittle's negative logarithm of the likelihood, gain and noise fitted."""
    side = power.side
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    # The lowest frequencies hold the blocks' taper, and the corners little but noise.
    used = (frequency >= 2 / side) & (frequency <= 0.5)
    given, shape = power.values[used], transfer[used] * frequency[used] ** -slope
    gain, noise = 1.0, max(float(np.quantile(given[frequency[used] > 1 / 3], 0.3)), 1e-7)
    for _ in range(TURNS):  # Multiplicative steps keep both positive.
        gain *= _excess(given, gain * shape + noise, shape)
        noise *= _excess(given, gain * shape + noise, np.ones_like(shape))
    model = gain * shape + noise
    return float((np.log(model) + given / model).sum())


def _excess(given: np.ndarray, model: np.ndarray, part: np.ndarray) -> float:
    """By what a part of a model is to be multiplied so that the model comes closer."""
    return float((part * given / model**2).sum() / (part / model).sum()) ** 0.7
