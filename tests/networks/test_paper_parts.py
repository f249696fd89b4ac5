"""The parts that the seed paper describes: sizes, spectral norm, attention, the critic."""

import math

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from selfsharp.networks.attention import SelfAttention  # noqa: E402
from selfsharp.networks.discriminator import Discriminator  # noqa: E402
from selfsharp.networks.generators import deblurgan, srgn  # noqa: E402


def count_parameters(network: nn.Module) -> int:
    return sum(weights.numel() for weights in network.parameters())


def multiply_adds(network: nn.Module, side: int) -> int:
    """Multiply-adds of the convolutions on a square tile, counted as they run."""
    total = 0

    def count(layer, inputs, output):
        nonlocal total
        # A transposed convolution works on what it is given, a plain one on what it gives.
        places = (inputs[0] if isinstance(layer, nn.ConvTranspose2d) else output)[0, 0].numel()
        total += places * layer.weight.numel()

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            layer.register_forward_hook(count)
    with torch.inference_mode():
        network(torch.rand(1, 3, side, side))
    return total


def test_deblurgan_has_the_parameters_and_the_cost_of_the_paper():
    generator = deblurgan.Generator()
    assert count_parameters(generator) == pytest.approx(11.4e6, rel=0.005)
    side = 64
    per_megapixel = multiply_adds(generator, side) / side**2 * 1e6
    assert per_megapixel == pytest.approx(756e9, rel=0.001)


def test_deblurgans_blocks_have_two_convolutions_at_256_channels():
    blocks = deblurgan.Generator().blocks
    assert len(blocks) == 9
    for block in blocks:
        layers = [layer for layer in block.modules() if isinstance(layer, nn.Conv2d)]
        assert [tuple(layer.weight.shape) for layer in layers] == [(256, 256, 3, 3)] * 2


def test_srgn_without_its_two_additions_is_deblurgans_generator():
    plain = srgn.Generator(attention=False, spectral_norm=False).state_dict()
    same = deblurgan.Generator().state_dict()
    assert {n: v.shape for n, v in plain.items()} == {n: v.shape for n, v in same.items()}


def test_spectral_normalisation_bounds_every_convolution_but_the_heads():
    torch.manual_seed(0)
    generator = srgn.Generator(width=16, blocks=2)
    for _ in range(30):  # Each forward is a step of the power iteration.
        generator(torch.rand(1, 3, 16, 16))
    generator.eval()
    seen = 0
    for name, layer in generator.named_modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and not name.startswith("heads"):
            across = 1 if isinstance(layer, nn.ConvTranspose2d) else 0
            matrix = layer.weight.detach().transpose(0, across).flatten(1)
            assert torch.linalg.matrix_norm(matrix, 2) == pytest.approx(1, abs=0.05), name
            seen += 1
    assert seen == 5 + 2 * 2 + 4


def test_untrained_attention_changes_nothing():
    features = torch.rand(2, 16, 8, 12)
    assert torch.equal(SelfAttention(16)(features), features)


def test_attention_agrees_with_its_formula_in_float64():
    torch.manual_seed(0)
    attention = SelfAttention(16).double()
    nn.init.constant_(attention.gain, 0.7)
    features = torch.randn(1, 16, 4, 6, dtype=torch.float64)
    weights = [
        layer.weight[:, :, 0, 0]
        for layer in (attention.queries, attention.keys, attention.values, attention.back)
    ]
    queries, keys, values = (
        torch.einsum("oc,bchw->bohw", weight, features) for weight in weights[:3]
    )
    keys, values = (
        plane.unfold(2, 2, 2).unfold(3, 2, 2).amax((-2, -1)).flatten(2) for plane in (keys, values)
    )
    likeness = torch.einsum("bci,bcj->bij", queries.flatten(2), keys)
    shares = likeness.exp() / likeness.exp().sum(2, keepdim=True)
    found = torch.einsum("oc,bcj,bij->boi", weights[3], values, shares).unflatten(2, (4, 6))
    torch.testing.assert_close(attention(features), features + 0.7 * found)


def test_channels_that_attention_cannot_part_are_refused_in_one_line():
    with pytest.raises(ValueError, match=r"\A12 channels cannot .+\Z"):
        SelfAttention(12)


# ------------------------------------------------------------------------------ the critic

both_critics = pytest.mark.parametrize("spectral", [False, True], ids=["instance", "spectral"])


def make_critic(spectral: bool) -> Discriminator:
    torch.manual_seed(3)
    return Discriminator(width=8, spectral=spectral)


def test_a_score_has_seen_70x70_pixels():
    critic = make_critic(True)  # An instance norm sees everything.
    image, candidate = torch.rand(2, 1, 3, 160, 160)
    candidate.requires_grad_()
    scores = critic(image, candidate)
    scores[0, 0, scores.shape[2] // 2, scores.shape[3] // 2].backward()
    seen = candidate.grad[0].abs().sum(0)
    for across in (0, 1):
        places = seen.sum(across).nonzero().flatten()
        assert places.max() - places.min() + 1 == 70


@both_critics
def test_scores_are_unbounded_and_depend_on_the_image_too(spectral):
    critic = make_critic(spectral)
    image, candidate = torch.rand(2, 1, 3, 64, 64)
    scores = critic(image, candidate)
    assert scores.shape == (1, 1, 6, 6)
    assert not torch.equal(scores, critic(1 - image, candidate))
    assert scores.min() < 0 or scores.max() > 1  # No sigmoid.


@both_critics
def test_gradients_reach_every_parameter_of_the_critic(spectral):
    critic = make_critic(spectral)
    image, candidate = torch.rand(2, 2, 3, 48, 48)
    critic(image, candidate).square().mean().backward()
    assert all(weights.grad is not None and weights.grad.any() for weights in critic.parameters())


def test_the_whole_critic_has_the_size_of_pix2pixs():
    assert math.isclose(count_parameters(Discriminator()), 2.77e6, rel_tol=0.01)


def test_a_crop_too_small_to_judge_is_refused_in_one_line():
    small = torch.rand(1, 3, 16, 24)
    with pytest.raises(ValueError, match=r"\Aa crop of 16x24 is too small .+\Z"):
        make_critic(False)(small, small)
    least = torch.rand(1, 3, 24, 24)
    assert make_critic(False)(least, least).shape == (1, 1, 1, 1)
