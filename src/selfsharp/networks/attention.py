"""Self-attention over all places of a tile, as SAGAN has it."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class SelfAttention(nn.Module):
    """Adds to every place what places like it hold, wherever in the tile they are.

    The gain of what is added starts at 0: training begins with the network as it is without.
    Keys and values are pooled to half the size, as in the authors' code. Memory grows with
    the square of a tile's area; PyTorch works through it piece by piece, an exported graph
    does not: a tile of 256x256 behind a quarter-size body takes 17 MB, one of 1024x1024 4 GB.

    Source: H. Zhang, I. Goodfellow, D. Metaxas and A. Odena, 2019, arXiv:1805.08318.

    Args:
        channels: channels of the features, a multiple of 8.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        if channels % 8:
            raise ValueError(f"{channels} channels cannot be attended to; give a multiple of 8")
        self.queries = nn.Conv2d(channels, channels // 8, 1, bias=False)
        self.keys = nn.Conv2d(channels, channels // 8, 1, bias=False)
        self.values = nn.Conv2d(channels, channels // 2, 1, bias=False)
        self.back = nn.Conv2d(channels // 2, channels, 1, bias=False)
        self.gain = nn.Parameter(torch.zeros(()))

    def forward(
        self, features: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """The features plus gain times what is found elsewhere."""
        queries = self.queries(features)
        keys, values = F.max_pool2d(self.keys(features), 2), F.max_pool2d(self.values(features), 2)
        # SAGAN does not scale the products by their length.
        found = F.scaled_dot_product_attention(
            _rows(queries), _rows(keys), _rows(values), scale=1.0
        )
        laid_out = found[:, 0].transpose(1, 2).unflatten(2, features.shape[2:])
        return features + self.gain * self.back(laid_out)


def _rows(features: Float[Tensor, "batch channels height width"]) -> Tensor:
    """A row for every place, under one head."""
    return features.flatten(2).transpose(1, 2)[:, None]
