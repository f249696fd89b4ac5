"""The check: whether a blurred part is to be undone, by which PSF, and whether that has helped.

What is soft by nature looks blurred too. Undone by mistake it does harm, and a residual that is
right with a probability is best followed by as much, or, where it is rather wrong, not at all.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.direction import margin_over_round
from selfsharp.blur.estimate import SEARCHES, SIZE, Estimate, Quality, estimate_psf
from selfsharp.blur.estimate_field import estimate_field, undo_field
from selfsharp.blur.learnt_round import LearntRound
from selfsharp.blur.lens import RoundBlur, fit_round_blur, measure_power, unevenness
from selfsharp.blur.misfit import misfit, misfit_undone
from selfsharp.blur.psf import blur_radius
from selfsharp.blur.sharpness import CELL
from selfsharp.image import Image, Plane, grey_of
from selfsharp.restore.partition import Partition
from selfsharp.restore.tiles import Window

Seen = Float32[np.ndarray, "rows columns"]
"""A plane of the window that a PSF is estimated from."""
LARGEST = 640
"""Side of the window whose spectrum is measured, in pixels."""
LEAST = 4096
"""Pixels of blurred part that it takes to estimate a PSF."""
CONFIDENCE, RADIUS = 0.5, 1.0
"""Limits of the check: estimates that are rather wrong, or tell of no blur, propose nothing."""
MISFIT = 0.04
"""How badly a PSF may fit in a twentieth of a part. Of 58 estimates of shakes that gain over 2 dB
in held-out photos none is over; of 29 bursts of real frames, where movements differ, the best has
.073. Of 22 large held-out photos taken by cameras that shift, or shift and turn, those over it that
are undone by one PSF lose .3 to 2.9 dB."""
EVEN, SURE = 0.065, 0.95
"""The same where PSFs cell by cell gather no more than one does, and how credible that one has to
be then. Shakes over a whole photo that were refused gain .2 dB where they would gain 3 to 6; of
those 22 photos none has both, and of 27 bursts, short ones among them, all are over .138."""
BETTER = 0.8
"""Share of that misfit that PSFs cell by cell may have, to take the place of one. Five of those 22
photos have such: those of .73 and .74 gain .2 and 1.6 dB, of .83 and .95 they lose .3 and .5."""
ROUND_MISFIT = 0.2
"""The same for round blur, whose radius may well differ from place to place where it is a lens's.
Of 52 Gaussians and discs in whole held-out photos the worst has .106; of 20 bursts of frames, whose
mean blur looks round, the best has .41."""
POSSIBLE, LIKELY, CREDIBLE = 0.2, 0.35, 0.2
"""Probability of a movement from which a PSF is looked for; from which the part is restored even
if its spectrum does not have that PSF's directions; and from which that, restored, is kept."""
DIRECTED, FITTING = 500.0, 0.03
"""By how much a PSF has to explain the spectrum better than round blur does, and how well it has to
fit, to be a movement's beyond doubt. What has lines of its own, as shutters, has directions, too:
of 27 photos soft in part four have the first and one, hardly `POSSIBLE`, both; of 29 shaken in
part 20 have both."""
PROBABLE = 0.5
"""Probability that round blur was not meant, from which it is undone."""
FILTERED = (2.5, 18.0)
"""Radii in pixels of a Gaussian that a program made."""
LIGHT, PLAINLY = 8.0, (200.0, 40.0)
"""By how much it has to explain the spectrum better than a disc does, under that radius in pixels
and over it: 11 light Gaussians in held-out photos have 380 to 1,760, 72 wide ones 28 to 880."""
WHOLE, ACCIDENT = 0.9, 2.0
"""Share of a photo from which all of it is blurred, and what that says for an accident: of 330
photos with soft or sharp parts one is as soft."""
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

    @property
    def beyond_doubt(self) -> bool:
        """Whether it is trusted in full, without a second look."""
        return self.trust == 1 and self.unevenness is None


