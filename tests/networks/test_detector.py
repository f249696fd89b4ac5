"""The detector with and without its surroundings, and the convolution it begins with."""

import pytest

torch = pytest.importorskip("torch")

from selfsharp.networks.blocks import UnshuffledConv  # noqa: E402
from selfsharp.networks.detector import Detector  # noqa: E402


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("channels", [1, 3, 11])
def test_a_wide_convolution_with_strides_is_that_of_the_squares(scale, channels):
    torch.manual_seed(0)
    layer = UnshuffledConv(channels, 5, scale)
    torch.nn.init.normal_(layer.bias)
    plane = torch.randn(2, channels, 6 * scale, 4 * scale)
    with torch.inference_mode():
        trained, run = layer.train()(plane), layer.eval()(plane)
    assert run.shape == (2, 5, 6, 4)
    assert trained.std() > 0.1
    torch.testing.assert_close(run, trained, atol=1e-5, rtol=1e-5)


def test_without_context_the_first_answers_are_the_same():
    torch.manual_seed(0)
    detector = Detector(context=(8, 12, 16)).eval()
    alone = detector.without_context()
    image = torch.rand(1, 3, 128, 192)
    with torch.inference_mode():
        both, found = detector(image), alone(image)
    assert both.shape[1] == 3
    assert torch.equal(found, both[:, :2])
    assert (detector.multiple, alone.multiple) == (64, 16)
    # The one that it was made of still knows the surroundings.
    assert detector.context is not None
    assert alone.context is None


def test_without_context_sizes_may_be_finer():
    alone = Detector(context=(8, 12, 16)).eval().without_context()
    with torch.inference_mode():
        assert alone(torch.rand(1, 3, 16, 48)).shape == (1, 2, 4, 12)


@pytest.mark.parametrize("context", [(), (12, 16)])
def test_what_a_detector_has_learnt_fits_into_one_of_more_scales(context):
    torch.manual_seed(0)
    learnt = Detector(widths=(8, 12), down=(1, 1), up=(1,), context=context).eval()
    for weights in learnt.parameters():
        torch.nn.init.normal_(weights, std=0.05)
    deeper = Detector(widths=(8, 12, 16, 16), down=(1, 1, 2, 1), up=(1, 0, 1)).eval()
    deeper.load_state_dict(deeper.begun_from(learnt.state_dict()))
    image = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        wanted = learnt.without_context()(image)
        assert wanted.std() > 0.001
        torch.testing.assert_close(deeper(image), wanted)
    # What is new can learn.
    deeper(image).sum().backward()
    assert deeper.body.grow[1].spread.weight.grad.abs().max() > 0
    again = deeper.begun_from(deeper.state_dict())
    assert all(torch.equal(again[name], own) for name, own in deeper.state_dict().items())
