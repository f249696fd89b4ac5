"""A learnt round of the estimate: from a PSF to a better one, by what a network takes for edges.

The rounds of :mod:`selfsharp.blur.estimate` look for the image with the fewest gradients that a
PSF explains. A network that has seen many PSFs undone, right and wrong, tells sharp edges from
ringing, and which of them to go by; how the PSF follows from them is physics all the same. After
C. J. Schuler, M. Hirsch, S. Harmeling and B. Schölkopf, Learning to Deblur, IEEE TPAMI 2016,
doi:10.1109/TPAMI.2015.2481418.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.blurred_part import BlurredPart
from selfsharp.blur.deconvolve import CONTRAST
from selfsharp.blur.psf import Psf, tidied
from selfsharp.blur.spectrum import back, over, psf_spectrum, slope_power, transform

Planes = Float32[np.ndarray, "channels rows columns"]
Answer = Callable[[Planes], Planes]
"""A network as it runs: what it makes of planes."""
DAMPINGS = (0.02, 0.004)
"""How the PSF so far is undone for the network to see: carefully, and boldly."""
STEADY = 20.0
"""How strongly weak frequencies are held down where the edges tell the PSF."""
LOWEST, HIGHEST = -0.2, 1.2
"""Values of an undone image beyond these are cut off."""
MULTIPLE = 4
"""Rows and columns that the network sees are multiples of this."""
SETTLED = -7.0
"""Disagreement of two learnt rounds from which no other follows: right PSFs are often left as they
are from the third round on. Of 52 held-out parts every fourth is spared some, and gains as much."""
WEAK = 0.02
"""Values of a learnt PSF under this share of the largest are noise."""


@dataclass(frozen=True)
class LearntRound:
    """What makes a better PSF of a PSF, given the two networks that it takes.

    Attributes:
        edges: of the blurred image, two that undo the PSF so far, and the mask, four planes, all
            less 0.5, it makes the sharp image, and how much edges of the sharp and of the blurred
            one count.
        mend: of the PSF that follows from those and the one so far, each over its largest value,
            it makes a better one, of any scale.
    """

    edges: Answer
    mend: Answer

    def __call__(self, part: BlurredPart, psf: Psf) -> Psf:
        """A better PSF of the same size."""
        shape, side = part.given.shape, psf.shape[0]
        blur = psf_spectrum(psf, shape)
        evenly = part.evenly(blur)
        divided = np.conj(blur) * transform(evenly)
        power, prior = np.abs(blur) ** 2, slope_power(shape) + np.float32(CONTRAST)
        undone = [
            np.clip(back(over(divided, power + a * prior), shape), LOWEST, HIGHEST)
            for a in DAMPINGS
        ]
        told = np.stack([part.given, *undone, part.inside]) - np.float32(0.5)
        fill = [(0, 0), *((0, -length % MULTIPLE) for length in shape)]
        found = self.edges(np.pad(told, fill, "edge"))[:, : shape[0], : shape[1]]
        sharp, before, after = found
        weights = part.quotient(sharp, evenly, side, STEADY, before, after)
        pair = [one / np.maximum(one.max(), np.float32(1e-4)) for one in (weights, psf)]
        return tidied(self.mend(np.stack(pair).astype(np.float32))[0], WEAK)


def disagreement(first: Psf, second: Psf) -> float:
    """Logarithm of what two PSFs of one size lack of full correlation, whatever their shift."""
    shape = (2 * first.shape[0], 2 * first.shape[1])
    spectra = [transform(psf, shape) for psf in (first, second)]
    best = float(np.fft.irfft2(spectra[0] * np.conj(spectra[1]), shape).max())
    agreement = best / float(np.sqrt((first**2).sum() * (second**2).sum()))
    return math.log(max(1 - agreement, 1e-4))
