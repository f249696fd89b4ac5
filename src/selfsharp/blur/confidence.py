"""How probably an estimated PSF is right, as told by what is known without the truth.

Logistic regressions, fitted to held-out parts: of those that are told .8, about eight in ten are.
"""

import math

import numpy as np

from selfsharp.image import Plane

AGREEING = (0.36, 1.13, -12.7)
"""On how the two best estimates agree, as a logarithm, and on their part's pixels, where there is
no learnt round: whether undoing them gains. It ranks 76 % of the pairs of one that does and one
that does not rightly."""
ROUNDLY = (2.6, 1.09, -8.1)
"""The same for round blur, on how far its radius differs from the estimated PSF's: 86 % of 106."""
SETTLING = (1.26, 0.43, -10.1)
"""On how the last two learnt rounds agree and on the part's pixels alone: whether undoing gains, by
239 held-out parts, 87 % of whose pairs it ranks rightly. It does not depend on how the PSF fits."""
STEADY, FIRST, SPREAD, GROWTH, OFFSET = 0.735, 0.86, 14.4, 0.262, -8.82
"""On how the last two learnt rounds agree, and the first one with the search, on the mean misfit of
what they end in, and on the part's pixels: whether a generator that is shown it gains more than
one that is not, as 74 % of 999 held-out parts do, shaken by 6 to 40 px. Rounds leave a right PSF
about as it is, and change a wrong one; a right one, undone, gathers gradients everywhere. It ranks
90 % of their pairs rightly, left out or drawn later; the last rounds and the pixels alone 88 %."""


def gains(fit: tuple[float, float, float], differing: float, mask: Plane) -> float:
    """Probability that undoing an estimate gains, by how far it differs from another.

    Args:
        fit: `AGREEING`, `ROUNDLY` or `SETTLING`, as the other is.
        differing: a logarithm, of what the two do not agree in or of the ratio of their radii.
        mask: 1 in the part; a larger one tells more.
    """
    slope, growth, offset = fit
    return _logistic(growth * _evidence(mask) + offset - slope * differing)


def holds(first: float, last: float, spread: float, mask: Plane) -> float:
    """Probability that the PSF that learnt rounds end in is worth undoing.

    Args:
        first: logarithm of what the search and the first round do not agree in.
        last: the same of the last two rounds.
        spread: mean misfit of the PSF in the part.
        mask: 1 in the part; a larger one tells more.
    """
    against = FIRST * first + STEADY * last + SPREAD * spread
    return _logistic(GROWTH * _evidence(mask) + OFFSET - against)


def _evidence(mask: Plane) -> float:
    """Logarithm of a part's pixels."""
    return math.log(max(np.count_nonzero(mask > 0.5), 1))


def _logistic(evidence: float) -> float:
    return 1 / (1 + math.exp(-evidence))
