"""Where a restored pixel's references lie: which sharp place is most like it, and how much."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int32

from selfsharp.image import Image, Plane
from selfsharp.picture import Picture, provenance_picture
from selfsharp.restore.matches import CLOSE, Matches


@dataclass(frozen=True)
class Provenance:
    """For every pixel of a photo, the sharp one that it was told of.

    Attributes:
        source: row and column of the sharp pixel; of use where `strength` is over 0.
        strength: how like the two places are when blurred alike, times how far the pixel was
            restored, 0..1; 0 where nothing was told.
    """

    source: Int32[np.ndarray, "height width 2"]
    strength: Plane

    @property
    def sources(self) -> Plane:
        """How strongly each pixel of the photo was referred to, 0..1: by the most like one."""
        referred = np.zeros_like(self.strength)
        told = self.strength > 0
        rows, columns = self.source[told].T
        np.maximum.at(referred, (rows, columns), self.strength[told])
        return referred


def trace(matches: Matches | None, gate: Plane) -> Provenance:
    """Follows matches to their sources: of all patches over a pixel, the best matched one's.

    Args:
        matches: of the blurred part; nothing is told when None.
        gate: how far each pixel was restored, 0..1.
    """
    source = np.zeros((*gate.shape, 2), np.int32)
    likeness = np.zeros_like(gate)
    if matches is None:
        return Provenance(source, likeness)
    side = matches.side
    inside = np.moveaxis(np.mgrid[:side, :side], 0, 2).astype(np.int32)
    keys, errors = matches.keys[:, 0], matches.errors[:, 0]
    # The most like are laid down last, over all others.
    for place in np.argsort(-errors, kind="stable"):
        top, left = matches.queries[place]
        here = slice(top, top + side), slice(left, left + side)
        source[here] = keys[place] + inside
        likeness[here] = np.exp(-errors[place] / np.float32(CLOSE))
    return Provenance(source, likeness * gate)


def draw(image: Image, told: Provenance) -> Picture:
    """The photo with every sharp place in a colour of its own, and that again where it went."""
    return provenance_picture(image, told.source, told.strength, told.sources)
