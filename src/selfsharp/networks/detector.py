"""The detector: tells for every pixel how likely it is blurred and by what radius."""

from collections.abc import Sequence

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from selfsharp.networks.blocks import UNet, conv3x3

SCALE = 4
"""The detector works at 1/4 of the photo's size; no pixel is dropped on the way there."""


class Detector(nn.Module):
    """Looks at a photo at 1/4 scale and finds its blur.

    Args:
        widths: channels at 1/4, 1/8, 1/16 ... of the photo's size.
        down: residual blocks per scale on the way down.
        up: residual blocks per scale on the way up.
    """

    inputs = ("image",)

    def __init__(
        self,
        widths: Sequence[int] = (32, 48, 56),
        down: Sequence[int] = (1, 1, 2),
        up: Sequence[int] = (1, 0),
    ) -> None:
        super().__init__()
        self.multiple = SCALE * 2 ** (len(widths) - 1)
        self.stem = conv3x3(3 * SCALE**2, widths[0])
        self.body = UNet(widths, down, up)
        self.head = conv3x3(widths[0], 2, gain=0.1)

    def forward(
        self, image: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch 2 height//4 width//4"]:
        """Logit of being blurred, and the radius in pixels, for every 4x4 pixels.

        Args:
            image: RGB in 0..1; height and width are multiples of `multiple`.
        """
        features = F.relu(self.stem(F.pixel_unshuffle(image - 0.5, SCALE)))
        return self.head(self.body(features))
