"""Muon: steps of equal size in every direction of a layer's weights."""

import math
from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.optim import Optimizer

MOMENTUM = 0.95
"""How long gradients of weights are remembered."""
ROUNDS = 5
"""Rounds that bring singular values near 1: of .01 and over, to between .7 and 1.2."""
QUINTIC = (3.4445, -4.7750, 2.0315)
"""Coefficients of each round: X <- a X + b (X X') X + c (X X')^2 X."""
SIZE = 0.2
"""Root mean square of a step beside AdamW's, so that the same learning rates serve."""


class Muon(Optimizer):
    """Gradients remembered, and made orthogonal, as the step of each layer's weights.

    What a layer has learnt of rare things does not drown beside what is frequent. Going on with
    movements without proposals, it needed three fifths of AdamW's crops. Biases, and all that is no
    matrix, are moved as AdamW moves them, without decay.

    Args:
        parameters: of the network.
        lr: learning rate; what serves for AdamW serves here.
        betas: of what is moved as by AdamW.
        weight_decay: of the matrices, per step, times the learning rate.

    After K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024, with
    the size of steps by J. Liu et al., "Muon is scalable for LLM training", 2025,
    doi:10.48550/arXiv.2502.16982.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Moves every parameter that has a gradient."""
        for group in self.param_groups:
            for value in group["params"]:
                if value.grad is None:
                    continue
                if value.ndim < 2:
                    _move_by_size(value, self.state[value], group)
                else:
                    _move_as_matrix(value, self.state[value], group)


def _move_as_matrix(value: Tensor, state: dict[str, Tensor], group: dict) -> None:
    """A step along the remembered gradient, made orthogonal."""
    assert value.grad is not None
    if "momentum" not in state:
        state["momentum"] = torch.zeros_like(value)
    remembered = state["momentum"].lerp_(value.grad, 1 - MOMENTUM)
    matrix = value.grad.lerp(remembered, MOMENTUM).flatten(1)
    value.mul_(1 - group["lr"] * group["weight_decay"])
    size = SIZE * math.sqrt(max(matrix.shape))
    value.add_(orthogonal(matrix).view(value.shape), alpha=-group["lr"] * size)


def _move_by_size(value: Tensor, state: dict[str, Tensor], group: dict) -> None:
    """A step as by AdamW, without decay."""
    assert value.grad is not None
    if "step" not in state:
        state["step"] = torch.zeros(())
        state["mean"], state["square"] = torch.zeros_like(value), torch.zeros_like(value)
    (first, second), step = group["betas"], state["step"].add_(1)
    mean = state["mean"].lerp_(value.grad, 1 - first) / (1 - first**step)
    square = state["square"].lerp_(value.grad**2, 1 - second) / (1 - second**step)
    value.sub_(group["lr"] * mean / (square.sqrt() + 1e-8))


def orthogonal(matrix: Float[Tensor, "rows columns"]) -> Float[Tensor, "rows columns"]:
    """A matrix with the same directions and singular values near 1, by Newton and Schulz's rounds.

    In bfloat16, which is enough for a direction. All of a zero matrix stays zero.
    """
    a, b, c = QUINTIC
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    found = (wide / (wide.norm() + 1e-12)).bfloat16()
    for _ in range(ROUNDS):
        squared = found @ found.T
        found = a * found + (b * squared + c * squared @ squared) @ found
    found = found.to(matrix.dtype)
    return found if matrix.shape[0] <= matrix.shape[1] else found.T
