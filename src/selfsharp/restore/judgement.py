"""The check: whether a blurred part is to be undone, by which PSF, and whether that has helped.

What is soft by nature looks blurred too. Undone by mistake it does harm, and a residual that is
right with a probability is best followed by as much, or, where it is rather wrong, not at all.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from selfsharp.blur.direction import margin_over_round
from selfsharp.blur.estimate import SEARCHES, Estimate, Quality
from selfsharp.blur.fullest_window import fullest_window
from selfsharp.blur.learnt_round import LearntRound
from selfsharp.blur.lens import Power, RoundBlur, fit_round_blur, measure_power, unevenness
from selfsharp.blur.psf import Psf
from selfsharp.image import AnyImage
from selfsharp.restore.fit import LEAST, MISFIT, Fit, fit_part, is_whole, seen_of
from selfsharp.restore.partition import Partition, with_all_of_it
from selfsharp.restore.windows import Window

POSSIBLE, LIKELY, CREDIBLE = 0.2, 0.35, 0.2
"""Probability of a movement from which a PSF is looked for; from which the part is restored even
if its spectrum does not have that PSF's directions; and from which that, restored, is kept."""
DIRECTED, FITTING = 500.0, 0.03
"""By how much a PSF has to explain the spectrum better than round blur does, and how well it has to
fit, to be a movement's beyond doubt. What has lines of its own, as shutters, has directions, too:
of 27 photos soft in part four have the first and one, hardly `POSSIBLE`, both; of 29 shaken in
part 20 have both."""
SOME, SURER = 200.0, 0.74
"""By how much it has to at least, where not all of a photo is blurred and no lens's blur is undone,
unless the estimate has that confidence: with less it is softness, and left alone. It was restored,
by the generator alone, in 30 of 95 photos soft in part; and a soft background can have a PSF that
looks credible. Of 46 held-out shakes in a blob six have less somewhere: the four that are sure of
their PSF gain .6 to 2.2 dB."""
PLAIN = 0.997
"""Certainty of the detector over which what has no directions is no softness either. Of 48 photos
out of focus in part the surest has .995; 12 bursts of real frames (of the detector's training),
whose movements differ so much that their spectra have none, have .998 and more, and gain 1.1 dB by
the generator alone."""
PROBABLE = 0.5
"""Probability that round blur was not meant, from which it is undone."""
SMOOTH = 1.0
"""Unevenness over which a part's spectrum is not a lens's, however round the blur seems: a disc
that explained the bands of a soft background, undone, rang through half of a photo."""
FILTERED = (2.5, 18.0)
"""Radii in pixels of a Gaussian that a program made."""
LIGHT, PLAINLY = 8.0, (200.0, 40.0)
"""By how much it has to explain the spectrum better than a disc does, under that radius in pixels
and over it: 11 light Gaussians in held-out photos have 380 to 1,760, 72 wide ones 28 to 880."""
ACCIDENT = 2.0
"""What a whole photo that is blurred says for an accident."""
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
        tried: what was estimated, good enough to be undone or not; None where nothing was.
        gap: how badly that fits somewhere in the part; infinite where nothing was.
        scattered: whether it was moved so differently from place to place that its spectrum has
            no directions; then no size and no piece of it has a PSF, either.
    """

    trust: float
    estimate: Estimate | None = None
    unevenness: float | None = None
    tried: Estimate | None = None
    gap: float = math.inf
    scattered: bool = False

    @property
    def beyond_doubt(self) -> bool:
        """Whether it is trusted in full, without a second look."""
        return self.trust == 1 and self.unevenness is None


def judge(
    image: AnyImage,
    parts: Partition,
    *,
    physics: bool = True,
    threads: int = 1,
    learnt: LearntRound | None = None,
    quality: Quality = "best",
    within: Window | None = None,
) -> Judgement:
    """Decides by detector, spectrum and PSF; a part that a user gives is undone in full.

    Args:
        physics: whether the generator has a use for PSFs.
        threads: threads to use.
        learnt: what makes estimated PSFs better, where the model has it.
        quality: how much effort goes into estimating one.
        within: the window that the PSF of a part that a user gives is estimated of.
    """
    given = parts.certainty == 1
    whole = is_whole(parts)
    if np.count_nonzero(parts.core) < LEAST:
        moved = 1.0 if given else movement(parts.certainty, USUAL, whole=whole)
        return Judgement(_if_over(LIKELY, moved))
    if given:
        if not physics:
            return Judgement(1.0)
        fitted = fit_part(image, parts, threads, learnt, quality, within)
        return Judgement(1.0, fitted.shown, tried=fitted.estimate, gap=fitted.gap)
    power = measure_power(*seen_of(image, parts))
    uneven = unevenness(power) if power else USUAL
    moved = movement(parts.certainty, uneven, whole=whole)
    if not physics:
        return Judgement(_if_over(LIKELY, moved))
    round_blur = fit_round_blur(power) if power else None
    filtered = round_blur is not None and is_filter(round_blur)
    missed = missed_focus(parts.certainty) if whole or uneven <= SMOOTH else 0.0
    unmeant = 1.0 if filtered else _if_over(PROBABLE, missed)
    if moved < POSSIBLE and not unmeant:
        return Judgement(0.0)
    spectrum = _Spectrum(power, round_blur, uneven)
    window = fullest_window(parts.core, SEARCHES[quality].window)
    plain = parts.certainty >= PLAIN

    def judged_by(some: Partition) -> Judgement:
        fitted = fit_part(image, some, threads, learnt, quality, window)
        return _judged(fitted, spectrum, moved, unmeant, whole=whole, plain=plain)

    # More of the part tells its PSF better, unless too much of that is not blurred at all.
    wide = with_all_of_it(parts)
    alike = np.array_equal(wide.core[window], parts.core[window])
    if alike or np.count_nonzero(wide.core) < LEAST:
        return judged_by(parts)
    by_all = judged_by(wide)
    if by_all.beyond_doubt and by_all.estimate:
        return by_all
    return _chosen(by_all, judged_by(parts), whole=whole)


def _chosen(by_all: Judgement, by_core: Judgement, *, whole: bool) -> Judgement:
    """What is to be done with a part, by all of it or by its core alone."""
    if by_core.trust == 0 or not (by_all.estimate or by_core.estimate):
        return by_core
    if by_core.estimate is None:
        return by_all
    if by_all.estimate:
        return max(by_all, by_core, key=_credit)
    if by_core.estimate.lens or by_core.gap <= MISFIT:
        return by_core
    # A path that fits its core none too well, and all of it not, is not that of the part.
    return replace(by_core, estimate=None, unevenness=None if whole else by_core.unevenness)


def _credit(judged: Judgement) -> tuple[float, float]:
    """What a judgement is chosen by: its trust, and how sure its PSF is."""
    return judged.trust, confidence_of(judged)


@dataclass(frozen=True)
class _Spectrum:
    """What the power spectrum of a part tells: itself, the round blur in it, its unevenness."""

    power: Power | None
    round_blur: RoundBlur | None
    uneven: float


def _judged(
    fitted: Fit,
    spectrum: _Spectrum,
    moved: float,
    unmeant: float,
    *,
    whole: bool,
    plain: bool,
) -> Judgement:
    """What is to be done with a part that was found, given a PSF of it and how that fits.

    Args:
        moved: probability that it was blurred by a movement.
        unmeant: how far to trust round blur that is undone; 0 where it may be meant.
        whole: whether next to nothing of the photo is sharp.
        plain: whether the detector is surer of it than of any softness.
    """
    power, round_blur, uneven = spectrum.power, spectrum.round_blur, spectrum.uneven
    estimate, shown = fitted.estimate, fitted.shown
    margin = margin_over_round(power, estimate.psf, round_blur) if power and round_blur else 0.0
    # A spectrum that is there and has no directions speaks against the PSF that was estimated.
    doubted = power is not None and not estimate.lens and estimate.confidence < SURER
    undirected = margin < SOME and (shown is None or doubted)
    if estimate.lens and unmeant:
        judged = Judgement(unmeant, shown)
    elif undirected and not whole:
        judged = _doubtful(moved, None, uneven, whole) if plain else Judgement(0.0)
        judged = replace(judged, scattered=plain)
    elif estimate.lens:
        # A movement that differs from place to place has no PSF of its own; its mean is round.
        judged = _doubtful(moved, None, uneven, whole)
    elif fitted.gap <= FITTING and margin >= DIRECTED:
        judged = Judgement(1.0, shown)
    else:
        judged = _doubtful(moved, shown, uneven, whole)
    return replace(judged, tried=estimate, gap=fitted.gap)


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
    before = parts.mean_radius
    fallen = math.log(max(radius, 0.01) / max(before, 0.01))
    probability = mended(parts.certainty, judged.unevenness, fallen, whole=is_whole(parts))
    return _if_over(CREDIBLE, probability)


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


def confidence_of(judged: Judgement) -> float:
    """How sure the PSF is that is to be undone; 0 where none is."""
    return judged.estimate.confidence if judged.estimate else 0.0


def moved_along(judged: Judgement) -> Psf | None:
    """The path that is to be undone, if there is one and it is beyond doubt."""
    estimate = judged.estimate
    return estimate.psf if judged.beyond_doubt and estimate and not estimate.lens else None


def _if_over(least: float, probability: float) -> float:
    return probability if probability >= least else 0.0


def _logistic(evidence: float) -> float:
    return 1 / (1 + math.exp(-evidence))
