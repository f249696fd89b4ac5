"""The plain generator: a U-Net behind a pixel-unshuffle, without references."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from selfsharp.networks.blocks import TileUNet

RADIUS_SCALE = 8.0
"""Radii are divided by this, so that usual ones lie in 0..1 like every other input."""


class Generator(TileUNet):
    """Predicts what to add to a blurred tile, from the tile and its blur.

    The residual starts near zero: an untrained generator leaves the photo as it is.

    Args:
        widths: channels at 1/2, 1/4, 1/8 ... of the tile's size.
        down: residual blocks per scale on the way down.
        up: residual blocks per scale on the way up.
        scales: sizes at which a residual is given while training: 1, 1/2, 1/4 ...
    """

    inputs = ("image", "blur")

    def __init__(
        self,
        widths: Sequence[int] = (32, 64, 128, 192),
        down: Sequence[int] = (1, 1, 2, 2),
        up: Sequence[int] = (1, 2, 2),
        scales: int = 1,
    ) -> None:
        super().__init__(5, 3, widths, down, up, scales)

    def forward(
        self,
        image: Float[Tensor, "batch 3 height width"],
        blur: Float[Tensor, "batch 2 height width"],
    ) -> Float[Tensor, "batch 3 height width"]:
        """The residual; image + residual is the restored tile."""
        return self.every_scale(image, blur)[0]

    def every_scale(
        self,
        image: Float[Tensor, "batch 3 height width"],
        blur: Float[Tensor, "batch 2 height width"],
    ) -> list[Tensor]:
        """Residuals at full size, 1/2, 1/4 ..., as far as there are heads for them."""
        gate, radius = blur[:, :1], blur[:, 1:]
        return self.answers(torch.cat([image - 0.5, gate, radius / RADIUS_SCALE], dim=1))
