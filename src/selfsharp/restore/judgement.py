"""The check: how far a blurred part is to be undone, and by which PSF.

What is soft by nature looks blurred too. Undone by mistake it does harm, and a residual that is
right with a probability is best followed by as much.
"""

import math
from dataclasses import dataclass

import numpy as np

from selfsharp.blur.estimate import SIZE, Estimate, estimate_psf
from selfsharp.blur.lens import measure_power, unevenness
from selfsharp.blur.psf import blur_radius
from selfsharp.image import Image
from selfsharp.restore.partition import Partition
from selfsharp.restore.tiles import Window

LARGEST = 640
"""Side of the window that a PSF is estimated from, in pixels."""
LEAST = 4096
"""Pixels of blurred part that it takes to estimate a PSF."""
AGREEMENT, RADIUS = 0.5, 1.0
"""Limits of the check: two estimates that differ wholly, or tell of no blur, propose nothing."""
PROBABLE = 0.5
"""Probability that blur was not meant, from which its PSF is undone."""
LEAST_TRUST = 0.3
"""Trust in what the generator makes, without a PSF, of a part that may be soft by nature."""
USUAL, HIGH = 0.75, 1.2
"""Unevenness that speaks neither for a movement nor for a lens; more than `HIGH` says no more."""


@dataclass(frozen=True)
class Judgement:
    """What is to be done with a blurred part.

    Attributes:
        trust: how much to blend in of what is restored, 0..1.
        estimate: the PSFs to undo; None where the generator has to restore alone.
    """

    trust: float
    estimate: Estimate | None = None


def judge(image: Image, parts: Partition, *, physics: bool = True) -> Judgement:
    """Decides by detector, spectrum and PSF; a part that a user gives is undone in full.

    Args:
        physics: whether the generator has a use for PSFs.
    """
    given = parts.certainty == 1
    if np.count_nonzero(parts.core) < LEAST:
        return Judgement(1.0 if given else _least(movement(parts.certainty, USUAL)))
    window = _fullest_window(parts.core)
    grey, core = image[window].mean(axis=2), parts.core[window].astype(np.float32)
    power = measure_power(grey, core)
    moved, missed = 1.0, 1.0
    if not given:
        moved = movement(parts.certainty, unevenness(power) if power else USUAL)
        missed = missed_focus(parts.certainty)
    if physics and max(moved, missed) >= PROBABLE:
        estimate = estimate_psf(grey, core)
        trust = missed if estimate.lens else moved
        if trust >= PROBABLE and is_certain(estimate):
            return Judgement(trust, estimate)
    return Judgement(_least(moved))


def is_certain(estimate: Estimate) -> bool:
    """Whether the proposals of an estimate are worth showing to the generator."""
    return estimate.agreement >= AGREEMENT and blur_radius(estimate.psf) >= RADIUS


def movement(certainty: float, unevenness: float) -> float:
    """Probability that a part was blurred by a movement, and is not soft by nature.

    A logistic regression on the detector's certainty and on how much the power spectrum varies
    with direction, fitted to 152 shaken variants of 38 held-out photos and to 107 photos soft by
    nature, half of which the networks were trained on as sharp; photo by photo left out, it
    ranks 92 % of their pairs rightly.
    """
    return _logistic(109 * (certainty - 0.975) + 5.2 * min(unevenness, HIGH) - 4.5)


def missed_focus(certainty: float) -> float:
    """Probability that round blur was not meant: backgrounds seldom look as certainly blurred."""
    return _logistic((certainty - 0.99) / 0.0015)


def _least(trust: float) -> float:
    return max(LEAST_TRUST, trust)


def _logistic(evidence: float) -> float:
    return 1 / (1 + math.exp(-evidence))


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
