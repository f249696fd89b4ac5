"""The plain generator: a U-Net behind a pixel-unshuffle, without references."""

import torch
from jaxtyping import Float
from torch import Tensor

from selfsharp.networks.blocks import TileUNet

RADIUS_SCALE = 8.0
"""Radii are divided by this, so that usual ones lie in 0..1 like every other input."""


class Generator(TileUNet):
    """Predicts what to add to a blurred tile, from the tile and its blur.

    The residual starts near zero: an untrained generator leaves the photo as it is.
    """

    inputs = ("image", "blur")
    told, answered = 5, 3

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
