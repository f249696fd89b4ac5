"""Losses: how far a restored crop is from its target, and a found blur map from the truth."""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

Batch = Float[Tensor, "batch 3 height width"]
Weight = Float[Tensor, "batch 1 height width"]
Part = Literal["clear", "blurred", "whole"]
"""The label z of a part of a crop; `whole` is both, as in a content loss without parts."""
PLAIN = 0.7
"""Blur radius in pixels from which a person sees it."""
NOISE = (1 / 255) ** 2
"""Squared error of a grey level, under which it matters little how close a crop comes."""


def pixel_loss(restored: Batch, target: Batch, weight: Weight) -> Float[Tensor, ""]:
    """Charbonnier distance, a smooth L1, averaged by weight within each crop.

    Each crop counts the same however small its blurred part is. Charbonnier et al. 1994,
    doi:10.1109/ICIP.1994.413553.
    """
    return _mean_by_weight(torch.sqrt((restored - target) ** 2 + 1e-6), weight)


def decibel_loss(restored: Batch, target: Batch, weight: Weight) -> Float[Tensor, ""]:
    """Half the log of each crop's weighed squared error, averaged: a decibel counts alike in all.

    A distance counts the crops most that are restored worst, so that a network learns from them
    to hold back; here what can be restored well counts as much. Crops without weight do not count.
    After L. Chen et al., HINet, CVPR Workshops 2021, doi:10.1109/CVPRW53098.2021.00027.
    """
    shares = weight.mean((1, 2, 3))
    error = ((restored - target) ** 2 * weight).mean((1, 2, 3)) / shares.clamp_min(1e-8)
    return (torch.log((error + NOISE) / NOISE) * (shares > 0)).mean() / 2


def frequency_loss(restored: Batch, target: Batch, weight: Weight) -> Float[Tensor, ""]:
    """Mean L1 distance of the spectra, orthonormal, of the weighed difference.

    After Cho et al. 2021, doi:10.1109/ICCV48922.2021.00460.
    """
    return torch.fft.rfft2((restored - target) * weight, norm="ortho").abs().mean()


def gradient_loss(restored: Batch, target: Batch, weight: Weight) -> Float[Tensor, ""]:
    """L1 distance of the differences between neighbouring pixels, averaged as the pixel loss.

    Rows and columns count alike; a difference weighs as much as the lighter of its two pixels.
    """
    off, total = restored - target, restored.new_zeros(())
    for axis in (2, 3):
        steps = off.diff(dim=axis).abs()
        length = weight.shape[axis] - 1
        pairs = torch.minimum(weight.narrow(axis, 0, length), weight.narrow(axis, 1, length))
        total = total + _mean_by_weight(steps, pairs)
    return total / 2


def coarse_loss(
    residuals: Sequence[Float[Tensor, "batch 3 _ _"]], image: Batch, target: Batch, weight: Weight
) -> Float[Tensor, ""]:
    """The pixel loss at 1/2, 1/4 ... of the size, summed: supervision at several scales.

    Args:
        residuals: what a network adds at each of these scales, finest first.
    """
    total = image.new_zeros(())
    for place, residual in enumerate(residuals, 1):
        small, wanted, counts = (F.avg_pool2d(x, 2**place) for x in (image, target, weight))
        total = total + pixel_loss(small + residual, wanted, counts)
    return total


def content_loss(
    found: Float[Tensor, "batch channels h w"],
    wanted: Float[Tensor, "batch channels h w"],
    blurred: Weight,
    gammas: Mapping[Part, float],
) -> Float[Tensor, ""]:
    """The multi-component content loss: sum over the parts z of gamma_z L_z.

    L_z is the mean squared distance of features over the part z alone, normalised by the
    part's own area in each crop; a part that a crop does not have counts nothing. Khmag and
    Ramlee, eq. 5-7; features to compare pictures by: Johnson et al. 2016,
    doi:10.1007/978-3-319-46475-6_43.

    Args:
        found: features of the restored crop.
        wanted: features of the target.
        blurred: 1 in the blurred part, 0 in the clear part, at full size.
        gammas: the weight of each part, by its label.
    """
    distance = ((found - wanted) ** 2).mean(1, keepdim=True)
    height, width = distance.shape[2:]
    share = F.adaptive_avg_pool2d(blurred, (height, width))
    areas: dict[Part, Tensor] = {
        "clear": 1 - share,
        "blurred": share,
        "whole": torch.ones_like(share),
    }
    terms = [gamma * _mean_by_weight(distance, areas[label]) for label, gamma in gammas.items()]
    return torch.stack(terms).sum()


def detection_loss(
    found: Float[Tensor, "batch answers h w"], truth: Float[Tensor, "batch 2 height width"]
):
    """Cross-entropy of being blurred plus the error of the radius where it is known.

    Args:
        found: logit and radius at 1/4 scale, and the logit of what a person sees, if it tells that.
        truth: label (1, 0, or -1: undecided) and radius (-1: not known), full size.
    """
    scale = truth.shape[-1] // found.shape[-1]
    label, radius = truth[:, 0], truth[:, 1]
    told = _entropy(found[:, 0], label, scale)
    known = F.avg_pool2d((radius > 0).float(), scale)
    wanted = F.avg_pool2d(radius.clamp(min=0), scale)
    # Relative: one pixel matters more at radius 1 than at 10.
    off = F.smooth_l1_loss(found[:, 1], wanted, reduction="none", beta=0.5) / (0.5 + wanted)
    loss = told + (off * known).mean()
    return loss if found.shape[1] == 2 else loss + _entropy(found[:, 2], as_seen(truth), scale)


def as_seen(truth: Float[Tensor, "batch 2 height width"]) -> Float[Tensor, "batch height width"]:
    """What a person calls blurred: 1, 0, or -1 where it is hard to tell.

    A mask made by hand counts as it is. Flat places that were blurred count as blurred, though
    nothing there shows it.

    Args:
        truth: label and radius, as above; a mask by hand has a label, and no radius.
    """
    label, radius = truth[:, 0], truth[:, 1]
    made = torch.where(radius > PLAIN, 1.0, torch.where(radius > 0, -1.0, 0.0))
    return torch.where(radius < 0, (label != 0).float(), made)


def _entropy(
    logit: Float[Tensor, "batch h w"], label: Float[Tensor, "batch height width"], scale: int
) -> Float[Tensor, ""]:
    """Cross-entropy of a logit at a coarser scale; where a label is undecided it counts less."""
    decided = F.avg_pool2d((label >= 0).float(), scale)
    share = F.avg_pool2d(label.clamp(min=0), scale)
    # Where a 4x4 cell is partly undecided, or on a region's border, it counts less.
    certain = decided * (1 - 2 * torch.minimum(share, 1 - share))
    entropy = F.binary_cross_entropy_with_logits(logit, share, reduction="none")
    return (entropy * certain).mean()


def _mean_by_weight(
    values: Float[Tensor, "batch channels h w"], weight: Float[Tensor, "batch 1 h w"]
) -> Float[Tensor, ""]:
    """The mean over the crops of each crop's mean by weight; one of no weight counts nothing."""
    shares = weight.mean((1, 2, 3)).clamp_min(1e-8)
    return ((values * weight).mean((1, 2, 3)) / shares).mean()
