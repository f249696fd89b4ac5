"""The critic: tells, for overlapping patches of 70x70 pixels, how real a restoration looks."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

LEAST = 24
"""Side in pixels of the smallest crop that leaves a score."""


class Discriminator(nn.Module):
    """A conditional PatchGAN: judges a candidate beside the blurred image it was made of.

    Five 4x4 convolutions, three of them of stride 2; each score has seen 70x70 pixels. No
    sigmoid: scores are unbounded, as Wasserstein's distance and the hinge want them.

    Source: P. Isola, J.-Y. Zhu, T. Zhou and A. Efros, 2017, doi:10.1109/CVPR.2017.632; spectral
    normalisation: T. Miyato, T. Kataoka, M. Koyama and Y. Yoshida, 2018, arXiv:1802.05957.

    Args:
        width: channels of the first convolution.
        spectral: spectral normalisation of every convolution in place of instance norm.
    """

    def __init__(self, width: int = 64, *, spectral: bool = False) -> None:
        super().__init__()
        self.spectral = spectral
        widths = (6, width, 2 * width, 4 * width, 8 * width)
        # A norm would take a bias out again, and so would Wasserstein's difference of scores.
        self.layers = nn.ModuleList(
            nn.Conv2d(
                before,
                after,
                4,
                stride=2 if place < 3 else 1,
                padding=1,
                bias=spectral or place == 0,
            )
            for place, (before, after) in enumerate(pairwise(widths))
        )
        self.head = nn.Conv2d(widths[-1], 1, 4, padding=1, bias=spectral)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, std=0.02)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        if spectral:
            for layer in (*self.layers, self.head):
                spectral_norm(layer)

    def forward(
        self,
        image: Float[Tensor, "batch 3 height width"],
        candidate: Float[Tensor, "batch 3 height width"],
    ) -> Float[Tensor, "batch 1 rows columns"]:
        """A score per patch, the higher the more real.

        Args:
            image: the blurred image, RGB in 0..1; at least 24x24 pixels.
            candidate: its sharp target, or a restoration of it.

        Raises:
            ValueError: the image is smaller.
        """
        if min(image.shape[2:]) < LEAST:
            size = "x".join(map(str, image.shape[2:]))
            raise ValueError(f"a crop of {size} is too small to judge; give {LEAST} or more")
        features = 2 * torch.cat([image, candidate], dim=1) - 1
        for place, layer in enumerate(self.layers):
            features = layer(features)
            if place > 0 and not self.spectral:
                features = F.instance_norm(features)
            features = F.leaky_relu(features, 0.2)
        return self.head(features)
