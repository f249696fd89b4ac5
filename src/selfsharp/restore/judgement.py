"""The check: whether a blurred part is to be undone, by which PSF, and whether that has helped.

What is soft by nature looks blurred too. Undone by mistake it does harm, and a residual that is
right with a probability is best followed by as much, or, where it is rather wrong, not at all.
"""

import math
from dataclasses import dataclass

import numpy as np

from selfsharp.blur.estimate import SIZE, Estimate, estimate_psf
from selfsharp.blur.lens import measure_power, unevenness
from selfsharp.blur.psf import blur_radius
from selfsharp.blur.sharpness import CELL
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
"""Probability that a part is to be undone, under which it is left as it is."""
USUAL, HIGH = 0.75, 1.2
"""Unevenness that speaks neither for a movement nor for a lens; more than `HIGH` says no more."""


@dataclass(frozen=True)
class Judgement:
    """What is to be done with a blurred part.

    Attributes:
        trust: how much to blend in of what is restored, 0..1; 0 leaves the part as it is.
        estimate: the PSFs to undo; None where the generator has to restore alone.
        unevenness: how much the power spectrum varies with direction; None where trust needs
            no second look once the part is restored.
    """

    trust: float
    estimate: Estimate | None = None
    unevenness: float | None = None


def judge(image: Image, parts: Partition, *, physics: bool = True) -> Judgement:
    """Decides by detector, spectrum and PSF; a part that a user gives is undone in full.

    Args:
        physics: whether the generator has a use for PSFs.
    """
    given = parts.certainty == 1
    if np.count_nonzero(parts.core) < LEAST:
        return Judgement(1.0 if given else _if_probable(movement(parts.certainty, USUAL)))
    window = fullest_window(parts.core)
    grey, core = image[window].mean(axis=2), parts.core[window].astype(np.float32)
    moved, missed, uneven = 1.0, 1.0, USUAL
    if not given:
        power = measure_power(grey, core)
        uneven = unevenness(power) if power else USUAL
        moved, missed = movement(parts.certainty, uneven), missed_focus(parts.certainty)
    if not physics or max(moved, missed) < PROBABLE:
        return Judgement(_if_probable(moved))
    estimate = estimate_psf(grey, core)
    trust = _if_probable(missed if estimate.lens else moved)
    if not trust or not is_certain(estimate):
        return Judgement(trust)
    return Judgement(trust, estimate, None if given or estimate.lens else uneven)


def settle(judged: Judgement, parts: Partition, radius: float) -> float:
    """How far to trust what physics has made of a part that was found, now that it is there.

    Args:
        radius: mean blur radius that the detector sees in the restored core, in pixels.
    """
    assert judged.unevenness is not None
    before = float(parts.radius[parts.core].mean())
    fallen = math.log(max(radius, 0.01) / max(before, 0.01))
    return _if_probable(mended(parts.certainty, judged.unevenness, fallen))


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


def mended(certainty: float, unevenness: float, fallen: float) -> float:
    """Probability that a part was blurred by a movement and is so no longer.

    Where a shake is undone the detector sees little blur any more; softness of a lens stays. A
    logistic regression like :func:`movement`, fitted to the 34 shaken photos of 38 held-out ones
    and the 28 soft by nature that had passed it, restored; left out one by one, those that it
    keeps hold 97 % of all that was gained, and 11 % of the soft ones.

    Args:
        fallen: logarithm of the mean blur radius after restoring over that before.
    """
    evidence = 100 * (certainty - 0.975) + 4.8 * min(unevenness, HIGH)
    return _logistic(evidence - 3.0 * min(max(fallen, -2.0), 0.5) - 6.9)


def missed_focus(certainty: float) -> float:
    """Probability that round blur was not meant: backgrounds seldom look as certainly blurred."""
    return _logistic((certainty - 0.99) / 0.0015)


def _if_probable(probability: float) -> float:
    return probability if probability >= PROBABLE else 0.0


def _logistic(evidence: float) -> float:
    return 1 / (1 + math.exp(-evidence))


def fullest_window(core: np.ndarray) -> Window:
    """The bounding box of the core, or the fullest square of it where that is larger.

    It has a margin, and begins with a whole cell.
    """
    sides = []
    for axis in (1, 0):
        filled = np.count_nonzero(core, axis=axis)
        places = np.flatnonzero(filled)
        start, stop = int(places[0]), int(places[-1]) + 1
        if stop - start > LARGEST:
            inside = np.convolve(filled[start:stop], np.ones(LARGEST), "valid")
            start += int(inside.argmax())
            stop = start + LARGEST
        sides.append(slice(max(0, start - SIZE) // CELL * CELL, stop + SIZE))
    return sides[0], sides[1]
