"""Estimates the PSF of a blurred part from that part alone.

Coarse to fine, two steps in turn: an image with few gradients that explains the blurred one,
and the PSF that leads from its edges to the blurred edges. After L. Xu, S. Zheng and J. Jia,
Unnatural L0 sparse representation for natural image deblurring, CVPR 2013,
doi:10.1109/CVPR.2013.147; here with the sharp surroundings completed by their re-blurred self,
so that they neither mislead the estimate nor break it at the region's border.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from PIL import Image as PillowImage
from PIL import ImageFilter

from selfsharp.blur.psf import Psf, blur_radius
from selfsharp.blur.spectrum import (
    bordered,
    derivative_spectra,
    derivatives,
    psf_spectrum,
)
from selfsharp.image import Plane

SIZE = 31
"""Side of the PSF that is looked for, in pixels."""
FLATTENING = 7e-4
"""How strongly gradients are removed from the explaining image."""


@dataclass(frozen=True)
class Effort:
    """Settings of one estimate.

    Attributes:
        rounds: times that image and PSF are estimated in turn at each scale.
        damping: how strongly weak frequencies of the PSF are held down.
        floor: values under this share of the largest are noise.
    """

    rounds: int
    damping: float
    floor: float


EFFORTS = (Effort(6, damping=50.0, floor=0.1), Effort(8, damping=100.0, floor=0.1))
"""Two estimates that differ: where the photo tells the PSF, they agree all the same."""


@dataclass(frozen=True)
class Estimate:
    """An estimated PSF and how far it can be trusted.

    Attributes:
        psf: the mean of two estimates.
        both: the two, each of its own settings.
        agreement: largest correlation of the two, 0..1.
        spread: number of pixels that the light falls on, as a share of a disc's of the same
            radius; a path has little, a Gaussian 1 and more.
    """

    psf: Psf
    both: tuple[Psf, Psf]
    agreement: float
    spread: float


def estimate_psf(grey: Plane, mask: Plane) -> Estimate:
    """The PSF of the masked part.

    Args:
        grey: mean of the channels, 0..1.
        mask: 1 where blurred by that PSF for certain; leave the region's border out.
    """
    first, second = (_estimate(grey, mask, effort) for effort in EFFORTS)
    psf = _tidied(first + second, 0.0)
    spread = 1 / float((psf**2).sum()) / (2 * np.pi * max(blur_radius(psf), 0.5) ** 2)
    return Estimate(psf, (first, second), _agreement(first, second), spread)


def _estimate(grey: Plane, mask: Plane, effort: Effort) -> Psf:
    sizes = [SIZE]
    while sizes[-1] > 5:
        smaller = round(sizes[-1] / math.sqrt(2))
        sizes.append(min(smaller + (smaller % 2 == 0), sizes[-1] - 2))
    psf = np.zeros((sizes[-1], sizes[-1]), np.float32)
    psf[sizes[-1] // 2, sizes[-1] // 2 - 1 : sizes[-1] // 2 + 2] = 1 / 3
    for size in reversed(sizes):
        if psf.shape[0] != size:
            larger = PillowImage.fromarray(psf).resize((size, size), _BICUBIC)
            psf = _tidied(np.asarray(larger), 0.03)
        psf = _refined(psf, _scaled(grey, size / SIZE), _scaled(mask, size / SIZE), effort)
    return psf


_BICUBIC = PillowImage.Resampling.BICUBIC


def _refined(psf: Psf, grey: Plane, mask: Plane, effort: Effort) -> Psf:
    """A better PSF at one scale."""
    size = psf.shape[0]
    given = bordered(grey, size)
    inside = bordered((mask > 0.5).astype(np.float32), size, mode="constant")
    trusted = _eroded(inside, size // 4)
    for _ in range(effort.rounds):
        again = np.fft.irfft2(psf_spectrum(psf, given.shape) * np.fft.rfft2(given), given.shape)
        evenly = (inside * given + (1 - inside) * again).astype(np.float32)
        psf = _psf_between(_explanation(evenly, psf), evenly, trusted, size, effort)
    return psf


def _explanation(blurred: Plane, psf: Psf) -> Plane:
    """The image with the fewest gradients that explains the blurred one."""
    shape = blurred.shape
    blur = psf_spectrum(psf, shape)
    along, down = derivative_spectra(shape)
    slopes = np.abs(along) ** 2 + np.abs(down) ** 2
    data, energy = np.conj(blur) * np.fft.rfft2(blurred), np.abs(blur) ** 2
    latent, coupling = blurred, 2 * FLATTENING
    while coupling < 1e3:
        across, below = derivatives(latent)
        keep = across**2 + below**2 >= FLATTENING / coupling
        prior = np.conj(along) * np.fft.rfft2(across * keep)
        prior += np.conj(down) * np.fft.rfft2(below * keep)
        latent = np.fft.irfft2((data + coupling * prior) / (energy + coupling * slopes), shape)
        coupling *= 4
    return latent.astype(np.float32)


def _psf_between(sharp: Plane, blurred: Plane, trusted: Plane, size: int, effort: Effort) -> Psf:
    """The PSF that leads from the sharp to the blurred edges, by damped least squares."""
    shape = sharp.shape
    cross: np.ndarray | float = 0.0
    energy: np.ndarray | float = effort.damping
    for before, after in zip(derivatives(sharp), derivatives(blurred), strict=True):
        spectrum = np.fft.rfft2(before * trusted)
        cross = cross + np.conj(spectrum) * np.fft.rfft2(after * trusted)
        energy = energy + np.abs(spectrum) ** 2
    found = np.fft.irfft2(cross / energy, shape)
    half = size // 2
    return _tidied(np.roll(found, (half, half), (0, 1))[:size, :size], effort.floor)


def _tidied(weights: np.ndarray, floor: float) -> Psf:
    """A PSF without weak and negative values, its centroid on the middle pixel."""
    kept = np.where(weights > floor * weights.max(), np.maximum(weights, 0), 0)
    if not kept.any():
        kept = np.zeros_like(kept)
        kept[kept.shape[0] // 2, kept.shape[1] // 2] = 1
    rows, columns = np.mgrid[: kept.shape[0], : kept.shape[1]]
    middle = kept.shape[0] // 2
    shift = [round(middle - float((kept * at).sum() / kept.sum())) for at in (rows, columns)]
    return (np.roll(kept, shift, (0, 1)) / kept.sum()).astype(np.float32)


def _agreement(first: Psf, second: Psf) -> float:
    """Largest normalised correlation of two PSFs of one size, whatever their shift."""
    shape = (2 * first.shape[0], 2 * first.shape[1])
    spectra = [np.fft.rfft2(psf, shape) for psf in (first, second)]
    best = float(np.fft.irfft2(spectra[0] * np.conj(spectra[1]), shape).max())
    return best / float(np.sqrt((first**2).sum() * (second**2).sum()))


def _eroded(mask: Plane, reach: int) -> Plane:
    """The mask without a rim, with a soft edge of 5 px."""
    picture = PillowImage.fromarray((mask * 255).astype(np.uint8))
    picture = picture.filter(ImageFilter.MinFilter(max(3, 2 * reach + 1)))
    return np.asarray(picture.filter(ImageFilter.BoxBlur(2)), np.float32) / np.float32(255)


def _scaled(plane: Plane, scale: float) -> Float32[np.ndarray, "rows columns"]:
    """The plane at another size, at least 8 px a side."""
    if scale == 1:
        return plane
    height, width = (max(8, round(side * scale)) for side in plane.shape)
    picture = PillowImage.fromarray(plane)
    return np.asarray(picture.resize((width, height), PillowImage.Resampling.LANCZOS))
