"""VGG up to conv3_3: features in which pictures are compared, never trained here."""

from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from selfsharp.metrics.vgg_distance import GRAPH

LAYERS = {
    "conv1_1": ("features.0", 3, 64),
    "conv1_2": ("features.2", 64, 64),
    "conv2_1": ("features.5", 64, 128),
    "conv2_2": ("features.7", 128, 128),
    "conv3_1": ("features.10", 128, 256),
    "conv3_2": ("features.12", 256, 256),
    "conv3_3": ("features.14", 256, 256),
}
"""Each convolution's name in torchvision, alike in VGG16 and VGG19, and its channels."""
LAST = ("conv1_2", "conv2_2", "conv3_3")
"""The last convolution at 1/1, 1/2 and 1/4 of a picture's size."""
# As fp16 holds them, like the weights, so that the exported graph has just the same.
MEAN, SPREAD = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]]).half().float()
"""Mean and standard deviation of ImageNet's photos, by which VGG's input is normalised."""


class Vgg(nn.Module):
    """The first seven convolutions of VGG16, or of VGG19, with fixed weights.

    Features are those after the ReLU, divided by a power of two that brings their mean to
    about 1 whatever the weights' own scale is: Oxford's is hundreds of times torchvision's.

    Source: K. Simonyan and A. Zisserman, 2015, arXiv:1409.1556; features to compare pictures
    by: J. Johnson, A. Alahi and L. Fei-Fei, 2016, doi:10.1007/978-3-319-46475-6_43.

    Args:
        weights: torchvision's names (`features.0.weight` ...) and tensors; more may be there.
        layer: whose features `forward` gives.

    Raises:
        ValueError: there is no such layer, or a weight is missing or of another shape.
    """

    inputs = ("image",)
    multiple = 4
    mean: Tensor
    spread: Tensor

    def __init__(self, weights: Mapping[str, Tensor], layer: str = "conv3_3") -> None:
        super().__init__()
        if layer not in LAYERS:
            raise ValueError(f"unknown layer {layer!r} of VGG; choose one of: {', '.join(LAYERS)}")
        self.layer = layer
        self.convolutions = nn.ModuleDict(
            {
                name: nn.Conv2d(channels, to_channels, 3, padding=1)
                for name, (_, channels, to_channels) in LAYERS.items()
            }
        )
        self.load_state_dict(_renamed(weights))
        self.requires_grad_(False)
        self.register_buffer("mean", MEAN[:, None, None].clone(), persistent=False)
        self.register_buffer("spread", SPREAD[:, None, None].clone(), persistent=False)
        self.scales = dict.fromkeys(LAYERS, 1.0)
        with torch.inference_mode():
            self.scales = {
                name: 2.0 ** round(float(found.mean().log2()))
                for name, found in self.features(_probe(), tuple(LAYERS)).items()
            }

    def forward(
        self, image: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch channels h w"]:
        """The features of the one layer.

        Args:
            image: RGB in 0..1; what is left of a size over a multiple of 4 is not seen.
        """
        return self.features(image, (self.layer,))[self.layer]

    def features(
        self, image: Float[Tensor, "batch 3 height width"], layers: tuple[str, ...] = LAST
    ) -> dict[str, Tensor]:
        """The features of several layers, by their names.

        Args:
            image: RGB in 0..1.
            layers: names out of `LAYERS`; nothing beyond the last of them is computed.
        """
        found: dict[str, Tensor] = {}
        values = (image - self.mean) / self.spread
        for name, convolution in self.convolutions.items():
            values = F.relu(convolution(values))
            if name in layers:
                found[name] = values / self.scales[name]
            if len(found) == len(layers):
                break
            if name in LAST:
                values = F.max_pool2d(values, 2)
        return found


def read_weights(path: Path = GRAPH) -> dict[str, Tensor]:
    """VGG's weights by torchvision's names, as float32.

    Args:
        path: the graph that ships with the metric; or a .safetensors file, or a .pth file
            of a torchvision vgg16 or vgg19 that is a state dict.

    Raises:
        ValueError: the file is missing, or is none of these.
    """
    readers = {".onnx": _read_graph, ".safetensors": _read_safetensors, ".pth": _read_pickle}
    if path.suffix not in readers:
        raise ValueError(f"{path} is not a file of weights; give one in {', '.join(readers)}")
    if not path.is_file():
        raise ValueError(f"{path} does not exist; name a file of VGG's weights")
    try:
        return {name: tensor.float() for name, tensor in readers[path.suffix](path).items()}
    except Exception as error:  # Each reader fails in a way of its own, and at length.
        raise ValueError(f"{path} holds no weights of VGG by name; give a state dict") from error


def _read_graph(path: Path) -> dict[str, Tensor]:
    import onnx

    stored = {tensor.name: tensor for tensor in onnx.load(path).graph.initializer}
    return {
        f"{known}.{part}": torch.from_numpy(
            onnx.numpy_helper.to_array(stored[f"convolutions.{name}.{part}.fp16"]).copy()
        )
        for name, (known, *_) in LAYERS.items()
        for part in ("weight", "bias")
    }


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    return load_file(path)


def _read_pickle(path: Path) -> dict[str, Tensor]:
    return torch.load(path, map_location="cpu", weights_only=True)


def _renamed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights that are used, by the names they have here."""
    chosen = {}
    for name, (known, channels, to_channels) in LAYERS.items():
        shapes = {"weight": (to_channels, channels, 3, 3), "bias": (to_channels,)}
        for part, shape in shapes.items():
            wanted = f"{known}.{part}"
            if wanted not in weights or weights[wanted].shape != shape:
                raise ValueError(
                    f"there is no {wanted} of shape {shape} among the weights; "
                    "give the state dict of a vgg16 or vgg19 without batch normalisation"
                )
            chosen[f"convolutions.{name}.{part}"] = weights[wanted]
    return chosen


def _probe() -> Float[Tensor, "1 3 128 128"]:
    """A made-up picture with detail of every size, as photos have it (amplitude 1 / frequency)."""
    draws = torch.Generator().manual_seed(0)
    noise = torch.randn(3, 128, 128, generator=draws)
    frequency = torch.hypot(torch.fft.fftfreq(128)[:, None], torch.fft.rfftfreq(128)[None])
    picture = torch.fft.irfft2(torch.fft.rfft2(noise) / frequency.clamp_min(1 / 128))
    # All three channels move mostly together, around ImageNet's mean.
    picture = 0.9 * picture.mean(0) + 0.1 * picture
    values = MEAN[:, None, None] + SPREAD[:, None, None] * picture / picture.std()
    return values.clamp(0, 1)[None]
