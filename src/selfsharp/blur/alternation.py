"""One estimate of a PSF and its image: in turn, from coarse to fine.

An image with few gradients that explains the blurred one, and the PSF that leads from its edges to
the blurred edges. After L. Xu, S. Zheng and J. Jia, Unnatural L0 sparse representation for natural
image deblurring, CVPR 2013, doi:10.1109/CVPR.2013.147; here with the sharp surroundings completed
by their re-blurred self, so that they neither mislead the estimate nor break it at the region's
border.

Estimates go on together, as one array: small images would spend their time between the steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32
from PIL import Image as PillowImage

from selfsharp.blur.blurred_part import BlurredPart
from selfsharp.blur.psf import Psf, tidied
from selfsharp.blur.regions import labelled
from selfsharp.blur.spectrum import (
    Planes,
    Spectrum,
    back,
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
FINEST_ROUNDS = 4
"""Rounds at the finest scale at most: they take half of the time, and change the PSF least."""
FLATTENING = 4e-4
"""How strongly gradients are removed from the explaining image in the end."""
SOFTEST, STIFFEST = 8.0, 30.0
"""Coupling of an image to its few gradients: the first, over how strongly they are removed, which
leaves hardly any; and from which on the image no longer changes."""
FLOOR = 0.1
"""Values of a PSF under this share of the largest are noise."""
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
class Candidate:
    """An estimate on its way from coarse to fine; its effort tells how it is to go on."""

    psf: Psf
    effort: Effort


def begin(effort: Effort) -> Candidate:
    """The first PSF, for the coarsest scale: a line of three pixels."""
    side = SIDES[-1]
    psf, middle = np.zeros((side, side), np.float32), side // 2
    psf[middle, middle - 1 : middle + 2] = 1 / 3
    return Candidate(psf.T.copy() if effort.upright else psf, effort)


def go_on(side: int, part: BlurredPart, several: Sequence[Candidate]) -> list[Candidate]:
    """Better estimates, at the scale where PSFs have so many pixels a side.

    Args:
        side: one of `SIDES`.
        part: the blurred part at that scale.
        several: what the next coarser scale has left; what becomes of one depends on no other.
    """
    psfs = np.stack([_enlarged(one.psf, side) for one in several])
    most = FINEST_ROUNDS if side == SIZE else max(one.effort.rounds for one in several)
    for number in range(most):
        going = [at for at, one in enumerate(several) if one.effort.rounds > number]
        efforts = [several[at].effort for at in going]
        flattenings = [max(FLATTENING, e.flattening / e.easing**number) for e in efforts]
        dampings = np.array([e.damping for e in efforts], np.float32)[:, None, None]
        blur = psf_spectrum(psfs[going], part.given.shape)
        evenly = part.evenly(blur)
        sharp = _explanation(evenly, blur, np.array(flattenings, np.float32))
        # The PSF leads from sharp edges to blurred ones, and has no light of its own.
        weights = part.quotient(sharp, evenly, side, dampings)
        psfs[going] = [tidied(_joined(each, FLOOR), FLOOR) for each in weights]
    return [
        Candidate(psf, replace(one.effort, flattening=_eased(one.effort)))
        for psf, one in zip(psfs, several, strict=True)
    ]


def estimate_once(grey: Plane, mask: Plane, effort: Effort) -> Psf:
    """What one estimate of several ends in, the right PSF or not."""
    running = [begin(effort)]
    for side in reversed(SIDES):
        small, inside = (scaled(plane, side / SIZE) for plane in (grey, mask))
        running = go_on(side, BlurredPart.of(small, inside, side), running)
    return running[0].psf


def scaled(plane: Plane, scale: float) -> Float32[np.ndarray, "rows columns"]:
    """The plane at another size, at least 8 px a side."""
    if scale == 1:
        return plane
    height, width = (max(8, round(side * scale)) for side in plane.shape)
    picture = PillowImage.fromarray(plane)
    return np.asarray(picture.resize((width, height), PillowImage.Resampling.LANCZOS))


def _enlarged(psf: Psf, side: int) -> Float32[np.ndarray, "side side"]:
    """A PSF as the next finer scale shows it."""
    if psf.shape[0] == side:
        return psf
    larger = PillowImage.fromarray(psf).resize((side, side), PillowImage.Resampling.BICUBIC)
    return tidied(np.asarray(larger), 0.03)


def _eased(effort: Effort) -> float:
    """How strongly gradients are removed after a scale."""
    return effort.flattening / effort.easing**effort.rounds


def _explanation(
    blurred: Planes, blur: Spectrum, flattening: Float32[np.ndarray, " candidates"]
) -> Planes:
    """The images with the fewest gradients that explain the blurred ones, each by its blur."""
    shape = blurred.shape[-2], blurred.shape[-1]
    slopes = slope_power(shape)
    data, energy = np.conj(blur) * transform(blurred), np.abs(blur) ** 2
    latent, coupling = blurred.copy(), SOFTEST * flattening
    going = np.arange(len(flattening))
    while going.size:
        # All of them as they are, without a copy, where none has ended.
        some = slice(None) if going.size == len(latent) else going
        across, below = derivatives(latent[some])
        weight = coupling[some, None, None]
        keep = across**2 + below**2 >= (flattening / coupling)[some, None, None]
        prior = data[some]
        if keep.any():
            across *= keep
            below *= keep
            prior = prior + weight * transform(divergence(across, below))
        latent[some] = back(over(prior, energy[some] + weight * slopes), shape)
        coupling *= 4
        going = np.flatnonzero(coupling < STIFFEST)
    return latent


def _joined(weights: np.ndarray, floor: float) -> np.ndarray:
    """A PSF without the small pieces that lie apart from the rest; a camera moves on a path."""
    kept = np.maximum(weights, 0) * (weights > floor * weights.max())
    labels = labelled(kept > 0)
    light = np.bincount(labels.ravel(), kept.ravel())
    return np.where(light[labels] >= LONE * kept.sum(), kept, 0)
