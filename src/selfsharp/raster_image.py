"""An image that stays the raster that it was read from, and becomes floats piece by piece."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, TypeAlias

import numpy as np
from jaxtyping import Float

from selfsharp.raster import (
    NOWHERE,
    Added,
    Image,
    Layout,
    Piece,
    Plane,
    Raster,
    Window,
    blocks_of,
    grey_of,
    shown,
    to_image,
    to_raster,
)


@dataclass(frozen=True, eq=False)
class RasterImage:
    """An image made of samples as it is asked for: `image[rows, columns]` is an array of floats.

    It has the values of :func:`selfsharp.raster.to_image`, bit for bit, in a fourth of the memory
    where the samples have 8 bits. NumPy makes an array of all of it.

    Attributes:
        raster: what the image was read from.
        added: what is added to that in `window`, where samples would not hold it.
        window: where that is added.
    """

    raster: Raster
    added: Added | None = None
    window: Window = NOWHERE

    dtype: ClassVar[np.dtype[np.float32]] = np.dtype(np.float32)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        height, width = self.raster.samples.shape[:2]
        return height, width, 3

    @property
    def size(self) -> int:
        """Values, three for each pixel."""
        return math.prod(self.shape)

    def __getitem__(self, window: Window | slice) -> Piece:
        """What lies in a window, or in some rows; an array of its own."""
        rows, columns = window if isinstance(window, tuple) else (window, slice(None))
        light = shown(self.raster.samples[rows, columns], self.raster.layout)
        # Of alpha that lay behind them colours are rid, and grey is one channel so far.
        image = np.repeat(light, 3, axis=2) if light.shape[2] == 1 else np.ascontiguousarray(light)
        if self.added is not None:
            corner = rows.indices(self.shape[0])[0], columns.indices(self.shape[1])[0]
            add_to(image, corner, self.added, self.window)
        return image

    def __array__(self, dtype: object = None, copy: bool | None = None) -> Image:
        """All of the image."""
        whole = to_image(self.raster)
        if self.added is not None:
            add_to(whole, (0, 0), self.added, self.window)
        return whole

    def plus(self, added: Added, window: Window) -> "RasterImage":
        """The image with something added in a window; as samples, if they are 8 bits of RGB.

        What has 16, or is kept otherwise, may still be written as that, and would be rounded twice.
        """
        layout = self.raster.layout
        changed = replace(self, added=added, window=window)
        if layout.colour != "rgb" or layout.depth > 8 or not layout.is_image:
            return changed
        samples, colours = self.raster.samples.copy(), replace(layout, alpha="none")
        for rows in rows_of(window):
            light = to_raster(changed[rows, window[1]], None, colours)
            samples[rows, window[1], : layout.colours] = light.samples
        return RasterImage(Raster(samples, layout))


AnyImage: TypeAlias = Image | RasterImage
"""An image: all of it as floats, or made of samples as it is asked for."""


def piece_of(image: AnyImage, window: Window) -> Piece:
    """What lies in a window of an image, as an array of its own."""
    piece = image[window]
    return piece if isinstance(image, RasterImage) else piece.copy()


@dataclass(frozen=True, eq=False)
class GreyImage:
    """The mean of the channels of an image, made of what is asked of it: `grey[rows, columns]`.

    Attributes:
        image: RGB in 0..1.
    """

    image: AnyImage

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.image.shape[:2]

    def __getitem__(self, window: Window) -> Plane:
        """What lies in a window: an array of its own."""
        return grey_of(self.image[window])


AnyGrey: TypeAlias = Plane | GreyImage
"""The mean of the channels of an image, 0..1: a plane, or made as it is asked for."""


def raster_of(
    image: AnyImage, alpha: Plane | None, layout: Layout, source: Raster | None = None
) -> Raster:
    """The samples of an image, as :func:`selfsharp.raster.to_raster` makes them.

    Of an image that is made of such samples those are taken that have not changed.

    Args:
        image: RGB in 0..1.
        alpha: straight alpha in 0..1; opaque where None. Of an image made of samples, theirs.
        layout: of the samples to make.
        source: what the image was read from, where its samples do not follow from it.
    """
    if not isinstance(image, RasterImage):
        return to_raster(image, alpha, layout, source)
    raster = image.raster
    if raster.layout == layout:
        if image.added is None:
            return raster
        samples, columns = raster.samples.copy(), image.window[1]
        for rows in rows_of(image.window):
            opacity = None if alpha is None else alpha[rows, columns]
            before = Raster(samples[rows, columns], layout)
            light = to_raster(image[rows, columns], opacity, layout, before)
            samples[rows, columns] = light.samples
        return Raster(samples, layout)
    height, width = image.shape[:2]
    samples = np.empty((height, width, layout.channels), layout.dtype)
    for rows in blocks_of(height, width):
        opacity = None if alpha is None else alpha[rows]
        samples[rows] = to_raster(image[rows], opacity, layout).samples
    return Raster(samples, layout)


def rows_of(window: Window) -> Iterator[slice]:
    """The rows of a window, few enough of them at a time."""
    rows, columns = window
    for some in blocks_of(rows.stop - rows.start, columns.stop - columns.start):
        yield slice(rows.start + some.start, min(rows.start + some.stop, rows.stop))


def add_to(
    image: Piece,
    corner: tuple[int, int],
    added: Float[np.ndarray, "_ _ 3"],
    window: Window,
) -> None:
    """Adds to a piece of an image what is added in a window, as far as that lies in it.

    Args:
        image: is changed; what is added to stays within 0..1.
        corner: first row and column of it.
        added: to the image.
        window: where.
    """
    its, of_added = zip(
        *(
            _shared(slice(start, start + length), held)
            for start, length, held in zip(corner, image.shape[:2], window, strict=True)
        ),
        strict=True,
    )
    changed = image[its]
    changed += added[of_added]
    np.clip(changed, 0, 1, out=changed)


def _shared(span: slice, held: slice) -> tuple[slice, slice]:
    """What a span shares with what is held, counted from the start of the one and of the other."""
    low = max(span.start, held.start)
    high = max(low, min(span.stop, held.stop))
    return slice(low - span.start, high - span.start), slice(low - held.start, high - held.start)
