"""The plain generator: a U-Net behind a pixel-unshuffle, without references."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from selfsharp.networks.blocks import UNet, conv3x3

RADIUS_SCALE = 8.0
"""Radii are divided by this, so that usual ones lie in 0..1 like every other input."""


class Generator(nn.Module):
    """Predicts what to add to a blurred tile, from the tile and its blur.

    The residual starts near zero: an untrained generator leaves the photo as it is.

    Args:
        widths: channels at 1/2, 1/4, 1/8 ... of the tile's size.
        down: residual blocks per scale on the way down.
        up: residual blocks per scale on the way up.
    """

    inputs = ("image", "blur")

    def __init__(
        self,
        widths: Sequence[int] = (32, 64, 128, 192),
        down: Sequence[int] = (1, 1, 2, 2),
        up: Sequence[int] = (1, 2, 2),
    ) -> None:
        super().__init__()
        self.multiple = 2 ** len(widths)
        self.stem = conv3x3(4 * 5, widths[0])
        self.body = UNet(widths, down, up)
        self.head = conv3x3(widths[0], 4 * 3, gain=0.01)

    def forward(
        self,
        image: Float[Tensor, "batch 3 height width"],
        blur: Float[Tensor, "batch 2 height width"],
    ) -> Float[Tensor, "batch 3 height width"]:
        """The residual; image + residual is the restored tile."""
        gate, radius = blur[:, :1], blur[:, 1:]
        known = torch.cat([image - 0.5, gate, radius / RADIUS_SCALE], dim=1)
        features = self.body(self.stem(F.pixel_unshuffle(known, 2)))
        return F.pixel_shuffle(self.head(features), 2)
