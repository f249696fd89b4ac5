"""What restoring an image gives: what has changed, and the maps that tell what was done."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from selfsharp.blur.psf import Psf
from selfsharp.image import Image, Plane
from selfsharp.restore.matches import Matches
from selfsharp.restore.windows import NOWHERE, Added, Weights, Window


@dataclass(frozen=True)
class Restoration:
    """A restored image and the maps that tell what was done.

    Attributes:
        image: the restored image; bit-identical to the input where `gate` is 0.
        blur_map: blur radius in pixels, 0 where sharp.
        gate: how much of the restoration is blended in, 0..1; 0 in the reference part.
        psf: the PSF that the proposals undo, that of the whole part where it differs from place to
            place; None where the generator restored alone.
        references: for patches of the blurred part, the sharp places that are most like them; None
            where the model asks for none, or there are none.
    """

    image: Image
    blur_map: Plane
    gate: Plane
    psf: Psf | None = None
    references: Matches | None = None

    @cached_property
    def share(self) -> float:
        """The share of the photo in its blurred part, 0..1."""
        return Maps(self.blur_map, self.gate).share


@dataclass(frozen=True)
class Maps:
    """What tells of a restoration: all of it but the image."""

    blur_map: Weights
    gate: Weights
    psf: Psf | None = None
    references: Matches | None = None

    @property
    def share(self) -> float:
        """The share of the photo in its blurred part, 0..1."""
        return float(np.count_nonzero(self.gate)) / self.gate.size

    @property
    def precise(self) -> "Maps":
        """The same in full precision."""
        planes = (self.blur_map, self.gate)
        radius, gate = (np.ascontiguousarray(plane, np.float32) for plane in planes)
        return replace(self, blur_map=radius, gate=gate)


@dataclass(frozen=True)
class Change:
    """What restoring changes of an image.

    Attributes:
        maps: what tells of it.
        added: what is added to the image in the window; None where nothing changes.
        window: where.
    """

    maps: Maps
    added: Added | None = None
    window: Window = NOWHERE
