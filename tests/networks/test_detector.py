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