def judge(
    image: Image,
    parts: Partition,
    *,
    physics: bool = True,
    threads: int = 1,
    learnt: LearntRound | None = None,
    quality: Quality = "best",
) -> Judgement:
    """Decides by detector, spectrum and PSF; a part that a user gives is undone in full.

    Args:
        physics: whether the generator has a use for PSFs.
        threads: threads to use.
        learnt: what makes estimated PSFs better, where the model has it.
        quality: how much effort goes into estimating one.
    """
    given = parts.certainty == 1
    whole = _is_whole(parts)
    if np.count_nonzero(parts.core) < LEAST:
        moved = 1.0 if given else movement(parts.certainty, USUAL, whole=whole)
        return Judgement(_if_over(LIKELY, moved))
    if given:
        if not physics:
            return Judgement(1.0)
        return Judgement(1.0, _fitted(image, parts, threads, learnt, quality).shown)
    power = measure_power(*_seen(image, parts))
    uneven = unevenness(power) if power else USUAL
    moved = movement(parts.certainty, uneven, whole=whole)
    if not physics:
        return Judgement(_if_over(LIKELY, moved))
    round_blur = fit_round_blur(power) if power else None
    filtered = round_blur is not None and is_filter(round_blur)
    unmeant = 1.0 if filtered else _if_over(PROBABLE, missed_focus(parts.certainty))
    if moved < POSSIBLE and not unmeant:
        return Judgement(0.0)
    fitted = _fitted(image, parts, threads, learnt, quality)
    estimate, shown = fitted.estimate, fitted.shown
    if estimate.lens:
        # A movement that differs from place to place has no PSF of its own; its mean is round.
        return Judgement(unmeant, shown) if unmeant else _doubtful(moved, None, uneven, whole)
    if fitted.gap <= FITTING and power and round_blur:
        margin = margin_over_round(power, estimate.psf, round_blur)
        if margin >= DIRECTED:
            return Judgement(1.0, shown)
    return _doubtful(moved, shown, uneven, whole)


def estimate_part(
    image: Image,
    parts: Partition,
    threads: int = 1,
    learnt: LearntRound | None = None,
    quality: Quality = "best",
) -> Estimate | None:
    """The PSF of a blurred part, before any check; None where the part is too small."""
    if np.count_nonzero(parts.core) < LEAST:
        return None
    seen = _seen(image, parts, SEARCHES[quality].window)
    return estimate_psf(*seen, threads, learnt, quality)


def round_blur_of(image: Image, parts: Partition) -> RoundBlur | None:
    """The round PSF that explains the spectrum of a part best; None for too small a part."""
    power = measure_power(*_seen(image, parts))
    return fit_round_blur(power) if power else None


def _seen(image: Image, parts: Partition, largest: int = LARGEST) -> tuple[Seen, Seen]:
    """What spectrum and PSF are told by: the fullest window of a part in grey, and its core."""
    window = fullest_window(parts.core, largest)
    return grey_of(image[window]), parts.core[window].astype(np.float32)


def _doubtful(moved: float, shown: Estimate | None, uneven: float, whole: bool) -> Judgement:
    """What may have been a movement, and needs a second look.

    But for a photo that is blurred as a whole, which is hardly ever meant, and restored by the
    generator alone, which leaves more blur than a PSF undone does: a look would tell nothing.
    """
    again = None if whole and shown is None else uneven
    return Judgement(_if_over(LIKELY, moved), shown, again)


def settle(judged: Judgement, parts: Partition, radius: float) -> float:
    """How far to trust what physics has made of a part that was found, now that it is there.

    Args:
        radius: mean blur radius that the detector sees in the restored core, in pixels.
    """
    assert judged.unevenness is not None
    before = float(parts.radius[parts.core].mean())
    fallen = math.log(max(radius, 0.01) / max(before, 0.01))
    probability = mended(parts.certainty, judged.unevenness, fallen, whole=_is_whole(parts))
    return _if_over(CREDIBLE, probability)


def as_shown(estimate: Estimate, grey: Plane, gate: Plane, core: Plane) -> Estimate | None:
    """An estimate, if it fits its part well enough for a generator to be shown it.

    Args:
        estimate: what was estimated of the core.
        grey: mean of the channels, 0..1.
        gate: 1 where blurred.
        core: 1 where that is certain, off the border.
    """
    return _Fitted(estimate, _gap(estimate, grey, gate, core)).shown


@dataclass(frozen=True)
class _Fitted:
    """An estimate and how it fits its part.

    Attributes:
        estimate: the PSF of a part, or PSFs cell by cell.
        gap: how badly they fit somewhere in it; infinite where there is none to be sure of.
        even: whether cell by cell none were found that gather more.
    """

    estimate: Estimate
    gap: float
    even: bool = False

    @property
    def shown(self) -> Estimate | None:
        """The estimate, if it fits the part well enough for the generator to be shown it."""
        if self.estimate.lens:
            limit = ROUND_MISFIT
        else:
            limit = EVEN if self.even and self.estimate.confidence >= SURE else MISFIT
        return self.estimate if self.gap <= limit else None


