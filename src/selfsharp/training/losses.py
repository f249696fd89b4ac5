"""Losses: how far a restored crop is from its target, and a found blur map from the truth."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

Batch = Float[Tensor, "batch 3 height width"]
Weight = Float[Tensor, "batch 1 height width"]


def pixel_loss(restored: Batch, target: Batch, weight: Weight) -> Float[Tensor, ""]:
    """Charbonnier distance, a smooth L1, averaged by weight within each crop.

    Each crop counts the same however small its blurred part is. Charbonnier et al. 1994,
    doi:10.1109/ICIP.1994.413553.
    """
    distance = torch.sqrt((restored - target) ** 2 + 1e-6)
    shares = weight.mean((1, 2, 3)).clamp_min(1e-8)  # A crop of no weight counts nothing.
    return ((distance * weight).mean((1, 2, 3)) / shares).mean()


def frequency_loss(restored: Batch, target: Batch, weight: Weight) -> Float[Tensor, ""]:
    """Mean L1 distance of the spectra, orthonormal, of the weighed difference.

    After Cho et al. 2021, doi:10.1109/ICCV48922.2021.00460.
    """
    return torch.fft.rfft2((restored - target) * weight, norm="ortho").abs().mean()


def detection_loss(
    found: Float[Tensor, "batch 2 h w"], truth: Float[Tensor, "batch 2 height width"]
):
    """Cross-entropy of being blurred plus the error of the radius where it is known.

    Args:
        found: logit and radius at 1/4 scale.
        truth: label (1, 0, or -1: undecided) and radius (-1: not known), full size.
    """
    scale = truth.shape[-1] // found.shape[-1]
    label, radius = truth[:, 0], truth[:, 1]
    decided = F.avg_pool2d((label >= 0).float(), scale)
    share = F.avg_pool2d(label.clamp(min=0), scale)
    # Where a 4x4 cell is partly undecided, or on a region's border, it counts less.
    certain = decided * (1 - 2 * torch.minimum(share, 1 - share))
    entropy = F.binary_cross_entropy_with_logits(found[:, 0], share, reduction="none")
    known = F.avg_pool2d((radius > 0).float(), scale)
    wanted = F.avg_pool2d(radius.clamp(min=0), scale)
    # Relative: one pixel matters more at radius 1 than at 10.
    off = F.smooth_l1_loss(found[:, 1], wanted, reduction="none", beta=0.5) / (0.5 + wanted)
    return (entropy * certain).mean() + (off * known).mean()
