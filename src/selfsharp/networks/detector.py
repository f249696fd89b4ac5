"""The detector: tells for every pixel how likely it is blurred and by what radius."""

from collections.abc import Mapping, Sequence
from copy import copy

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from selfsharp.networks.blocks import ResidualBlock, UNet, UnshuffledConv, Up, conv3x3

SCALE = 4
"""The detector works at 1/4 of the photo's size; no pixel is dropped on the way there."""


class Detector(nn.Module):
    """Looks at a photo at 1/4 scale and finds its blur.

    Args:
        widths: channels at 1/4, 1/8, 1/16 ... of the photo's size.
        down: residual blocks per scale on the way down.
        up: residual blocks per scale on the way up.
        context: channels of a second look at the coarsest of those scales and at 1/2, 1/4 ... of
            it, which tells what a person would call blurred; none when empty.
    """

    inputs = ("image",)

    def __init__(
        self,
        widths: Sequence[int] = (32, 48, 56),
        down: Sequence[int] = (1, 1, 2),
        up: Sequence[int] = (1, 0),
        context: Sequence[int] = (),
    ) -> None:
        super().__init__()
        self.multiple = _multiple(widths, context)
        self.stem = UnshuffledConv(3, widths[0], SCALE)
        self.body = UNet(widths, down, up)
        self.head = conv3x3(widths[0], 2, gain=0.1)
        self.context = Context(widths, context) if context else None
        self._widths = widths

    def forward(
        self, image: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch answers height//4 width//4"]:
        """Logit of being blurred, and the radius in pixels, for every 4x4 pixels.

        A third answer, with `context`, is the logit of being blurred as a person sees it, flat
        places and all: it needs the surroundings, where the first needs but the place itself.

        Args:
            image: RGB in 0..1; height and width are multiples of `multiple`.
        """
        stem = F.relu(self.stem(image - 0.5))
        features = self.body.every_scale(stem)
        found = self.head(features[0])
        if self.context is None:
            return found
        return torch.cat([found, found[:, :1] + self.context(features)], dim=1)

    def without_context(self) -> "Detector":
        """The same detector, which tells the first two answers only."""
        alone = copy(self)
        alone._modules = self._modules | {"context": None}
        alone.multiple = _multiple(self._widths, ())
        return alone

    def begun_from(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Weights of a detector with fewer scales, or without context, to begin with here.

        What it lacks begins as it is here, and its new scales tell the others nothing yet. A
        context is left out where there is none here.
        """
        known = len({n.split(".")[2] for n in weights if n.startswith("body.grow.")})
        new = ["context."]
        for step in range(known, len(self.body.grow)):
            new += [f"body.down.{step + 1}."]
            new += [f"body.{part}.{step}." for part in ("shrink", "grow", "up")]
        begun = {n: one for n, one in self.state_dict().items() if n.startswith(tuple(new))}
        for name in begun:
            if name.startswith(f"body.grow.{known}."):
                begun[name] = torch.zeros_like(begun[name])
        wanted = self.context is not None
        return begun | {n: w for n, w in weights.items() if wanted or not n.startswith("context.")}


def _multiple(widths: Sequence[int], context: Sequence[int]) -> int:
    """What a photo's sides are to be multiples of: every scale halves them."""
    return SCALE * 2 ** (len(widths) - 1 + max(0, len(context) - 1))


class Context(nn.Module):
    """What the surroundings say of a place: a U-Net over the coarsest features of another.

    Args:
        widths: channels of the other's scales, finest first.
        context: channels of its own scales; the first is that of the other's coarsest.
    """

    def __init__(self, widths: Sequence[int], context: Sequence[int]) -> None:
        super().__init__()
        self.enter = conv3x3(widths[-1], context[0])
        deep = len(context)
        self.body = UNet(context, (1,) * (deep - 1) + (2,), (1,) * (deep - 1))
        self.leave = Up(context[0], widths[-2])
        self.beside = conv3x3(widths[-2], widths[-2])
        self.refine = ResidualBlock(widths[-2])
        self.grow = 2 ** (len(widths) - 2)
        self.head = conv3x3(widths[-2], self.grow**2, gain=0.01)

    def forward(self, features: Sequence[Tensor]) -> Float[Tensor, "batch 1 rows columns"]:
        """What to add to a logit, at the size of the finest of the other's features."""
        seen = self.leave(self.body(F.relu(self.enter(features[-1]))))
        seen = F.relu(seen + self.beside(features[-2]))
        return F.pixel_shuffle(self.head(self.refine(seen)), self.grow)
