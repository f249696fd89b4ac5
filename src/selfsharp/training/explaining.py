"""What restoring does after a generator: a PSF corrects what was made, where it tells more.

A loss that sees crops so corrected leaves a generator to what only it can do. The correction is
linear, so what it would make of a crop follows from the crop's error, and from what it would do to
the sharp crop: nothing but noise and the PSF's own errors.
"""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from selfsharp.blur.deconvolve import CONTRAST
from selfsharp.blur.explain import lacking
from selfsharp.blur.psf import Psf
from selfsharp.blur.spectrum import slope_power
from selfsharp.image import grey_of
from selfsharp.restore.explained import DOUBTED, LEAST
from selfsharp.training.crop import Crop

DAMPING = LEAST + 0.1 * DOUBTED
"""That of an estimate as sure as most are that a generator is shown."""
BORDER = 32
"""Pixels of nothing beside a crop, so that one edge of it does not reach to the other."""


def with_correction(crop: Crop, psf: Psf) -> Crop:
    """The crop with what restoring would correct it by: two planes.

    They are what it would still do to the sharp crop, and the PSF in the middle of a plane, over
    the root of the damping.
    """
    height, width = crop.weight.shape
    target, given = grey_of(crop.target), grey_of(crop.image)
    left = lacking(target, given, crop.blur[:, :, 0], psf, DAMPING)
    canvas, side = np.zeros((height, width), np.float32), psf.shape[0]
    top, first = height // 2 - side // 2, width // 2 - side // 2
    canvas[top : top + side, first : first + side] = psf / np.float32(np.sqrt(DAMPING))
    return replace(crop, correction=np.stack([left, canvas], axis=2))


def corrected(restored: Tensor, target: Tensor, gate: Tensor, correction: Tensor) -> Tensor:
    """Restored crops as they would be in the end.

    Args:
        restored: shape (batch, 3, height, width).
        target: the same, sharp.
        gate: 1 where a crop is to be restored.
        correction: the planes of :func:`with_correction`; zeros correct nothing.
    """
    height, width = gate.shape[2:]
    shape = height + BORDER, width + BORDER
    rim = (0, BORDER, 0, BORDER)
    error = functional.pad((restored - target).mean(dim=1), rim)
    psf = functional.pad(correction[:, 1], rim)
    psf = torch.roll(psf, (-(height // 2), -(width // 2)), dims=(1, 2))
    blur = torch.fft.rfft2(psf)
    prior = torch.from_numpy(np.sqrt(slope_power(shape) + np.float32(CONTRAST))).to(blur.device)
    again = torch.fft.irfft2(blur * torch.fft.rfft2(error), s=shape)
    again = again * functional.pad(gate[:, 0], rim)
    undone = torch.fft.rfft2(again) * blur.conj() / (blur.abs() ** 2 + prior)
    found = torch.fft.irfft2(undone, s=shape)[:, :height, :width]
    return restored + gate * (correction[:, :1] - found[:, None])
