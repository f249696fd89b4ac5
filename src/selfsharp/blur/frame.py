"""What lies around a plane, blurred as the plane was: all that undoing a blur has to make up there.

Where all of a plane is blurred only its border is not, and that is far less to transform.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.psf import Psf
from selfsharp.blur.spectrum import Shape, Spectrum, back, centred_spectrum, fast_length, transform

Whole = Float32[np.ndarray, "rows columns"]
"""A plane with a border around it, taken as periodic."""
MARGIN = 16
"""Pixels beside a PSF's reach that a strip has more: a PSF whose centroid lies between pixels
reaches further."""
WORTH = 0.6
"""Share of the whole up to which strips are less work."""


@dataclass(frozen=True, eq=False)
class _Strip:
    """Some neighbouring rows of a whole, or columns.

    Attributes:
        axis: 0 of rows, 1 of columns.
        places: which.
        inner: those of them that lie around the plane.
        blur: spectrum of the PSF in the strip's size.
    """

    axis: int
    places: np.ndarray
    inner: slice
    blur: Spectrum


@dataclass(frozen=True, eq=False)
class Frame:
    """The border of a whole, in strips that reach from its one end on to the other."""

    strips: tuple[_Strip, _Strip]

    @staticmethod
    def around(plane: Shape, border: int, whole: Shape, psf: Psf) -> "Frame | None":
        """What lies around a plane in a whole; None if that is hardly less work than all of it.

        Args:
            plane: height and width of the plane.
            border: rows and columns before it.
            whole: height and width of the whole.
            psf: by which the whole is blurred.
        """
        margin, strips = psf.shape[0] // 2 + MARGIN, []
        for axis in (0, 1):
            outside = whole[axis] - plane[axis]
            length = fast_length(outside + 2 * margin)
            if length > whole[axis]:
                return None
            places = (border + plane[axis] - margin + np.arange(length)) % whole[axis]
            shape = (length, whole[1]) if axis == 0 else (whole[0], length)
            inner = slice(margin, margin + outside)
            strips.append(_Strip(axis, places, inner, centred_spectrum(psf, shape)))
        if sum(strip.blur.size for strip in strips) > WORTH * whole[0] * (whole[1] // 2 + 1):
            return None
        return Frame((strips[0], strips[1]))

    def filled(self, given: Whole, sharp: Whole) -> Whole:
        """The given whole with its border taken from the blurred sharp one."""
        filled = given.copy()
        for strip in self.strips:
            some = sharp.take(strip.places, strip.axis)
            again = back(strip.blur * transform(some), some.shape)
            around = strip.places[strip.inner]
            if strip.axis == 0:
                filled[around] = again[strip.inner]
            else:
                filled[:, around] = again[:, strip.inner]
        return filled
