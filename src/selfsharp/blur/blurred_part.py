"""A blurred part at one scale, and what every way to estimate its PSF does with it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.regions import eroded, softened
from selfsharp.blur.spectrum import (
    Planes,
    Spectrum,
    back,
    bordered,
    corner_of,
    derivatives,
    over,
    transform,
)
from selfsharp.image import Plane


@dataclass(frozen=True)
class BlurredPart:
    """A blurred part with a border, and all that estimates need of it.

    Attributes:
        given: the blurred image.
        spectrum: its spectrum.
        inside: 1 where it is blurred, 0 elsewhere.
        trusted: weight of the edges that tell the PSF; less towards the part's own edge.
    """

    given: Plane
    spectrum: Spectrum
    inside: Plane
    trusted: Plane

    @classmethod
    def of(cls, grey: Plane, mask: Plane, side: int) -> "BlurredPart":
        """The masked part of an image, for PSFs of so many pixels a side."""
        given = bordered(grey, side)
        inside = bordered((mask > 0.5).astype(np.float32), side, mode="constant")
        return cls(given, transform(given), inside, softened(eroded(inside > 0, side // 4), 2))

    def mirrored(self, axes: tuple[int, ...]) -> "BlurredPart":
        """The part seen in a mirror that swaps its ends along some axes."""
        given, inside, trusted = (
            np.ascontiguousarray(np.flip(plane, axes))
            for plane in (self.given, self.inside, self.trusted)
        )
        return BlurredPart(given, transform(given), inside, trusted)

    def evenly(self, blur: Spectrum) -> Planes:
        """The image with its sharp surroundings blurred alike, by a PSF or by several."""
        again = back(blur * self.spectrum, self.given.shape)
        return self.inside * self.given + (1 - self.inside) * again

    def quotient(
        self,
        sharp: Planes,
        blurred: Planes,
        side: int,
        damping: float | Float32[np.ndarray, "... 1 1"],
        before: Plane | float = 1.0,
        after: Plane | float = 1.0,
    ) -> Float32[np.ndarray, "... side side"]:
        """What leads from sharp to blurred edges, by damped least squares, of one image or several.

        Args:
            side: rows and columns of the answer, an odd number.
            damping: how strongly weak frequencies are held down; one number, or one for each image.
            before: how much an edge of the sharp image counts, beside being trusted.
            after: how much one of the blurred image does.
        """
        ahead, behind = self.trusted * before, self.trusted * after
        (across, across_after), (below, below_after) = (
            (transform(edges * ahead), transform(smeared * behind))
            for edges, smeared in zip(derivatives(sharp), derivatives(blurred), strict=True)
        )
        cross = np.conj(across) * across_after + np.conj(below) * below_after
        energy = np.abs(across) ** 2 + np.abs(below) ** 2 + np.asarray(damping, np.float32)
        return corner_of(over(cross, energy), self.given.shape, side)