def _fitted(
    image: Image, parts: Partition, threads: int, learnt: LearntRound | None, quality: Quality
) -> _Fitted:
    """The PSF of a part, or PSFs cell by cell where they fit better, and how badly it fits."""
    largest = SEARCHES[quality].window
    window = fullest_window(parts.core, largest)
    grey, core = _seen(image, parts, largest)
    estimate = estimate_psf(grey, core, threads, learnt, quality)
    gap = _gap(estimate, grey, parts.gate[window], core)
    if learnt is None or estimate.lens or not FITTING < gap < math.inf:
        return _Fitted(estimate, gap)
    field = estimate_field(grey_of(image), parts.core, estimate.psf, learnt, window, threads)
    if field is None:
        return _Fitted(estimate, gap, even=True)
    corner = window[0].start, window[1].start
    undone = undo_field(grey, parts.gate[window], field, corner)
    fits = misfit_undone(grey, undone, core, estimate.psf.shape[0] // 2)
    if fits < BETTER * gap:
        return _Fitted(replace(estimate, field=field), fits)
    return _Fitted(estimate, gap)


def _gap(estimate: Estimate, grey: Plane, gate: Plane, core: Plane) -> float:
    """How badly an estimate fits somewhere in a part; infinite where it is none to be sure of."""
    return misfit(grey, gate, core, estimate.psf) if is_certain(estimate) else math.inf


def is_certain(estimate: Estimate) -> bool:
    """Whether an estimate is rather right than wrong, and tells of any blur."""
    return estimate.confidence >= CONFIDENCE and blur_radius(estimate.psf) >= RADIUS


def movement(certainty: float, unevenness: float, *, whole: bool = False) -> float:
    """Probability that a part was blurred by a movement, and is not soft by nature.

    A logistic regression on the detector's certainty and on how much the power spectrum varies
    with direction, fitted to 152 shaken variants of 38 held-out photos and to 107 photos soft by
    nature, half of which the networks were trained on as sharp; photo by photo left out, it
    ranks 92 % of their pairs rightly.

    Args:
        whole: next to nothing of the photo is sharp.
    """
    evidence = 109 * (certainty - 0.975) + 5.2 * min(unevenness, HIGH) - 4.5
    return _logistic(evidence + ACCIDENT * whole)


def mended(certainty: float, unevenness: float, fallen: float, *, whole: bool = False) -> float:
    """Probability that a part was blurred by a movement and is so no longer.

    Where a shake is undone the detector sees little blur any more; softness of a lens stays. A
    logistic regression like :func:`movement`, fitted to the 34 shaken photos of 38 held-out ones
    and the 28 soft by nature that had passed it, restored; left out one by one, it ranks 89 % of
    their pairs rightly. All of those shaken photos have a probability over .2, and half of the
    soft ones less.

    Args:
        fallen: logarithm of the mean blur radius after restoring over that before.
        whole: next to nothing of the photo is sharp.
    """
    evidence = 100 * (certainty - 0.975) + 4.8 * min(unevenness, HIGH)
    return _logistic(evidence - 3.0 * min(max(fallen, -2.0), 0.5) - 6.9 + ACCIDENT * whole)


def missed_focus(certainty: float) -> float:
    """Probability that round blur was not meant: backgrounds seldom look as certainly blurred."""
    return _logistic((certainty - 0.99) / 0.0015)


def is_filter(blur: RoundBlur) -> bool:
    """Whether a program's Gaussian filter has blurred, and no lens, whose blur may be meant.

    A lens out of focus blurs as a disc does, whose spectrum has zeros. Of 38 held-out photos that
    were blurred in part by a Gaussian of 15.6 px it is told of 33, and of 390 photos with soft
    parts of none.
    """
    least, most = FILTERED
    plainly = PLAINLY[0] if blur.radius < LIGHT else PLAINLY[1]
    return blur.kind == "gaussian" and least <= blur.radius <= most and blur.margin >= plainly


def is_filtered(judged: Judgement) -> bool:
    """Whether what is to be undone is beyond doubt a program's Gaussian filter."""
    lens = judged.estimate.lens if judged.estimate else None
    return judged.beyond_doubt and lens is not None and is_filter(lens)


def _is_whole(parts: Partition) -> bool:
    """Whether next to nothing of the photo is sharp."""
    return bool(np.count_nonzero(parts.gate) >= WHOLE * parts.gate.size)


def _if_over(least: float, probability: float) -> float:
    return probability if probability >= least else 0.0


def _logistic(evidence: float) -> float:
    return 1 / (1 + math.exp(-evidence))


def fullest_window(core: np.ndarray, largest: int = LARGEST) -> Window:
    """The bounding box of the core, or the fullest square of it where that is larger.

    It has a margin, and begins with a whole cell.

    Args:
        core: where it is blurred for certain.
        largest: side of that square in pixels.
    """
    sides = []
    for axis in (1, 0):
        filled = np.count_nonzero(core, axis=axis)
        places = np.flatnonzero(filled)
        start, stop = int(places[0]), int(places[-1]) + 1
        if stop - start > largest:
            inside = np.convolve(filled[start:stop], np.ones(largest), "valid")
            start += int(inside.argmax())
            stop = start + largest
        sides.append(slice(max(0, start - SIZE) // CELL * CELL, stop + SIZE))
    return sides[0], sides[1]
