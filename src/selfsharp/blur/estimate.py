"""Estimates the PSF of a blurred part from that part alone.

An estimate of image and PSF in turn ends in a local minimum, the right one or not, by the smallest
change of a setting (:mod:`selfsharp.blur.alternation`). So several begin, each with settings of its
own, and those go on that leave the sharpest and cleanest image behind. Learnt rounds follow, where
there are any: they lead out of some of the wrong minima.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Literal

import numpy as np

from selfsharp.blur.alternation import EFFORTS, SIDES, SIZE, Effort, begin, go_on, scaled
from selfsharp.blur.blurred_part import BlurredPart
from selfsharp.blur.confidence import AGREEING, ROUNDLY, SETTLING, gains, holds
from selfsharp.blur.direction import APART, apart, is_round
from selfsharp.blur.fullest_window import fullest_window
from selfsharp.blur.learnt_round import SETTLED, LearntRound, disagreement
from selfsharp.blur.lens import Power, RoundBlur, fit_round_blur, measure_power
from selfsharp.blur.mirrored_rounds import mirrored_rounds
from selfsharp.blur.misfit import mean_misfit
from selfsharp.blur.psf import Psf, cropped, tidied
from selfsharp.blur.psf_field import PsfField
from selfsharp.blur.scatter import diffuseness
from selfsharp.blur.sharpness import structure_over_noise
from selfsharp.image import Plane


@dataclass(frozen=True)
class Search:
    """How many estimates begin, and how many go on.

    Attributes:
        efforts: those that begin.
        survivors: how many are left after a scale: the finest is 0, the next coarser one 1 ...
        window: side in pixels of what is looked at, of a larger part.
        doubt: confidence under which learnt rounds of mirror images are asked as well.
    """

    efforts: tuple[Effort, ...]
    survivors: Mapping[int, int]
    window: int
    doubt: float = 0.0


Quality = Literal["fast", "best"]
SEARCHES: Mapping[Quality, Search] = {
    "best": Search(EFFORTS, {4: 4, 3: 3, 2: 2}, window=640, doubt=0.93),
    "fast": Search(EFFORTS[:3], {2: 2, 1: 1, 0: 1}, window=320),
}
"""The effort that goes into an estimate, by what is asked for. On 48 held-out photos, partly and
fully shaken, best is within 0.1 dB of all six going on to the third scale, in half the time. Mirror
images are asked in 42 of 68 others: taken where they fit better, by however little, mask given, ten
of those gain .3 to 4.8 dB more, three .2 to .5 less, and all 68 4.12 instead of 3.92 dB. Restoring
one of those then takes twice as long."""
TELLING = 1.2
"""Structure over noise that tells a PSF; of 152 blurred photos the least telling has 1.38."""
FEW = 120_000
"""Pixels of all estimates of a part up to which one thread takes them: more would wait for each
other longer than they work."""
ROUNDS = 6
"""Learnt rounds at most, each on what the one before has made."""
ALIKE = -2.0
"""Disagreement of search and rounds under which their mean is better than either: they err
differently. Beyond it rounds have led out of a wrong minimum, or into one. Of 88 held-out parts,
undone, the search with one round gains 2.09 dB in the mean, the last round 2.72, this 2.81."""
LESS = 0.003
"""By how much less the mean misfit of the PSF has to be that rounds of mirror images end in: what
tells them apart by less is chance, and differs from backend to backend."""
MIRRORED = 416
"""Side in pixels of what rounds of mirror images look at, of a larger part: under half the work. Of
34 held-out parts in doubt five are larger; four end alike, and one 1.4 dB better."""
POINT: Psf = np.ones((1, 1), np.float32)
"""The PSF of no blur."""


@dataclass(frozen=True)
class Estimate:
    """An estimated PSF and how far it can be trusted.

    Attributes:
        psf: what learnt rounds have made of the mean of the two best estimates; without any, that
            mean.
        both: the two, the better first; the same one twice where learnt rounds have made it, or
            where the blur is round.
        confidence: probability that it is worth undoing.
        lens: the Gaussian or disc that the blur is; None where it is a movement's.
        field: how the PSF differs from place to place; None where it is one all over.
        steadiness: the probability by how little the last learnt round has changed it alone,
            however it fits; 0 without learnt rounds.
    """

    psf: Psf
    both: tuple[Psf, Psf]
    confidence: float
    lens: RoundBlur | None = None
    field: PsfField | None = None
    steadiness: float = 0.0

    @property
    def bare(self) -> "Estimate":
        """The same without the empty frame around its PSFs: less has to be looked at for them."""
        better, other = map(cropped, self.both)
        alike = self.both[0] is self.both[1]
        return replace(self, psf=cropped(self.psf), both=(better, better if alike else other))


def estimate_psf(
    grey: Plane,
    mask: Plane,
    threads: int = 1,
    learnt: LearntRound | None = None,
    quality: Quality = "best",
) -> Estimate:
    """The PSF of the masked part: free in its shape, or a Gaussian or disc where it is round.

    Args:
        grey: mean of the channels, 0..1.
        mask: 1 where blurred by that PSF for certain; leave the region's border out.
        threads: more than one makes several estimates side by side.
        learnt: what makes a better PSF of one, round by round.
        quality: how many estimates are made.

    Returns:
        A point without any confidence where there is nothing to see but noise and even shading.
    """
    if structure_over_noise(grey, mask) < TELLING:
        return Estimate(POINT, (POINT, POINT), 0.0)
    search = partial(_best_two, grey, mask, threads, SEARCHES[quality])
    if threads > 1:
        # The search's last scales have too few estimates for all threads.
        with ThreadPoolExecutor(1) as beside:
            fitted = beside.submit(_round_blur, grey, mask)
            first, second = search()
        told = fitted.result()
    else:
        (first, second), told = search(), _round_blur(grey, mask)
    psf = tidied(first + second, 0.0)
    if told and is_round(told[0], psf, told[1]):
        lens = told[1]
        confidence = gains(ROUNDLY, min(apart(psf, lens), APART), mask)
        return Estimate(lens.psf, (lens.psf, lens.psf), confidence, lens)
    if learnt is None:
        confidence = gains(AGREEING, disagreement(first, second), mask)
        return Estimate(psf, (first, second), confidence)
    part = BlurredPart.of(grey, mask, SIZE)
    rounds = learnt_rounds(learnt, part, psf)
    differing = [disagreement(one, other) for one, other in pairwise(rounds)]
    better = rounds[-1]
    if disagreement(psf, better) < ALIKE:
        better = tidied(tidied(psf + rounds[1], 0.0) + better, 0.0)
    spread = mean_misfit(grey, mask, better)
    confidence = holds(differing[0], differing[-1], spread, mask)
    if confidence < SEARCHES[quality].doubt:
        anew = mirrored_rounds(learnt, _part_within(MIRRORED, grey, mask), psf)
        other = mean_misfit(grey, mask, anew)
        if other < spread - LESS:
            better, confidence = anew, holds(differing[0], differing[-1], other, mask)
    steadiness = gains(SETTLING, differing[-1], mask)
    return Estimate(better, (better, better), confidence, steadiness=steadiness)


def learnt_rounds(learnt: LearntRound, part: BlurredPart, psf: Psf) -> list[Psf]:
    """A PSF, and what each learnt round has made of the one before, until one changes nothing."""
    rounds = [psf]
    while len(rounds) <= ROUNDS:
        rounds.append(learnt(part, rounds[-1]))
        if disagreement(*rounds[-2:]) < SETTLED:
            break
    return rounds


def _part_within(largest: int, grey: Plane, mask: Plane) -> BlurredPart:
    """A part, or of a larger one where it is fullest."""
    window = fullest_window(mask > 0, largest)
    return BlurredPart.of(grey[window], mask[window], SIZE)


def _round_blur(grey: Plane, mask: Plane) -> tuple[Power, RoundBlur] | None:
    """A part's power spectrum, and the Gaussian or disc that explains it best; None for none."""
    power = measure_power(grey, mask)
    return (power, fit_round_blur(power)) if power else None


def _best_two(grey: Plane, mask: Plane, threads: int, search: Search) -> tuple[Psf, Psf]:
    """The two best of several estimates, the best first; the same one twice where one is left."""
    running = [begin(effort) for effort in search.efforts]
    with ThreadPoolExecutor(threads) as pool:
        each = pool.map if threads > 1 else map
        for finer, side in reversed(list(enumerate(SIDES))):
            small, inside = (scaled(plane, side / SIZE) for plane in (grey, mask))
            part = BlurredPart.of(small, inside, side)
            groups = min(threads, len(running)) if small.size * len(running) > FEW else 1
            shares = [running[start::groups] for start in range(groups)]
            for start, better in enumerate(each(partial(go_on, side, part), shares)):
                running[start::groups] = better
            if finer in search.survivors:
                psfs = [one.psf for one in running]
                marks = list(each(partial(diffuseness, small, inside), psfs))
                best = np.argsort(marks, kind="stable")[: search.survivors[finer]]
                running = [running[place] for place in best]
    return running[0].psf, running[-1].psf
