"""What a critic learns by, against formulas in float64."""

import pytest

torch = pytest.importorskip("torch")

from selfsharp.networks.discriminator import Discriminator  # noqa: E402
from selfsharp.training.adversarial import (  # noqa: E402
    blend,
    clip_weights,
    deceit_loss,
    gradient_penalty,
    hinge_loss,
    wasserstein_loss,
)


@pytest.fixture
def samples() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Two images, their sharp targets and restorations."""
    source = torch.Generator().manual_seed(1)
    image, sharp, restored = torch.rand(3, 2, 3, 24, 24, generator=source)
    return image, sharp, restored


def test_a_blend_has_one_share_for_each_sample(samples):
    _, sharp, restored = samples
    shares = torch.tensor([0.25, 1.0])
    between = blend(sharp, restored, shares)
    assert between.requires_grad
    for place, share in enumerate(shares):
        expected = share * sharp[place] + (1 - share) * restored[place]
        torch.testing.assert_close(between[place].detach(), expected)


def test_the_gradient_penalty_equals_a_float64_reference(samples):
    """The reference takes the slope by differences, pixel by pixel."""
    torch.manual_seed(0)
    critic = Discriminator(width=4)
    for weights in critic.parameters():
        weights.data *= 8  # Slopes around 1, where the penalty bends.
    image, sharp, restored = samples
    between = blend(sharp, restored, torch.tensor([0.1, 0.7]))
    found = gradient_penalty(critic(image, between), between)

    exact = Discriminator(width=4).double()
    exact.load_state_dict({name: value.double() for name, value in critic.state_dict().items()})
    penalties = []
    with torch.no_grad():
        for one, place in zip(image.double(), between.detach().double(), strict=True):
            here = exact(one[None], place[None]).mean()
            squares = 0.0
            for steps in (1e-7 * torch.eye(place.numel(), dtype=torch.float64)).split(432):
                moved = place + steps.unflatten(1, place.shape)
                scores = exact(one.expand(len(moved), -1, -1, -1), moved).mean((1, 2, 3))
                squares += float((((scores - here) / 1e-7) ** 2).sum())
            penalties.append((squares**0.5 - 1) ** 2)
    assert max(penalties) > 1e-3
    assert float(found.detach()) == pytest.approx(sum(penalties) / 2, rel=1e-4)


def test_the_gradient_penalty_reaches_every_weight_of_the_critic(samples):
    torch.manual_seed(0)
    critic = Discriminator(width=4)
    image, sharp, restored = samples
    between = blend(sharp, restored, torch.tensor([0.1, 0.7]))
    gradient_penalty(critic(image, between), between).backward()
    assert all(weights.grad.any() for weights in critic.parameters())


def test_losses_of_scores_agree_with_their_formulas():
    real, fake = torch.tensor([[[[2.0, 0.5]]]]), torch.tensor([[[[-3.0, 0.25]]]])
    assert float(wasserstein_loss(real, fake)) == pytest.approx(-1.375 - 1.25)
    assert float(hinge_loss(real, fake)) == pytest.approx(0.5 / 2 + 1.25 / 2)
    assert float(deceit_loss(fake)) == pytest.approx(1.375)


def test_clipping_bounds_every_weight():
    critic = Discriminator(width=4)
    clip_weights(critic, 0.01)
    assert max(float(weights.detach().abs().max()) for weights in critic.parameters()) == (
        pytest.approx(0.01)
    )
