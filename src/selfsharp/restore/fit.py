"""The PSF of a blurred part, and how well it fits: whether a generator is to be shown it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.estimate import SEARCHES, Estimate, Quality, estimate_psf
from selfsharp.blur.estimate_field import estimate_field, undo_field
from selfsharp.blur.fullest_window import LARGEST, fullest_window, with_margin
from selfsharp.blur.inner_estimate import told_further_in
from selfsharp.blur.learnt_round import LearntRound
from selfsharp.blur.lens import RoundBlur, fit_round_blur, measure_power
from selfsharp.blur.misfit import misfit, misfit_undone
from selfsharp.blur.psf import blur_radius
from selfsharp.blur.psf_field import PsfField
from selfsharp.blur.sharpness import CELL, FLAT, structure
from selfsharp.image import AnyImage, GreyImage, Plane, grey_of
from selfsharp.restore.partition import Partition
from selfsharp.restore.votes import MUCH, votes_for
from selfsharp.restore.windows import Weights, Window

Seen = Float32[np.ndarray, "rows columns"]
"""A plane of the window that a PSF is estimated from."""
LEAST = 4096
"""Pixels of blurred part that it takes to estimate a PSF."""
CONFIDENCE, RADIUS = 0.55, 1.0
"""Limits of the check: estimates that are rather wrong, or tell of no blur, propose nothing. With
.4 to .65 held-out shakes gain as much in the mean, and ever fewer lose by it."""
MISFIT = 0.04
"""How badly a PSF may fit in a twentieth of a part. Of 58 estimates of shakes that gain over 2 dB
in held-out photos none is over; of 29 bursts of real frames, where movements differ, the best has
.073. Of 22 large held-out photos taken by cameras that shift, or shift and turn, those over it that
are undone by one PSF lose .3 to 2.9 dB."""
EVEN, SURE = 0.065, 0.95
"""The same where PSFs cell by cell gather no more than one does, and how steady that one has to be
then. Shakes over a whole photo that were refused gain .2 dB where they would gain 3 to 6; of
those 22 photos none has both, and of 27 bursts, short ones among them, all are over .138."""
BETTER = 0.8
"""Share of that misfit that PSFs cell by cell may have, to take the place of one. Five of those 22
photos have such: those of .73 and .74 gain .2 and 1.6 dB, of .83 and .95 they lose .3 and .5."""
UNIFORM, HOPELESS = 0.03, 0.08
"""Misfits between which PSFs cell by cell are looked for: up to the first one fits well enough, and
over the second they would have to fit twice as well as one does, which none of those 22 do."""
ELSEWHERE: Mapping[Quality, float] = {"best": -math.inf, "fast": 0.095}
"""Misfit in a part's corners up to which it does not count. The small squares of the quick search
may hold little but sky or pebbles, and have up to .093 where the PSF is right (seen in Kodak's
photos, so measure it elsewhere); a wide photo that was shaken otherwise on one side has .098 there,
17 bursts of real frames .104 and more."""
VARYING = 0.1
"""Misfit of a sure path from which a movement differs from place to place, at any size. Of 17
bursts of real frames the best has .102, of three held-out shakes that half their size tells
the worst .073."""
WIDER = 1.7
"""How many times the radius that the detector sees a lens's disc may have. Of 40 discs in held-out
photos four are over it, two of them fitted wrongly; discs that shakes were taken for had 1.9 and
2.4, and undoing them lost 8 and 12 dB."""
NARROW, PLAIN = 2.5, 200.0
"""Radius in pixels up to which a Gaussian has to explain a spectrum by so much better than any disc
does. What has moved a little, or lies a little out of focus, looks like one as well, and is
oversharpened by it. Of 86 parts of held-out photos that a Gaussian was told of, 54 of them blurred
by one, 32 have less, and gain .76 dB more by the generator alone; the others gain .91 dB less."""
SQUARES = 4
"""Squares that are compared along a side at most."""
WHOLE = 0.9
"""Share of a photo from which all of it is blurred: of 330 photos that are soft or sharp in part
one is as soft."""
ROUND_MISFIT = 0.2
"""The same for round blur, whose radius may well differ from place to place where it is a lens's.
Of 52 Gaussians and discs in whole held-out photos the worst has .106; of 20 bursts of frames, whose
mean blur looks round, the best has .41."""


def estimate_part(
    image: AnyImage,
    parts: Partition,
    threads: int = 1,
    learnt: LearntRound | None = None,
    quality: Quality = "best",
) -> Estimate | None:
    """The PSF of a blurred part, before any check; None where the part is too small."""
    if np.count_nonzero(parts.core) < LEAST:
        return None
    seen = seen_of(image, parts, SEARCHES[quality].window)
    return estimate_psf(*seen, threads, learnt, quality)


def round_blur_of(image: AnyImage, parts: Partition) -> RoundBlur | None:
    """The round PSF that explains the spectrum of a part best; None for too small a part."""
    power = measure_power(*seen_of(image, parts))
    return fit_round_blur(power) if power else None


def seen_of(image: AnyImage, parts: Partition, largest: int = LARGEST) -> tuple[Seen, Seen]:
    """What spectrum and PSF are told by: the fullest window of a part in grey, and its core."""
    window = fullest_window(parts.core, largest)
    return grey_of(image[window]), parts.core[window].astype(np.float32)


def as_shown(estimate: Estimate, grey: Plane, gate: Plane, core: Plane) -> Estimate | None:
    """An estimate, if it fits its part well enough for a generator to be shown it.

    Args:
        estimate: what was estimated of the core.
        grey: mean of the channels, 0..1.
        gate: 1 where blurred.
        core: 1 where that is certain, off the border.
    """
    return Fit(estimate, _gap(estimate, grey, gate, core)).shown


@dataclass(frozen=True)
class Fit:
    """An estimate and how it fits its part.

    Attributes:
        estimate: the PSF of a part, or PSFs cell by cell.
        gap: how badly they fit somewhere in it; infinite where there is none to be sure of.
        even: whether cell by cell none were found that gather more.
        borne_out: whether the spectra of most places of a whole photo speak for it.
    """

    estimate: Estimate
    gap: float
    even: bool = False
    borne_out: bool = True

    @property
    def shown(self) -> Estimate | None:
        """The estimate, if it fits the part well enough for the generator to be shown it."""
        if self.estimate.lens:
            limit = ROUND_MISFIT
        else:
            limit = EVEN if self.even and self.estimate.steadiness >= SURE else MISFIT
        return self.estimate if self.gap <= limit and self.borne_out else None


def fit_part(
    image: AnyImage,
    parts: Partition,
    threads: int,
    learnt: LearntRound | None,
    quality: Quality,
    within: Window | None = None,
) -> Fit:
    """The PSF of a part, or PSFs cell by cell where they fit better, and how badly it fits.

    Args:
        image: RGB in 0..1.
        parts: of which the core is looked at.
        threads: threads to use.
        learnt: what makes a better PSF of one.
        quality: how much effort goes into it.
        within: the window that the PSF is estimated of; the fullest one when None.
    """
    side = SEARCHES[quality].window
    window = within or fullest_window(parts.core, side)
    grey, core = grey_of(image[window]), parts.core[window].astype(np.float32)
    estimate = estimate_psf(grey, core, threads, learnt, quality)
    gap = _gap(estimate, grey, parts.gate_in(window), core)
    found = parts.certainty < 1 and not is_whole(parts)
    if learnt and quality == "best" and found and Fit(estimate, gap).shown:
        better = told_further_in(estimate, grey, core, learnt, threads)
        if better is not estimate:
            estimate, gap = better, _gap(better, grey, parts.gate_in(window), core)
    if estimate.lens and (_is_unlikely(estimate.lens, parts) or _is_vague(estimate.lens)):
        gap = math.inf
    if learnt is None or estimate.lens or gap == math.inf:
        return Fit(estimate, gap)
    windows = [window]
    # Of what was found, places that are blurred otherwise are left out later on, by `shared_part`.
    if is_whole(parts) or parts.certainty == 1:
        windows += _corners(parts.core, side, window)
    here, elsewhere = gap, -math.inf
    for place in windows[1:]:
        seen, inside = grey_of(image[place]), parts.core[place]
        elsewhere = max(elsewhere, misfit(seen, parts.gate_in(place), inside, estimate.psf))
    if elsewhere > ELSEWHERE[quality]:
        gap = max(gap, elsewhere)
    even = False
    if UNIFORM < gap <= HOPELESS:
        field = estimate_field(GreyImage(image), parts.core, estimate.psf, learnt, window, threads)
        even = field is None
        if field is not None:
            fits = max(_gap_of_field(field, image, parts, place) for place in windows)
            if fits < BETTER * gap:
                return Fit(replace(estimate, field=field), fits)
    fit = Fit(estimate, gap, even)
    # Softness beside a part speaks against its path, too; `shared_part` leaves that out.
    if here <= UNIFORM or fit.shown is None or not is_whole(parts):
        return fit
    return replace(fit, borne_out=votes_for(image, parts, estimate.psf).share > 1 - MUCH)


def _gap_of_field(field: PsfField, image: AnyImage, parts: Partition, place: Window) -> float:
    """How badly PSFs cell by cell fit somewhere in a window."""
    grey, core = grey_of(image[place]), parts.core[place].astype(np.float32)
    undone = undo_field(grey, parts.gate_in(place), field, (place[0].start, place[1].start))
    return misfit_undone(grey, undone, core, field.psfs[0][0].shape[0] // 2)


def _corners(core: np.ndarray, side: int, window: Window) -> list[Window]:
    """The squares in a part's corners, where a window does not hold all of it."""
    if np.count_nonzero(core[window]) == np.count_nonzero(core):
        return []
    spans: list[list[slice]] = []
    for axis in (1, 0):
        places = np.flatnonzero(core.any(axis=axis))
        first, stop = int(places[0]), int(places[-1]) + 1
        starts = sorted({first, max(first, stop - side)})
        spans.append([slice(start, min(stop, start + side)) for start in starts])
    return list(product(spans[0], spans[1]))


