"""VGG takes weights from wherever they are, whatever their scale, and equals its ONNX graph."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402

from selfsharp.metrics.vgg_distance import GRAPH  # noqa: E402
from selfsharp.networks.vgg import LAST, LAYERS, Vgg, read_weights  # noqa: E402
from selfsharp.restore.runtime import Graph  # noqa: E402
from selfsharp.training.vgg_graph import make_graph  # noqa: E402


@pytest.fixture(scope="module")
def weights():
    return read_weights()


@pytest.fixture(scope="module")
def image(photo):
    return torch.from_numpy(photo.transpose(2, 0, 1).copy())[None]


def test_the_bundled_graph_equals_the_module(weights, photo, image):
    planes = photo.transpose(2, 0, 1)
    found = Graph(GRAPH.read_bytes(), threads=1)(planes)
    assert found.shape == (256, 16, 20)
    np.testing.assert_allclose(found, Vgg(weights)(image)[0].numpy(), atol=2e-5)


def test_features_are_those_of_plain_layers_in_a_row(weights, image):
    """The first layers of torchvision's vgg16, written out."""
    pool, rows = torch.nn.MaxPool2d(2), []
    for name, (known, channels, to_channels) in LAYERS.items():
        layer = torch.nn.Conv2d(channels, to_channels, 3, padding=1)
        layer.load_state_dict({p: weights[f"{known}.{p}"] for p in ("weight", "bias")})
        rows += [layer, torch.nn.ReLU()] + [pool] * (name in LAST[:2])
    mean, spread = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[..., None, None]
    with torch.inference_mode():
        plain = torch.nn.Sequential(*rows)((image - mean) / spread)
    network = Vgg(weights)
    wanted = plain / network.scales["conv3_3"]
    # All but the mean and the spread, which are kept as fp16 holds them.
    assert torch.dist(network(image), wanted) < 1e-3 * wanted.norm()


def test_features_are_near_1_at_every_layer(weights, image):
    for features in Vgg(weights).features(image, tuple(LAYERS)).values():
        assert 0.1 < features.mean() < 4


def test_layers_come_at_their_own_size(weights, image):
    sizes = {k: tuple(f.shape[1:]) for k, f in Vgg(weights).features(image).items()}
    assert sizes == {"conv1_2": (64, 64, 80), "conv2_2": (128, 32, 40), "conv3_3": (256, 16, 20)}
    assert torch.equal(Vgg(weights, "conv2_2")(image), Vgg(weights).features(image)["conv2_2"])


def test_the_scale_of_the_weights_changes_nothing(weights, image):
    """Features of any network of convolutions and ReLUs scale with its biases and first layer."""
    small = {k: w / 512 if k.endswith("bias") or ".0." in k else w for k, w in weights.items()}
    torch.testing.assert_close(Vgg(small)(image), Vgg(weights)(image))


def test_gradients_reach_the_image_and_no_weight(weights, image):
    network, image = Vgg(weights), image.clone().requires_grad_()
    network(image).square().mean().backward()
    assert image.grad.abs().min() > 0
    assert not any(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.parametrize("ending", [".safetensors", ".pth", ".onnx"])
def test_weights_come_from_every_kind_of_file(ending, weights, tmp_path):
    path, more = tmp_path / f"vgg19{ending}", {"classifier.0.weight": torch.zeros(2, 2)}
    if ending == ".safetensors":
        save_file(weights | more, path)
    elif ending == ".pth":
        torch.save(weights | more, path)
    else:
        save_file(weights, tmp_path / "given.safetensors")
        make_graph(tmp_path / "given.safetensors", path)
        assert path.stat().st_size < 4e6
    found = read_weights(path)
    assert all(torch.equal(found[name], tensor) for name, tensor in weights.items())
    Vgg(found)


def test_what_is_no_file_of_weights_is_refused_in_one_line(weights, tmp_path):
    for name in ("absent.onnx", "weights.txt", "broken.safetensors", "broken.pth"):
        path = tmp_path / name
        if name.startswith("broken"):
            path.write_bytes(b"nothing of the kind")
        with pytest.raises(ValueError, match=rf"\A[^\n]*{name}[^\n]*\Z"):
            read_weights(path)


def test_weights_of_another_network_are_refused_in_one_line(weights):
    with pytest.raises(ValueError, match=r"\A[^\n]*features\.12\.bias[^\n]*\Z"):
        Vgg({name: w for name, w in weights.items() if name != "features.12.bias"})
    with pytest.raises(ValueError, match=r"\A[^\n]*features\.2\.weight[^\n]*\Z"):
        Vgg(weights | {"features.2.weight": torch.zeros(64, 64, 1, 1)})
    with pytest.raises(ValueError, match=r"\A[^\n]*conv4_1[^\n]*conv1_1[^\n]*\Z"):
        Vgg(weights, "conv4_1")
