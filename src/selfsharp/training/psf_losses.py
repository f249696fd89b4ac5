"""Losses of the estimator: how far a PSF is off, and what undoing it would lose."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from selfsharp.blur.deconvolve import CONTRAST
from selfsharp.blur.learnt_round import WEAK
from selfsharp.blur.psf import tidied as tidied_psf
from selfsharp.blur.spectrum import slope_power

Psfs = Float[Tensor, "batch side side"]
SHAPE = (96, 96)
"""Frequencies at which PSFs are compared."""
DAMPING, NOISE = 0.01, 2e-3
"""How a PSF is undone to see what it loses, and the noise beside a photo's power spectrum."""
FLATTEST = 3e-3
"""What keeps the power spectrum finite at the lowest frequencies."""
WORST_ERROR, MOST_LOST = 3.0, 12.0
"""Losses beyond these tell nothing: such a PSF is wrong altogether."""


def psf_losses(found: Psfs, truth: Psfs) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Squared error of a PSF over the true one's square, and its light that is misplaced.

    The true PSF is shifted as a whole to where it comes closest: a shifted PSF restores the same
    photo, shifted.
    """
    off = found - _shifted_to(truth, found.detach())
    error = (off**2).sum((1, 2)) / (truth**2).sum((1, 2))
    return error.clamp(max=WORST_ERROR).mean(), off.abs().sum((1, 2)).mean()


def lost_gain(found: Psfs, truth: Psfs) -> Float[Tensor, ""]:
    """What undoing a PSF in place of the true one is expected to lose, in dB."""
    return lost_by_each(found, truth).clamp(max=MOST_LOST).mean()


def lost_by_each(found: Psfs, truth: Psfs) -> Float[Tensor, " batch"]:
    """What undoing each PSF in place of the true one is expected to lose, in dB.

    The ratio of the squared errors that a Wiener filter of either leaves in a photo whose power
    falls as that of natural images does, with noise; both PSFs centred as they are when undone.
    """
    truth_spectrum = _centred(truth)
    lost = _error_left(_centred(found), truth_spectrum) / _error_left(
        truth_spectrum, truth_spectrum
    )
    return 10 / math.log(10) * torch.log(lost)


def tidied(psf: Float[Tensor, "batch 1 side side"]) -> Float[Tensor, "batch 1 side side"]:
    """PSFs as they leave a learnt round: nothing weak, the centroid on the middle pixel."""
    planes = [tidied_psf(one, WEAK) for one in psf.detach().float().cpu().numpy()[:, 0]]
    return torch.from_numpy(np.stack(planes)).to(psf)[:, None]


def _error_left(psf: Tensor, truth: Tensor) -> Tensor:
    """The squared error of a photo of natural power, undone by PSFs, given their spectra."""
    slopes = torch.from_numpy(slope_power(SHAPE)).to(truth.device)
    # Each frequency but the first and the last column stands for two.
    twice = torch.full_like(slopes, 2.0)
    twice[:, 0] = twice[:, -1] = 1.0
    photo = (slopes > 1e-6) / (slopes + FLATTEST)
    inverse = psf.conj() / (psf.abs() ** 2 + DAMPING * (slopes + CONTRAST))
    left = photo * (inverse * truth - 1).abs() ** 2 + NOISE * inverse.abs() ** 2
    return (left * twice).sum((1, 2))


def _centred(psf: Psfs) -> Tensor:
    """The spectra of PSFs with their centroids exactly on the first pixel."""
    side, at = psf.shape[-1], torch.arange(psf.shape[-1], device=psf.device, dtype=psf.dtype)
    row, column = (psf.sum(2) * at).sum(1), (psf.sum(1) * at).sum(1)
    rows = torch.fft.fftfreq(SHAPE[0], device=psf.device)[None, :, None]
    columns = torch.fft.rfftfreq(SHAPE[1], device=psf.device)[None, None]
    turns = 2 * math.pi * (row[:, None, None] * rows + column[:, None, None] * columns)
    whole = F.pad(psf, (0, SHAPE[1] - side, 0, SHAPE[0] - side))
    return torch.fft.rfft2(whole) * torch.polar(torch.ones_like(turns), turns)


def _shifted_to(truth: Psfs, found: Psfs) -> Psfs:
    """True PSFs, each shifted by whole pixels to where it comes closest to the one found."""
    side, size = truth.shape[-1], 2 * truth.shape[-1]
    spectra = (torch.fft.rfft2(psf, s=(size, size)) for psf in (found, truth))
    one, other = spectra
    places = torch.fft.irfft2(one * other.conj(), s=(size, size)).flatten(1).argmax(1)
    shifted = []
    for psf, place in zip(truth, places.tolist(), strict=True):
        shift = [(at + side) % size - side for at in divmod(place, size)]
        wide = torch.roll(F.pad(psf, (side, side, side, side)), shift, (0, 1))
        shifted.append(wide[side:-side, side:-side])
    return torch.stack(shifted)
