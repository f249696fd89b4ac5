"""DeblurGAN's body: a residual network at a quarter of the size, between two strided ends.

Its instance norms take their statistics from the whole tile, so that a tile's result depends
on all that is in it. Convolutions before a norm have no bias: the norm would take it out again.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from selfsharp.networks.attention import SelfAttention

Features = Float[Tensor, "batch channels height width"]


class NormedResidualBlock(nn.Module):
    """Two 3x3 convolutions, each with an instance norm, added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, bias=False)
        self.second = nn.Conv2d(channels, channels, 3, bias=False)

    def forward(self, features: Features) -> Features:
        """The features plus what the convolutions make of them."""
        inner = F.relu(F.instance_norm(self.first(mirrored(features, 1))))
        return features + F.instance_norm(self.second(mirrored(inner, 1)))


class ResidualGenerator(nn.Module):
    """The generator of DeblurGAN, with the seed paper's additions as options.

    7x7 to `width` channels, two convolutions of stride 2, residual blocks, two transposed
    convolutions, 7x7 to the residual. Of its own beside the paper: the last convolution starts
    small, so that an untrained generator leaves a tile about as it is.

    Args:
        width: channels at full size; twice at 1/2, four times at 1/4.
        blocks: residual blocks, of two convolutions each.
        attention: self-attention behind the residual blocks.
        spectral: spectral normalisation of every convolution but the last, whose small start it
            would undo. Before an instance norm it only changes how fast the weights turn.
        scales: sizes at which a residual is given while training: 1, 1/2, 1/4.
    """

    inputs = ("image",)
    multiple = 8
    whole_tile = True

    def __init__(
        self,
        width: int = 64,
        blocks: int = 9,
        *,
        attention: bool = False,
        spectral: bool = False,
        scales: int = 1,
    ) -> None:
        super().__init__()
        if scales not in (1, 2, 3):
            raise ValueError(f"scales {scales} is out of range; give 1, 2 or 3")
        half, deep = 2 * width, 4 * width
        self.stem = nn.Conv2d(3, width, 7, bias=False)
        self.shrink = nn.ModuleList(
            nn.Conv2d(fine, coarse, 3, stride=2, padding=1, bias=False)
            for fine, coarse in ((width, half), (half, deep))
        )
        self.blocks = nn.Sequential(*(NormedResidualBlock(deep) for _ in range(blocks)))
        self.attention = SelfAttention(deep) if attention else nn.Identity()
        self.grow = nn.ModuleList(
            nn.ConvTranspose2d(coarse, fine, 3, stride=2, padding=1, output_padding=1, bias=False)
            for fine, coarse in ((half, deep), (width, half))
        )
        widths = (width, half, deep)[:scales]
        self.heads = nn.ModuleList(nn.Conv2d(channels, 3, 7) for channels in widths)
        self._draw_weights()
        if spectral:
            self._normalise()

    def forward(
        self, image: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch 3 height width"]:
        """The residual; image + residual is the restored tile."""
        return self._residual(self._features(image), 0)

    def every_scale(self, image: Float[Tensor, "batch 3 height width"]) -> Sequence[Tensor]:
        """Residuals at full size, at 1/2 and at 1/4, as far as there are heads for them."""
        features = self._features(image)
        return [self._residual(features, scale) for scale in range(len(self.heads))]

    def _features(self, image: Tensor) -> list[Tensor]:
        """Features before each head, finest first."""
        # As the paper's: values in -1..1.
        features = F.relu(F.instance_norm(self.stem(mirrored(2 * image - 1, 3))))
        for shrink in self.shrink:
            features = F.relu(F.instance_norm(shrink(features)))
        found = [self.attention(self.blocks(features))]
        for grow in self.grow:
            found.append(F.relu(F.instance_norm(grow(found[-1]))))
        return found[::-1]

    def _residual(self, features: list[Tensor], scale: int) -> Tensor:
        # Half, because -1..1 is twice as wide as 0..1.
        return torch.tanh(self.heads[scale](mirrored(features[scale], 3))) / 2

    def _draw_weights(self) -> None:
        """As the paper's code: normal, of 0.02; the heads much smaller."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(module.weight, std=0.02)
        for head in self.heads:
            nn.init.normal_(head.weight, std=0.001)  # type: ignore[arg-type]
            nn.init.zeros_(head.bias)  # type: ignore[arg-type]

    def _normalise(self) -> None:
        for name, module in list(self.named_modules()):
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and not name.startswith("heads"):
                spectral_norm(module)


def mirrored(features: Features, reach: int) -> Tensor:
    """The features with a border mirrored around them."""
    return F.pad(features, (reach, reach, reach, reach), mode="reflect")
