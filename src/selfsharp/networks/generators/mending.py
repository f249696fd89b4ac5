"""The generator that mends what physics proposes: a U-Net behind a pixel-unshuffle."""

import torch
from jaxtyping import Float
from torch import Tensor

from selfsharp.networks.blocks import TileUNet
from selfsharp.networks.generators.unet import RADIUS_SCALE

OFFER_SCALE = 4.0
"""What a proposal would change is multiplied by this, so that it counts like other inputs."""


class Generator(TileUNet):
    """Predicts what to add to a blurred tile, from the tile, its blur and two proposals.

    It tells for every pixel how far to follow each proposal, and what to add beside. Two
    proposals by different estimates of one PSF: where they agree, they are mostly right.
    A proposal equal to the tile proposes nothing. The residual starts near zero.
    """

    inputs = ("image", "blur", "proposals")
    told, answered = 11, 5

    def forward(
        self,
        image: Float[Tensor, "batch 3 height width"],
        blur: Float[Tensor, "batch 2 height width"],
        proposals: Float[Tensor, "batch 6 height width"],
    ) -> Float[Tensor, "batch 3 height width"]:
        """The residual; image + residual is the restored tile."""
        return self.every_scale(image, blur, proposals)[0]

    def every_scale(
        self,
        image: Float[Tensor, "batch 3 height width"],
        blur: Float[Tensor, "batch 2 height width"],
        proposals: Float[Tensor, "batch 6 height width"],
    ) -> list[Tensor]:
        """Residuals at full size, 1/2, 1/4 ..., as far as there are heads for them."""
        size = image.shape[2:]
        # Pixels in a row: what runs graphs lays out arithmetic of three planes of rows and columns
        # anew, channels last, and takes several times as long over it.
        given, proposed, told = image.flatten(2), proposals.flatten(2), blur[:, 1:] / RADIUS_SCALE
        first, second = proposed[:, :3] - given, proposed[:, 3:] - given
        offers = (OFFER_SCALE * torch.cat([first, second], dim=1)).unflatten(2, size)
        out, *coarser = self.answers(torch.cat([image - 0.5, blur[:, :1], told, offers], dim=1))
        out = out.flatten(2)
        residual = out[:, :3] + out[:, 3:4] * first + out[:, 4:] * second
        return [residual.unflatten(2, size), *coarser]
