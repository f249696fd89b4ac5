"""What a critic learns by, and what keeps it smooth: three ways, of which a recipe takes one."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

Scores = Float[Tensor, "batch 1 rows columns"]
Batch = Float[Tensor, "batch 3 height width"]


def wasserstein_loss(real: Scores, restored: Scores) -> Float[Tensor, ""]:
    """The critic's estimate of Wasserstein's distance, negated: real is to score higher.

    M. Arjovsky, S. Chintala and L. Bottou, 2017, arXiv:1701.07875.
    """
    return restored.mean() - real.mean()


def hinge_loss(real: Scores, restored: Scores) -> Float[Tensor, ""]:
    """Real is to score above 1, restored below -1; what does so already counts nothing.

    J. H. Lim and J. C. Ye, 2017, arXiv:1705.02894, as in SAGAN, arXiv:1805.08318.
    """
    return F.relu(1 - real).mean() + F.relu(1 + restored).mean()


def deceit_loss(restored: Scores) -> Float[Tensor, ""]:
    """What the generator is told by the critic: its scores, negated."""
    return -restored.mean()


def blend(real: Batch, restored: Batch, shares: Float[Tensor, " batch"]) -> Batch:
    """A place between each real sample and its restoration, from where gradients can be taken.

    Args:
        shares: of the real sample, one for each sample, in 0..1.
    """
    shares = shares[:, None, None, None]
    return (shares * real + (1 - shares) * restored).detach().requires_grad_()


def gradient_penalty(scores: Scores, blended: Batch) -> Float[Tensor, ""]:
    """How far the critic's slope is off 1: the mean of (norm - 1) squared over the samples.

    The slope is that of a sample's mean score, its norm taken over all of the sample. I.
    Gulrajani, F. Ahmed, M. Arjovsky, V. Dumoulin and A. Courville, 2017, arXiv:1704.00028.

    Args:
        scores: what the critic makes of `blended`.
        blended: places between real and restored samples.
    """
    total = scores.mean((1, 2, 3)).sum()
    (slopes,) = torch.autograd.grad(total, blended, create_graph=True)
    return ((slopes.flatten(1).norm(dim=1) - 1) ** 2).mean()


@torch.no_grad()
def clip_weights(critic: nn.Module, bound: float) -> None:
    """Brings every weight of the critic into -bound..bound."""
    for weights in critic.parameters():
        weights.clamp_(-bound, bound)
