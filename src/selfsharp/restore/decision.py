"""What of an image is to be restored: all that was found, or a part that is beyond doubt."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from selfsharp.blur.psf import Psf, blur_radius, similarity
from selfsharp.image import AnyImage
from selfsharp.restore.detect import Findings
from selfsharp.restore.filtered_part import filtered_part, without_ringing
from selfsharp.restore.fit import LEAST, VARYING, is_certain, is_whole, telling_windows
from selfsharp.restore.judgement import Judgement, confidence_of, is_filtered, moved_along
from selfsharp.restore.memory import blank
from selfsharp.restore.partition import Partition, opened_everywhere, told_alike, told_by
from selfsharp.restore.shared_part import agreeing_pieces, shared_part
from selfsharp.restore.two_blurs import heavier_part
from selfsharp.restore.votes import MUCH
from selfsharp.restore.whole_photo import moved_as_a_whole
from selfsharp.restore.windows import Weights, Window

JudgePart = Callable[[AnyImage, Partition], Judgement]
"""Says what is to be done with a part of an image."""
JudgeWithin = Callable[[AnyImage, Partition, Window], Judgement]
"""The same, by a PSF that is estimated of a window of it."""
TRIES = 3
"""Squares of a large part that a PSF is estimated of, one after the other, until one fits."""
LITTLE = 0.03
"""Share of what a Gaussian was told of that is not worth leaving out. Undone beyond what a filter
has blurred, it rings: of 24 held-out photos that were filtered in a blob, four gain .1 to 2.3 dB by
what their blocks tell of its place, and the others are as they were."""
ALIKE = 0.8
"""Similarity of PSFs of two squares from which they are of one movement."""


@dataclass(frozen=True)
class Decision:
    """What is to be done with an image.

    Attributes:
        blurred: all that is blurred in it.
        parts: what of that is to be restored.
        judged: how.
        seen: mean radius in pixels that the detector sees of the part, as far as it has looked.
    """

    blurred: Partition
    parts: Partition
    judged: Judgement
    seen: float = 0.0


def decide_found(
    image: AnyImage,
    found: Findings,
    blurred: Partition,
    judge: JudgePart,
    *,
    physics: bool = True,
) -> Decision:
    """Decides on a part that was found, some of which may be soft by nature.

    Args:
        found: what the detector sees.
        blurred: the partition that this suggests.
        judge: says what is to be done with a part.
        physics: whether PSFs are of any use.
    """
    decided = _decide_found(image, found, blurred, judge, physics=physics)
    filtered = decided.judged.estimate
    if filtered is None or not is_filtered(decided.judged) or is_whole(decided.blurred):
        return decided
    parts = without_ringing(image, decided.parts, filtered.psf)
    return decided if np.count_nonzero(parts.core) < LEAST else replace(decided, parts=parts)


def _decide_found(
    image: AnyImage,
    found: Findings,
    blurred: Partition,
    judge: JudgePart,
    *,
    physics: bool,
) -> Decision:
    """The same, before it is seen whether what is taken for filtered was so."""
    # Of a photo that is blurred all over, a part alone would be the lesser half of it.
    heavier = blurred if is_whole(blurred) else heavier_part(found, blurred)
    alone = judge(image, heavier) if heavier is not blurred else None
    judged = judge(image, blurred)
    if alone and alone.beyond_doubt and not _is_of_all(judged, alone):
        return Decision(blurred, heavier, alone)
    if physics and (not judged.beyond_doubt or is_filtered(judged)):
        filtered = filtered_part(image, blurred)
        if _leaves_out(filtered, blurred, LITTLE if is_filtered(judged) else 0.0):
            again = judge(image, filtered)
            if is_filtered(again):
                return Decision(blurred, filtered, again)
    path = moved_along(judged)
    if path is not None and moved_as_a_whole(image, found, blurred, path):
        blurred = opened_everywhere(found, blurred)
    decided = Decision(blurred, blurred, judged)
    # Hardly anything is soft by nature where a whole photo is blurred.
    if is_whole(blurred):
        return decided
    for narrow, spoiling in ((agreeing_pieces, 0.0), (shared_part, MUCH)):
        decided = _narrowed(decided, narrow, spoiling, image, judge)
    return decided


def _is_of_all(judged: Judgement, alone: Judgement) -> bool:
    """Whether all that was found has one path, surer than what its heavier part has alone.

    Then there are no two blurs.
    """
    if moved_along(judged) is None:
        return False
    return confidence_of(judged) > confidence_of(alone)


def _leaves_out(part: Partition, all_of_it: Partition, little: float) -> bool:
    """Whether a part of a partition is less than that, by more than a little share of it."""
    left, whole = (int(np.count_nonzero(one.gate)) for one in (part, all_of_it))
    return part is not all_of_it and left <= (1 - little) * whole


def decide_given(
    image: AnyImage,
    given: Partition,
    look: Callable[[AnyImage, Weights], Findings],
    judge: JudgeWithin,
    side: int,
) -> Decision:
    """Decides on what a user marks, all of which is restored.

    A PSF that is undone tells the blur's radius as well; then no more of the part is looked at
    than what it is estimated of. (24 held-out photos shaken wholly or in part gain .01 dB.) Where
    it does not fit all over, squares elsewhere are asked, unless the blur plainly varies, or they
    tell of another.

    Args:
        look: what the detector sees where a mask has anything.
        judge: says what is to be done with a part, by a PSF that is estimated of a window.
        side: of the squares that PSFs are estimated of, in pixels.
    """
    if not given.gate.any():
        return Decision(given, given, Judgement(0.0))
    height, width = given.gate.shape

    def told_in(window: Window) -> Partition:
        near = blank(height, width, np.float32)
        near[window] = given.gate[window]
        return told_by(look(image, near), given, window)

    window, *others = telling_windows(image, given.gate, side)[:TRIES]
    parts = told_in(window)
    judged = judge(image, parts, window)
    while others and not judged.estimate and not VARYING < judged.gap < math.inf:
        before, window = judged, others.pop(0)
        del parts  # Of a large photo that is hundreds of megabytes.
        parts = told_in(window)
        judged = judge(image, parts, window)
        if judged.estimate and not _alike(before, judged):
            judged = replace(judged, estimate=None)
            break
    estimate, seen = judged.estimate, parts.mean_radius
    if estimate and not estimate.field and not estimate.lens:
        parts = told_alike(parts, blur_radius(estimate.psf))
    elif np.count_nonzero(given.gate[window]) < np.count_nonzero(given.gate):
        del parts
        parts = told_by(look(image, given.gate), given)
        if estimate and estimate.field:
            judged = judge(image, parts, window)
    return Decision(parts, parts, judged, seen)


def _alike(before: Judgement, judged: Judgement) -> bool:
    """Whether two squares tell of one movement, as far as the first tells of any."""
    if before.gap == math.inf or before.tried is None or judged.tried is None:
        return True
    return similarity(before.tried.psf, judged.tried.psf) >= ALIKE


def _narrowed(
    decided: Decision,
    narrow: Callable[[AnyImage, Partition, Psf], Partition],
    spoiling: float,
    image: AnyImage,
    judge: JudgePart,
) -> Decision:
    """The decision for what shares the path that was estimated, told anew without the rest.

    Args:
        spoiling: share of the part from which the rest has spoilt the estimate; less of it is only
            left alone.
    """
    judged, tried = decided.judged, decided.judged.tried
    if judged.trust == 0 or judged.scattered:
        return decided
    if tried is None or tried.lens or not is_certain(tried):
        return decided
    parts = narrow(image, decided.parts, tried.psf)
    if parts is decided.parts or np.count_nonzero(parts.core) < LEAST:
        return decided
    left = np.count_nonzero(parts.gate) / np.count_nonzero(decided.parts.gate)
    if left > 1 - spoiling:
        # A path that turns from place to place is not the whole part's anywhere.
        known = decided.judged.estimate
        return replace(decided, parts=parts) if known and not known.field else decided
    again = judge(image, parts)
    if again.trust > 0 and again.estimate:
        # What spoilt the estimate may have cost some of the part that shares it as well.
        shared = narrow(image, decided.parts, again.estimate.psf)
        found = shared if np.count_nonzero(shared.core) >= LEAST else parts
        return Decision(decided.blurred, found, again)
    # Without a path to undo there is nothing that the rest would have to be kept from.
    return replace(decided, parts=parts) if decided.judged.estimate else decided