def _is_unlikely(lens: RoundBlur, parts: Partition) -> bool:
    """Whether it is a disc far wider than what the detector sees; of Gaussians it sees less."""
    return lens.kind == "defocus" and lens.radius > WIDER * parts.mean_radius


def _is_vague(lens: RoundBlur) -> bool:
    """Whether it is a light Gaussian that a disc explains nearly as well: it may be neither."""
    return lens.kind == "gaussian" and lens.radius < NARROW and lens.margin < PLAIN


def is_whole(parts: Partition) -> bool:
    """Whether next to nothing of the photo is sharp."""
    return bool(np.count_nonzero(parts.gate) >= WHOLE * parts.gate.size)


def _gap(estimate: Estimate, grey: Plane, gate: Plane, core: Plane) -> float:
    """How badly an estimate fits somewhere in a part; infinite where it is none to be sure of."""
    return misfit(grey, gate, core, estimate.psf) if is_certain(estimate) else math.inf


def is_certain(estimate: Estimate) -> bool:
    """Whether an estimate is rather right than wrong, and tells of any blur."""
    return estimate.confidence >= CONFIDENCE and blur_radius(estimate.psf) >= RADIUS


def telling_windows(image: AnyImage, gate: Weights, largest: int) -> list[Window]:
    """Squares of a part in which there is most to see, that most first; all of a smaller part.

    A few squares are compared, and of those that overlap by half one is left out. Like the fullest
    window they have a margin.

    Args:
        image: RGB in 0..1.
        gate: over 0 in the part, which is somewhere.
        largest: side of the square in pixels.
    """
    inside, spans = gate > 0, []
    for axis in (1, 0):
        places = np.flatnonzero(inside.any(axis=axis))
        first, last = int(places[0]), max(int(places[0]), int(places[-1]) + 1 - largest)
        count = min(SQUARES, 1 + math.ceil((last - first) / (largest / 2)))
        starts = np.linspace(first, last, count).astype(int).tolist()
        spans.append([slice(start, start + largest) for start in starts])
    squares = list(product(spans[0], spans[1]))
    if len(squares) == 1:
        return [fullest_window(inside, largest)]

    def telling(square: Window) -> int:
        seen = structure(image[square]) > FLAT
        return int(np.count_nonzero(inside[square][::CELL, ::CELL] & seen))

    chosen: list[Window] = []
    for square in sorted(squares, key=telling, reverse=True):
        if all(_apart(square, other, largest // 2) for other in chosen):
            chosen.append(square)
    return [(with_margin(rows), with_margin(columns)) for rows, columns in chosen]


def _apart(square: Window, other: Window, least: int) -> bool:
    """Whether two squares are apart by some pixels down or across."""
    return any(abs(a.start - b.start) > least for a, b in zip(square, other, strict=True))
