"""Muon: steps that are orthogonal, of AdamW's size, and the same after a pause."""

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import nn  # noqa: E402

from selfsharp.training.muon import SIZE, Muon, orthogonal  # noqa: E402

SIDES = st.integers(2, 40)


@given(rows=SIDES, columns=SIDES, scale=st.floats(1e-4, 1e3), seed=st.integers(0, 9))
def test_a_matrix_keeps_its_directions_and_loses_its_sizes(rows, columns, scale, seed):
    torch.manual_seed(seed)
    few = min(rows, columns)
    left, right = (torch.linalg.qr(torch.randn(side, few)).Q for side in (rows, columns))
    sizes = torch.linspace(0.2, 1.0, few)
    made = orthogonal(scale * left * sizes @ right.T)
    found = torch.linalg.svdvals(made)
    assert 0.5 < found.min() <= found.max() < 1.35
    # The nearest orthogonal matrix, as an SVD tells it.
    nearest = left @ right.T
    agreement = (made * nearest).sum() / made.norm() / nearest.norm()
    assert agreement > 0.95


def test_nothing_of_nothing():
    assert not orthogonal(torch.zeros(5, 7)).any()


@pytest.mark.parametrize("shape", [(16, 8, 3, 3), (8, 40), (6, 6)])
def test_a_step_has_the_size_that_it_is_told(shape):
    value = nn.Parameter(torch.zeros(shape))
    value.grad = 1e-3 * torch.randn(shape, generator=torch.Generator().manual_seed(1))
    Muon([value], lr=0.01).step()
    size = float((value.detach() ** 2).mean().sqrt())
    assert size == pytest.approx(SIZE * 0.01, rel=0.35)


def test_biases_take_the_steps_of_adamw():
    torch.manual_seed(2)
    ours, theirs = (nn.Parameter(torch.ones(9)) for _ in range(2))
    muon = Muon([ours], lr=0.01, betas=(0.9, 0.98), weight_decay=0.1)
    adam = torch.optim.AdamW([theirs], lr=0.01, betas=(0.9, 0.98), weight_decay=0.0)
    for _ in range(5):
        ours.grad = torch.randn(9)
        theirs.grad = ours.grad.clone()
        muon.step()
        adam.step()
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_what_has_no_gradient_stays():
    frozen, moved = (nn.Parameter(torch.ones(4, 4)) for _ in range(2))
    moved.grad = torch.ones(4, 4)
    Muon([frozen, moved], lr=0.1, weight_decay=0.5).step()
    assert (frozen == 1).all()
    assert (moved != 1).all()
