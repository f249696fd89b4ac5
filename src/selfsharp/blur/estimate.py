"""Estimates the PSF of a blurred part from that part alone.

Coarse to fine, two steps in turn: an image with few gradients that explains the blurred one,
and the PSF that leads from its edges to the blurred edges. After L. Xu, S. Zheng and J. Jia,
Unnatural L0 sparse representation for natural image deblurring, CVPR 2013,
doi:10.1109/CVPR.2013.147; here with the sharp surroundings completed by their re-blurred self,
so that they neither mislead the estimate nor break it at the region's border.

Such an alternation ends in a local minimum, the right one or not, by the smallest change of a
setting. So several begin, each with settings of its own, and those go on that leave the sharpest
and cleanest image behind.
"""

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from jaxtyping import Float32
from PIL import Image as PillowImage

from selfsharp.blur.blurred_part import BlurredPart
from selfsharp.blur.deconvolve import divide_plane
from selfsharp.blur.direction import APART, apart, is_round
from selfsharp.blur.learnt_round import LearntRound
from selfsharp.blur.lens import RoundBlur, fit_round_blur, measure_power
from selfsharp.blur.psf import Psf, tidied
from selfsharp.blur.psf_field import PsfField
from selfsharp.blur.regions import labelled
from selfsharp.blur.sharpness import structure_over_noise
from selfsharp.blur.spectrum import (
    Spectrum,
    derivatives,
    divergence,
    over,
    psf_spectrum,
    slope_power,
    transform,
)
from selfsharp.image import Plane

SIZE = 31
"""Side of the PSF that is looked for, in pixels."""
SIDES = (31, 23, 17, 13, 9, 7, 5)
"""Its sides from scale to scale, the finest first; the image shrinks as it does."""
FLATTENING = 4e-4
"""How strongly gradients are removed from the explaining image in the end."""
CAREFUL = (0.02, 0.01)
"""Weight of the prior where estimates are compared by what undoing them leaves."""
STEADY = (2.75, 0.54, -12.9)
"""Logistic regression of whether undoing an estimate gains, on the logarithms of what it does not
agree in with its learnt round, and of its part's pixels. A round leaves a right PSF about as it is,
and changes a wrong one. Of 383 held-out parts, of 96 to 640 px a side, 66 % gain; it ranks 90 % of
the pairs of one that does and one that does not rightly (left out by fifths)."""
AGREEING = (0.36, 1.13, -12.7)
"""The same, on how the two best estimates agree, where there is no learnt round: 76 %."""
ROUNDLY = (2.6, 1.09, -8.1)
"""The same for round blur, on how far its radius differs from the estimated PSF's: 86 % of 106."""
LONE = 0.1
"""A piece of a PSF apart from the rest, with less of its light than this, is an error."""


@dataclass(frozen=True)
class Effort:
    """Settings of one estimate.

    Attributes:
        rounds: times that image and PSF are estimated in turn at each scale.
        damping: how strongly weak frequencies of the PSF are held down.
        flattening: how strongly gradients are removed in the beginning: at first the few
            strongest edges tell the PSF, then more and more of them.
        easing: by what factor that falls from round to round.
        upright: whether the first PSF is a short line upwards, or one to the side.
    """

    rounds: int
    damping: float
    flattening: float
    easing: float
    upright: bool = False


EFFORTS = (
    Effort(6, damping=50.0, flattening=3e-3, easing=1.06),
    Effort(6, damping=50.0, flattening=3e-3, easing=1.06, upright=True),
    Effort(8, damping=100.0, flattening=4e-3, easing=1.05),
    Effort(10, damping=50.0, flattening=2e-3, easing=1.03),
    Effort(10, damping=50.0, flattening=2e-3, easing=1.03, upright=True),
    Effort(10, damping=200.0, flattening=2e-3, easing=1.03),
)
"""Estimates that differ, and with them the local minima that they end in."""


@dataclass(frozen=True)
class Search:
    """How many estimates begin, and how many go on.

    Attributes:
        efforts: those that begin.
        survivors: how many are left after a scale: the finest is 0, the next coarser one 1 ...
        window: side in pixels of what is looked at, of a larger part.
    """

    efforts: tuple[Effort, ...]
    survivors: Mapping[int, int]
    window: int


Quality = Literal["fast", "best"]
SEARCHES: Mapping[Quality, Search] = {
    "best": Search(EFFORTS, {4: 4, 3: 3, 2: 2}, window=640),
    "fast": Search(EFFORTS[:3], {2: 2, 1: 1, 0: 1}, window=320),
}
"""The effort that goes into an estimate, by what is asked for."""
FINEST_ROUNDS = 4
"""Rounds at the finest scale at most: they take half of the time, and change the PSF least."""
SOFTEST, STIFFEST = 8.0, 30.0
"""Coupling of an image to its few gradients: the first, over how strongly they are removed, which
leaves hardly any; and from which on the image no longer changes."""
TELLING = 1.2
"""Structure over noise that tells a PSF; of 152 blurred photos the least telling has 1.38."""
POINT: Psf = np.ones((1, 1), np.float32)
"""The PSF of no blur."""
FLOOR = 0.1
"""Values of a PSF under this share of the largest are noise."""


