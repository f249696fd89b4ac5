"""Building blocks of the networks: dense 3x3 convolutions, no normalisation.

Dense convolutions reach several times the multiply-adds per second of depthwise ones on
CPUs, and without normalisation a tile's result does not depend on the rest of the photo.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

CHANNELS = {
    "image": 3,
    "blur": 2,
    "proposals": 6,
    "references": 5,
    "undone": 4,
    "psfs": 2,
}
"""What a network can ask for in its `inputs`, and how many channels it has."""

Features = Float[Tensor, "batch channels height width"]


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions added to their input; starts close to the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = conv3x3(channels, channels)
        self.second = conv3x3(channels, channels, gain=0.1)

    def forward(self, features: Features) -> Features:
        """The features plus what two convolutions make of them."""
        return features + self.second(F.relu(self.first(features)))


class Up(nn.Module):
    """Doubles the size: a 1x1 convolution, then its channels are laid out as pixels."""

    def __init__(self, channels: int, to_channels: int) -> None:
        super().__init__()
        self.spread = nn.Conv2d(channels, 4 * to_channels, 1)

    def forward(self, features: Float[Tensor, "batch channels height width"]) -> Tensor:
        """The features at twice their height and width."""
        return F.pixel_shuffle(self.spread(features), 2)


class UNet(nn.Module):
    """A U-shaped stack of residual blocks: each scale halves the size.

    Args:
        widths: channels at each scale, finest first.
        down: residual blocks at each scale on the way down; the last is the bottleneck.
        up: residual blocks at each scale but the coarsest on the way up, finest first.
    """

    def __init__(self, widths: Sequence[int], down: Sequence[int], up: Sequence[int]) -> None:
        super().__init__()
        if not len(widths) == len(down) == len(up) + 1:
            raise ValueError(
                f"widths {tuple(widths)}, down {tuple(down)} and up {tuple(up)} do not fit; "
                "give as many down as widths, and one up fewer"
            )
        self.down = nn.ModuleList(blocks(w, n) for w, n in zip(widths, down, strict=True))
        self.shrink = nn.ModuleList(
            conv3x3(fine, coarse, stride=2) for fine, coarse in pairwise(widths)
        )
        self.grow = nn.ModuleList(Up(coarse, fine) for fine, coarse in pairwise(widths))
        self.up = nn.ModuleList(blocks(w, n) for w, n in zip(widths[:-1], up, strict=True))

    def forward(self, features: Features) -> Features:
        """Features of the same size, each having seen the surroundings."""
        return self.every_scale(features)[0]

    def every_scale(self, features: Features) -> list[Tensor]:
        """Features of the same size, then those at 1/2, 1/4 ... that they were made of."""
        skips = []
        for scale, shrink in zip(self.down, self.shrink, strict=False):
            features = scale(features)
            skips.append(features)
            features = shrink(features)
        found = [self.down[-1](features)]
        for grow, scale in zip(reversed(self.grow), reversed(self.up), strict=True):
            found.append(scale(grow(found[-1]) + skips.pop()))
        return found[::-1]


class UnshuffledConv(nn.Conv2d):
    """A 3x3 convolution of a plane's squares of pixels, each laid out as channels.

    That is a wide convolution with strides, too: quicker where a graph runs it, since nothing has
    to be laid out anew, and slower where it is trained.

    Args:
        channels: of the plane.
        to_channels: of the answer, at 1/scale of the plane's size.
        scale: side of a square in pixels.
    """

    def __init__(self, channels: int, to_channels: int, scale: int) -> None:
        super().__init__(channels * scale**2, to_channels, 3, padding=1)
        start_as_he(self)
        self.scale = scale

    def forward(self, input: Float[Tensor, "batch channels height width"]) -> Tensor:
        """What the convolution makes of the squares."""
        if self.training:
            return super().forward(F.pixel_unshuffle(input, self.scale))
        side = self.scale
        apart = self.weight.unflatten(1, (-1, side, side))
        # Channels stay; taps of the 3x3 and pixels of their squares become one filter's taps.
        taps = apart.permute(0, 1, 4, 2, 5, 3).flatten(4, 5).flatten(2, 3)
        return F.conv2d(input, taps, self.bias, stride=side, padding=side)


class TileUNet(nn.Module):
    """A U-Net behind a pixel-unshuffle, which sees and answers at a tile's full size.

    What is one says how many channels it is `told` of and has `answered`; its answer starts near
    zero.

    Args:
        widths: channels at 1/2, 1/4, 1/8 ... of the tile's size.
        down: residual blocks per scale on the way down.
        up: residual blocks per scale on the way up.
        scales: sizes at which it answers while training: 1, 1/2, 1/4 ...
    """

    whole_tile = False
    told: int
    answered: int

    def __init__(
        self,
        widths: Sequence[int] = (32, 64, 128, 192),
        down: Sequence[int] = (1, 1, 2, 2),
        up: Sequence[int] = (1, 2, 2),
        scales: int = 1,
    ) -> None:
        super().__init__()
        if not 1 <= scales <= 1 + len(widths):
            raise ValueError(f"scales {scales} is out of range; give 1 to {1 + len(widths)}")
        self.multiple = 2 ** len(widths)
        self.stem = UnshuffledConv(self.told, widths[0], 2)
        self.body = UNet(widths, down, up)
        self.head = conv3x3(widths[0], 4 * self.answered, gain=0.01)
        coarser = widths[: scales - 1]
        self.coarse = nn.ModuleList(conv3x3(width, 3, gain=0.01) for width in coarser)

    def begun_from(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Weights of a network that is told or answers less or more, to begin with here.

        One's channels are the first of the other's: those that are lacking are zeros, and those too
        many are left out, as if what they tell of had been nothing. So are scales and blocks that
        are not here; what a block adds is small.
        """
        own = self.state_dict()
        fitted = {name: value for name, value in weights.items() if name in own}
        for name in ("stem.weight", "head.weight", "head.bias"):
            if name in fitted and fitted[name].ndim == own[name].ndim:
                missing = [a - b for a, b in zip(own[name].shape, fitted[name].shape, strict=True)]
                if any(missing):
                    ends = [end for count in reversed(missing) for end in (0, count)]
                    fitted[name] = F.pad(fitted[name], ends)
        return fitted

    def answer(self, known: Float[Tensor, "batch channels height width"]) -> Tensor:
        """What the network makes of all that is known of a tile."""
        return self.answers(known)[0]

    def answers(self, known: Float[Tensor, "batch channels height width"]) -> list[Tensor]:
        """The answer, then residuals at 1/2, 1/4 ..., as far as there are heads for them."""
        features = self.body.every_scale(self.stem(known))
        answer = F.pixel_shuffle(self.head(features[0]), 2)
        return [answer, *(head(found) for head, found in zip(self.coarse, features, strict=False))]


def blocks(channels: int, number: int) -> nn.Sequential:
    """Residual blocks in a row; none leaves its input as it is."""
    return nn.Sequential(*(ResidualBlock(channels) for _ in range(number)))


def conv3x3(channels: int, to_channels: int, *, stride: int = 1, gain: float = 1.0) -> nn.Conv2d:
    """A 3x3 convolution with He's initialisation times a gain (He et al. 2015)."""
    layer = nn.Conv2d(channels, to_channels, 3, stride, padding=1)
    start_as_he(layer, gain)
    return layer


def start_as_he(layer: nn.Conv2d, gain: float = 1.0) -> None:
    """Draws a convolution's weights by He's initialisation times a gain; its bias is 0."""
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    with torch.no_grad():
        layer.weight.mul_(gain)
        if layer.bias is not None:
            layer.bias.zero_()
