"""The generator that refers to the photo's sharp part: mends proposals, and carries detail over."""

import torch
from jaxtyping import Float
from torch import Tensor

from selfsharp.networks.blocks import TileUNet
from selfsharp.networks.generators.mending import OFFER_SCALE
from selfsharp.networks.generators.unet import RADIUS_SCALE


class Generator(TileUNet):
    """Predicts what to add to a blurred tile, from the tile, its blur, proposals and references.

    As `mending` does it tells for every pixel how far to follow each proposal; and, beside that,
    how much to take of the detail that sharp places of the photo lose when they are blurred and
    undone alike, and then look like what is undone. Where nothing matches, the references are 0,
    and so is what they add.

    What `mending` has learnt fits in: its weights are these without the last channels.
    """

    inputs = ("image", "blur", "proposals", "references")
    told, answered = 16, 6

    def forward(
        self,
        image: Float[Tensor, "batch 3 height width"],
        blur: Float[Tensor, "batch 2 height width"],
        proposals: Float[Tensor, "batch 6 height width"],
        references: Float[Tensor, "batch 5 height width"],
    ) -> Float[Tensor, "batch 3 height width"]:
        """The residual; image + residual is the restored tile."""
        return self.every_scale(image, blur, proposals, references)[0]

    def every_scale(
        self,
        image: Float[Tensor, "batch 3 height width"],
        blur: Float[Tensor, "batch 2 height width"],
        proposals: Float[Tensor, "batch 6 height width"],
        references: Float[Tensor, "batch 5 height width"],
    ) -> list[Tensor]:
        """Residuals at full size, 1/2, 1/4 ..., as far as there are heads for them."""
        first, second = proposals[:, :3] - image, proposals[:, 3:] - image
        gate, radius = blur[:, :1], blur[:, 1:]
        detail, likeness = references[:, :3], references[:, 3:]
        offers = [OFFER_SCALE * offer for offer in (first, second, detail)]
        known = torch.cat([image - 0.5, gate, radius / RADIUS_SCALE, *offers, likeness], dim=1)
        out, *coarser = self.answers(known)
        followed = out[:, 3:4] * first + out[:, 4:5] * second + out[:, 5:] * detail
        return [out[:, :3] + followed, *coarser]
