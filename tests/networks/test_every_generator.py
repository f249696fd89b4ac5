"""What every generator promises, whoever adds it; and the detector beside them."""

import pytest

torch = pytest.importorskip("torch")

from selfsharp.config import Recipe  # noqa: E402
from selfsharp.networks.detector import Detector  # noqa: E402
from selfsharp.networks.generators import GENERATORS  # noqa: E402

every_generator = pytest.mark.parametrize("name", GENERATORS.names())


def make_generator(name: str) -> torch.nn.Module:
    torch.manual_seed(1)
    return GENERATORS.load(name).Generator()


def make_tile(batch: int, height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A tile in 0..1 and its blur: gate 1 and a radius of up to 12 px."""
    source = torch.Generator().manual_seed(2)
    image = torch.rand(batch, 3, height, width, generator=source)
    radius = 12 * torch.rand(batch, 1, height, width, generator=source)
    return image, torch.cat([torch.ones_like(radius), radius], dim=1)


def count_parameters(network: torch.nn.Module) -> int:
    return sum(weights.numel() for weights in network.parameters())


@every_generator
@pytest.mark.parametrize("batch", [1, 2])
def test_any_multiple_of_the_size_rule_gives_a_residual_of_the_tiles_size(name, batch):
    generator = make_generator(name)
    for rows, columns in ((1, 1), (3, 2)):
        image, blur = make_tile(batch, rows * generator.multiple, columns * generator.multiple)
        with torch.inference_mode():
            assert generator(image, blur).shape == image.shape


@every_generator
def test_tiles_of_a_batch_do_not_know_each_other(name):
    generator = make_generator(name).eval()
    image, blur = make_tile(2, 4 * generator.multiple, 4 * generator.multiple)
    with torch.inference_mode():
        together = generator(image, blur)
        alone = torch.cat([generator(image[i : i + 1], blur[i : i + 1]) for i in (0, 1)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


@every_generator
def test_untrained_it_leaves_the_tile_about_as_it_is(name):
    generator = make_generator(name)
    image, blur = make_tile(1, 6 * generator.multiple, 6 * generator.multiple)
    with torch.inference_mode():
        assert generator(image, blur).abs().max() < 0.2


@every_generator
def test_gradients_reach_every_parameter(name):
    generator = make_generator(name)
    image, blur = make_tile(1, 4 * generator.multiple, 4 * generator.multiple)
    generator(image, blur).square().mean().backward()
    unreached = [
        parameter
        for parameter, weights in generator.named_parameters()
        if weights.grad is None or not weights.grad.any()
    ]
    assert unreached == []


def test_the_default_generator_has_2_5_to_5_million_parameters():
    assert 2.5e6 <= count_parameters(make_generator(Recipe().network)) <= 5e6


def test_the_default_generators_result_does_not_depend_on_far_away_pixels():
    generator = make_generator(Recipe().network).eval()
    image, blur = make_tile(1, 32, 1024)
    changed = image.clone()
    changed[..., :16] = 1 - changed[..., :16]
    with torch.inference_mode():
        difference = (generator(image, blur) - generator(changed, blur)).abs().amax((0, 1, 2))
    assert difference[:16].max() > 1e-3
    assert difference[512:].max() < 1e-6


def test_settings_that_do_not_fit_are_refused_in_one_line():
    with pytest.raises(ValueError, match=r"\A.+ do not fit.+\Z"):
        GENERATORS.load("unet").Generator(widths=(8, 8), down=(1, 1), up=(1, 1))


def test_the_detector_is_small():
    assert count_parameters(Detector()) <= 0.3e6


@pytest.mark.parametrize("batch", [1, 2])
def test_the_detector_answers_at_a_quarter_of_the_size(batch):
    detector = Detector()
    for rows, columns in ((1, 1), (3, 2)):
        height, width = rows * detector.multiple, columns * detector.multiple
        with torch.inference_mode():
            found = detector(make_tile(batch, height, width)[0])
        assert found.shape == (batch, 2, height // 4, width // 4)


def test_gradients_reach_every_parameter_of_the_detector():
    detector = Detector()
    detector(make_tile(1, 64, 64)[0]).square().mean().backward()
    assert all(weights.grad is not None and weights.grad.any() for weights in detector.parameters())
