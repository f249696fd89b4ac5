"""What lies around a plane, blurred as the plane was: all that undoing a blur has to make up there.

Where all of a plane is blurred only its border is not, and that is far less to transform. Where the
plane was cut out of a larger one, what is made up takes over little by little.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.psf import Psf
from selfsharp.blur.spectrum import Shape, Spectrum, back, centred_spectrum, fast_length, transform
from selfsharp.image import Plane

Whole = Float32[np.ndarray, "rows columns"]
"""A plane with a border around it, taken as periodic."""
MARGIN = 16
"""Pixels beside a PSF's reach that a strip has more: a PSF whose centroid lies between pixels
reaches further."""
WORTH = 0.6
"""Share of the whole up to which strips are less work."""
FADE = 24
"""Pixels over which a plane gives way to what is made up, where it was cut out of a larger one.
What ends at once has all frequencies, and those that a PSF has lost ring when they are undone, far
into the plane: of a shaken photo of 4 megapixels that is undone in blocks, a third as many pixels
then differ by over a grey level from what undoing all of it at once gives."""
Ends = tuple[tuple[bool, bool], tuple[bool, bool]]
"""Of rows and of columns, whether something was cut off before the first and after the last."""


def fading(mask: Plane, ends: Ends) -> Plane:
    """A mask that fades towards where more of the photo was cut off."""
    ramp = (1 - np.cos(np.pi * (np.arange(FADE, dtype=np.float32) + 0.5) / FADE)) / 2
    shares = []
    for side, (before, after) in zip(mask.shape, ends, strict=True):
        share, reach = np.ones(side, np.float32), min(side, FADE)
        if before:
            share[:reach] *= ramp[:reach]
        if after:
            share[-reach:] *= ramp[:reach][::-1]
        shares.append(share)
    return mask * np.outer(*shares) if any(map(any, ends)) else mask


def _faded(mask: Plane) -> tuple[np.ndarray, np.ndarray] | None:
    """By what shares a mask of ones has faded in its rows and columns; None of any other mask."""
    rows, columns = mask[:, mask.shape[1] // 2], mask[mask.shape[0] // 2]
    return (rows, columns) if np.array_equal(mask, np.outer(rows, columns)) else None


@dataclass(frozen=True, eq=False)
class _Strip:
    """Some neighbouring rows of a whole, or columns.

    Attributes:
        axis: 0 of rows, 1 of columns.
        places: which.
        inner: those of them that something is made up for.
        shares: how much of what was there stays in each of those.
        blur: spectrum of the PSF in the strip's size.
    """

    axis: int
    places: np.ndarray
    inner: slice
    shares: np.ndarray
    blur: Spectrum


@dataclass(frozen=True, eq=False)
class Frame:
    """The border of a whole, in strips that reach from its one end on to the other."""

    strips: tuple[_Strip, _Strip]

    @staticmethod
    def around(mask: Plane, border: int, whole: Shape, psf: Psf) -> "Frame | None":
        """What lies around a plane in a whole; None if that is hardly less work than all of it.

        Args:
            mask: where the plane is blurred: all over, or :func:`fading`; else there is no frame.
            border: rows and columns before it.
            whole: height and width of the whole.
            psf: by which the whole is blurred.
        """
        margin, strips, faded = psf.shape[0] // 2 + MARGIN, [], _faded(mask)
        if faded is None:
            return None
        for axis, kept in enumerate(faded):
            full = np.flatnonzero(kept == 1)
            first, last = (int(full[0]), int(full[-1]) + 1) if full.size else (0, 0)
            if full.size != last - first or not full.size:
                return None
            # From where the plane begins to give way, round to where it has taken over again.
            around = np.zeros(whole[axis] - len(kept), np.float32)
            shares = np.concatenate([kept[last:], around, kept[:first]])
            length = fast_length(len(shares) + 2 * margin)
            if length > whole[axis]:
                return None
            places = (border + last - margin + np.arange(length)) % whole[axis]
            shape = (length, whole[1]) if axis == 0 else (whole[0], length)
            inner = slice(margin, margin + len(shares))
            strips.append(_Strip(axis, places, inner, shares, centred_spectrum(psf, shape)))
        if sum(strip.blur.size for strip in strips) > WORTH * whole[0] * (whole[1] // 2 + 1):
            return None
        return Frame((strips[0], strips[1]))

    def filled(self, given: Whole, sharp: Whole) -> Whole:
        """The given whole, what lies around its plane taken from the blurred sharp one."""
        filled = given.copy()
        for strip in self.strips:
            some = sharp.take(strip.places, strip.axis)
            again = back(strip.blur * transform(some), some.shape)
            around, shares = strip.places[strip.inner], strip.shares
            if strip.axis == 0:
                made = again[strip.inner]
                filled[around] = made + shares[:, None] * (filled[around] - made)
            else:
                made = again[:, strip.inner]
                filled[:, around] = made + shares * (filled[:, around] - made)
        return filled