@dataclass(frozen=True)
class Estimate:
    """An estimated PSF and how far it can be trusted.

    Attributes:
        psf: the mean of the two best estimates.
        both: the two, the better first, each averaged with a learnt one where there is one; the
            same one twice where the blur is round.
        confidence: probability that undoing it gains anything.
        lens: the Gaussian or disc that the blur is; None where it is a movement's.
        field: how the PSF differs from place to place; None where it is one all over.
    """

    psf: Psf
    both: tuple[Psf, Psf]
    confidence: float
    lens: RoundBlur | None = None
    field: PsfField | None = None


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
        learnt: what makes a better PSF of the mean of the two best.
        quality: how many estimates are made.

    Returns:
        A point without any confidence where there is nothing to see but noise and even shading.
    """
    if structure_over_noise(grey, mask) < TELLING:
        return Estimate(POINT, (POINT, POINT), 0.0)
    first, second = _best_two(grey, mask, threads, SEARCHES[quality])
    psf = tidied(first + second, 0.0)
    lens = _round_blur(grey, mask, psf)
    if lens:
        confidence = gains(ROUNDLY, min(apart(psf, lens), APART), mask)
        return Estimate(lens.psf, (lens.psf, lens.psf), confidence, lens)
    if learnt is None:
        confidence = gains(AGREEING, disagreement(first, second), mask)
        return Estimate(psf, (first, second), confidence)
    # It errs elsewhere than the two do, so that their means are better than either.
    better = learnt(BlurredPart.of(grey, mask, SIZE), psf)
    first, second = (tidied(one + better, 0.0) for one in (first, second))
    confidence = gains(STEADY, disagreement(psf, better), mask)
    return Estimate(tidied(first + second, 0.0), (first, second), confidence)


def _round_blur(grey: Plane, mask: Plane, psf: Psf) -> RoundBlur | None:
    """The Gaussian or disc that a part was blurred by rather than by an estimated PSF, if any."""
    power = measure_power(grey, mask)
    if power is None:
        return None
    lens = fit_round_blur(power)
    return lens if is_round(power, psf, lens) else None


def gains(fit: tuple[float, float, float], differing: float, mask: Plane) -> float:
    """Probability that undoing an estimate gains, by how far it differs from another.

    Args:
        fit: `STEADY`, `AGREEING` or `ROUNDLY`, as the other is.
        differing: a logarithm, of what the two do not agree in or of the ratio of their radii.
        mask: 1 in the part; a larger one tells more.
    """
    slope, growth, offset = fit
    evidence = growth * math.log(max(np.count_nonzero(mask > 0.5), 1)) + offset
    return 1 / (1 + math.exp(slope * differing - evidence))


def estimate_once(grey: Plane, mask: Plane, effort: Effort) -> Psf:
    """What one estimate of several ends in, the right PSF or not."""
    one = _begin(SIDES[-1], effort)
    for side in reversed(SIDES):
        small, inside = (_scaled(plane, side / SIZE) for plane in (grey, mask))
        one = _go_on(side, BlurredPart.of(small, inside, side), one)
    return one.psf


def _best_two(grey: Plane, mask: Plane, threads: int, search: Search) -> tuple[Psf, Psf]:
    """The two best of several estimates, the best first; the same one twice where one is left."""
    running = [_begin(SIDES[-1], effort) for effort in search.efforts]
    with ThreadPoolExecutor(threads) as pool:
        each = pool.map if threads > 1 else map
        for finer, side in reversed(list(enumerate(SIDES))):
            small, inside = (_scaled(plane, side / SIZE) for plane in (grey, mask))
            part = BlurredPart.of(small, inside, side)
            running = list(each(partial(_go_on, side, part), running))
            if finer in search.survivors:
                psfs = [one.psf for one in running]
                marks = list(each(partial(diffuseness, small, inside), psfs))
                best = np.argsort(marks, kind="stable")[: search.survivors[finer]]
                running = [running[place] for place in best]
    return running[0].psf, running[-1].psf


@dataclass(frozen=True)
class _Candidate:
    """An estimate on its way from coarse to fine; its effort tells how it is to go on."""

    psf: Psf
    effort: Effort


def _begin(side: int, effort: Effort) -> _Candidate:
    """A line of three pixels."""
    psf, middle = np.zeros((side, side), np.float32), side // 2
    psf[middle, middle - 1 : middle + 2] = 1 / 3
    return _Candidate(psf.T.copy() if effort.upright else psf, effort)


def _go_on(side: int, part: BlurredPart, one: _Candidate) -> _Candidate:
    """A better estimate, at the next finer scale."""
    psf, effort = one.psf, one.effort
    if psf.shape[0] != side:
        larger = PillowImage.fromarray(psf).resize((side, side), PillowImage.Resampling.BICUBIC)
        psf = tidied(np.asarray(larger), 0.03)
    for number in range(min(effort.rounds, FINEST_ROUNDS) if side == SIZE else effort.rounds):
        flattening = max(FLATTENING, effort.flattening / effort.easing**number)
        blur = psf_spectrum(psf, part.given.shape)
        evenly = part.evenly(blur)
        sharp = _explanation(evenly, blur, flattening)
        psf = _psf_between(sharp, part, evenly, side, effort.damping)
    eased = effort.flattening / effort.easing**effort.rounds
    return _Candidate(psf, replace(effort, flattening=eased))


def diffuseness(grey: Plane, mask: Plane, psf: Psf) -> float:
    """How little gradients are gathered in few places once a PSF is undone; less is better.

    Blur spreads gradients, and so does the ringing of a wrong PSF.

    Args:
        grey: mean of the channels, 0..1.
        mask: 1 where blurred.
        psf: how it may be blurred.
    """
    sharp = divide_plane(grey, mask, psf, CAREFUL)
    rim = max(4, psf.shape[0] // 3)
    inner = slice(rim, -rim), slice(rim, -rim)
    size = np.hypot(*derivatives(sharp))[inner][mask[inner] > 0.5]
    if not size.any():
        return 0.0
    return scatter(size)


def scatter(slopes: np.ndarray) -> float:
    """How little gradients are gathered in few places: log of their mean over their RMS.

    No contrast changes it. After D. Krishnan, T. Tay and R. Fergus, Blind deconvolution using a
    normalized sparsity measure, 2011, doi:10.1109/CVPR.2011.5995521.

    Args:
        slopes: sizes of gradients, not all of them 0.
    """
    return float(np.log(slopes.mean() / np.sqrt((slopes**2).mean())))


def _explanation(blurred: Plane, blur: Spectrum, flattening: float) -> Plane:
    """The image with the fewest gradients that explains the blurred one."""
    shape, slopes = blurred.shape, slope_power(blurred.shape)
    data, energy = np.conj(blur) * transform(blurred), np.abs(blur) ** 2
    latent, coupling = blurred, SOFTEST * flattening
    while coupling < STIFFEST:
        across, below = derivatives(latent)
        keep = across**2 + below**2 >= flattening / coupling
        weight = np.float32(coupling)
        if keep.any():
            across *= keep
            below *= keep
            prior = transform(divergence(across, below))
            prior *= weight
            prior += data
        else:
            prior = data
        latent = np.fft.irfft2(over(prior, energy + weight * slopes), shape)
        coupling *= 4
    return latent


def _psf_between(sharp: Plane, part: BlurredPart, blurred: Plane, side: int, damping: float) -> Psf:
    """The PSF that leads from the sharp to the blurred edges, with no light of its own."""
    weights = part.quotient(sharp, blurred, side, damping)
    return tidied(_joined(weights, FLOOR), FLOOR)


def _joined(weights: np.ndarray, floor: float) -> np.ndarray:
    """A PSF without the small pieces that lie apart from the rest; a camera moves on a path."""
    kept = np.maximum(weights, 0) * (weights > floor * weights.max())
    labels = labelled(kept > 0)
    light = np.bincount(labels.ravel(), kept.ravel())
    return np.where(light[labels] >= LONE * kept.sum(), kept, 0)


def disagreement(first: Psf, second: Psf) -> float:
    """Logarithm of what two PSFs of one size lack of full correlation, whatever their shift."""
    shape = (2 * first.shape[0], 2 * first.shape[1])
    spectra = [transform(psf, shape) for psf in (first, second)]
    best = float(np.fft.irfft2(spectra[0] * np.conj(spectra[1]), shape).max())
    agreement = best / float(np.sqrt((first**2).sum() * (second**2).sum()))
    return math.log(max(1 - agreement, 1e-4))


def _scaled(plane: Plane, scale: float) -> Float32[np.ndarray, "rows columns"]:
    """The plane at another size, at least 8 px a side."""
    if scale == 1:
        return plane
    height, width = (max(8, round(side * scale)) for side in plane.shape)
    picture = PillowImage.fromarray(plane)
    return np.asarray(picture.resize((width, height), PillowImage.Resampling.LANCZOS))
