"""A picture as its file holds it: samples of 8 or 16 bits, and how they become an image.

An image is RGB in 0..1. Grey and RGB become one by a division, which every sample survives
there and back. Inks (CMYK) and premultiplied colours do not; of those the samples are kept
beside the image, and a pixel whose values did not change is written with the samples that it
was read from.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8, UInt16

Image = Float32[np.ndarray, "height width 3"]
Plane = Float32[np.ndarray, "height width"]
Piece = Float32[np.ndarray, "rows columns 3"]
"""What lies in a window of an image."""
Added = Float[np.ndarray, "rows columns 3"]
"""What is added to an image in a window, -1..1; 0 leaves a pixel bit for bit as it is. Of a large
photo in half precision, which is a hundredth of a grey level at most."""
Window = tuple[slice, slice]
"""What lies between some rows and some columns."""
NOWHERE: Window = (slice(0, 0), slice(0, 0))
"""A window in which there is nothing."""
Samples: TypeAlias = (
    UInt8[np.ndarray, "height width channels"] | UInt16[np.ndarray, "height width channels"]
)
Turned: TypeAlias = (
    UInt8[np.ndarray, "rows columns channels"] | (UInt16[np.ndarray, "rows columns channels"])
)
Colour = Literal["grey", "rgb", "cmyk"]
Alpha = Literal["none", "straight", "premultiplied"]

_COLOURS = {"grey": 1, "rgb": 3, "cmyk": 4}
_PIXELS_AT_A_TIME = 1 << 19
_LEAST_LIGHT = 1e-4  # Of a channel, so that its density is finite.


@dataclass(frozen=True)
class Layout:
    """What the samples of a picture are.

    Attributes:
        colour: of one, three or four channels; cmyk counts ink, the others light.
        alpha: whether a channel of opacity follows, and whether colours are multiplied by it.
        depth: bits per sample, 8 or 16.
    """

    colour: Colour = "rgb"
    alpha: Alpha = "none"
    depth: Literal[8, 16] = 8

    @property
    def colours(self) -> int:
        """Channels without alpha."""
        return _COLOURS[self.colour]

    @property
    def channels(self) -> int:
        """Channels with alpha."""
        return self.colours + (self.alpha != "none")

    @property
    def white(self) -> int:
        """The largest sample."""
        return (1 << self.depth) - 1

    @property
    def dtype(self) -> type[np.uint8] | type[np.uint16]:
        """The type of a sample."""
        return np.uint8 if self.depth == 8 else np.uint16

    @property
    def is_image(self) -> bool:
        """Whether every sample follows from the image that it becomes."""
        return self.colour != "cmyk" and self.alpha != "premultiplied"


@dataclass(frozen=True, eq=False)
class Raster:
    """Samples, upright, and what they are."""

    samples: Samples
    layout: Layout

    def __post_init__(self) -> None:
        """Refuses samples that are not what the layout says."""
        if self.samples.dtype != self.layout.dtype:
            raise ValueError(f"samples of {self.samples.dtype} are not of {self.layout.depth} bits")
        if self.samples.shape[2] != self.layout.channels:
            raise ValueError(f"{self.samples.shape[2]} channels are not {self.layout}")


def turned(samples: Samples, orientation: int) -> Turned:
    """Samples as they are displayed; orientation is 1 to 8 as in EXIF, 1 upright."""
    if orientation >= 5:
        samples = samples.swapaxes(0, 1)
    rows = slice(None, None, -1 if orientation in (3, 4, 7, 8) else 1)
    columns = slice(None, None, -1 if orientation in (2, 3, 6, 7) else 1)
    return np.ascontiguousarray(samples[rows, columns])


def to_image(raster: Raster) -> Image:
    """The image that a raster stands for; :func:`alpha_of` is its alpha."""
    height, width = raster.samples.shape[:2]
    image = np.empty((height, width, 3), np.float32)
    for rows in blocks_of(height, width):
        image[rows] = shown(raster.samples[rows], raster.layout)
    return image


def alpha_of(raster: Raster) -> Plane | None:
    """The straight alpha of a raster, 1 opaque; None if there is none."""
    if raster.layout.alpha == "none":
        return None
    return raster.samples[:, :, -1] / np.float32(raster.layout.white)


def luma_of(raster: Raster) -> Plane:
    """How bright a raster is, by the luma of its colours (ITU-R BT.601), alpha ignored: 0..1."""
    height, width = raster.samples.shape[:2]
    luma = np.empty((height, width), np.float32)
    layout = raster.layout
    for rows in blocks_of(height, width):
        if layout.colours == 1 and layout.alpha == "none":
            np.divide(raster.samples[rows, :, 0], np.float32(layout.white), out=luma[rows])
            continue
        light = shown(raster.samples[rows], layout)
        if light.shape[2] == 1:
            luma[rows] = light[:, :, 0]
            continue
        # Of white these are whole numbers, so that it becomes 1.
        weights = np.array([299, 587, 114], np.float32)
        np.divide(light @ weights, np.float32(1000), out=luma[rows])
    return luma


def to_raster(
    image: Image, alpha: Plane | None, layout: Layout, source: Raster | None = None
) -> Raster:
    """The samples of an image: clipped to 0..1, rounded, halves up.

    Grey is the mean of the channels. Inks are chosen so that every pixel keeps the share of
    its grey that the source printed in black, without a source all of it; they show the image
    by (1 - ink)(1 - black), whatever the profile.

    Args:
        image: RGB in 0..1.
        alpha: straight alpha in 0..1; opaque where None.
        layout: of the samples to make.
        source: what the image was read from; its samples stay where nothing changed. One of
            another size or layout does not count.
    """
    height, width = image.shape[:2]
    samples = np.empty((height, width, layout.channels), layout.dtype)
    if source and (source.layout != layout or source.samples.shape != samples.shape):
        source = None
    for rows in blocks_of(height, width):
        before = source.samples[rows] if source else None
        opacity = None if alpha is None else alpha[rows]
        samples[rows] = _sampled(image[rows], opacity, layout, before)
    return Raster(samples, layout)


def quantize(image: Image) -> UInt8[np.ndarray, "height width 3"]:
    """The image at 8 bits, as a file holds it: clipped to 0..1, rounded, halves up."""
    return to_raster(image, None, Layout()).samples


def grey_of(image: Image) -> Plane:
    """The mean of the channels, as a product: NumPy's own mean takes twenty times as long."""
    return image @ np.full(3, 1 / 3, np.float32)


def blocks_of(height: int, width: int) -> Iterator[slice]:
    """Rows of a picture, block by block: float copies of all of them would be large."""
    step = max(1, _PIXELS_AT_A_TIME // width)
    return (slice(start, start + step) for start in range(0, height, step))


def shown(samples: Samples, layout: Layout) -> Float32[np.ndarray, "height width _"]:
    """Light of samples, of one channel or of three."""
    values = samples / np.float32(layout.white)
    light = values[:, :, : layout.colours]
    if layout.colour == "cmyk":
        return (1 - light[:, :, :3]) * (1 - light[:, :, 3:])
    if layout.alpha == "premultiplied":
        opacity = values[:, :, -1:]
        divided = np.divide(light, opacity, out=np.zeros_like(light), where=opacity > 0)
        return np.minimum(divided, 1)
    return light


def _sampled(image: Image, alpha: Plane | None, layout: Layout, before: Samples | None) -> Samples:
    """The samples of a block of rows; `before` are those that it was read from."""
    if layout.colour == "grey":
        # Equal channels have their own value as their mean, up to rounding.
        values = image.mean(axis=2, keepdims=True)
    elif layout.colour == "cmyk":
        values = _inked(image, before, layout)
    else:
        values = image
    if layout.alpha != "none":
        opacity = np.ones(image.shape[:2], np.float32) if alpha is None else alpha
        if layout.alpha == "premultiplied" and layout.colour != "cmyk":
            values = np.clip(values, 0, 1) * opacity[:, :, None]
        values = np.concatenate([values, opacity[:, :, None]], axis=2)
    samples = _quantized(values, layout)
    if before is not None and not layout.is_image:
        same = _unchanged(image, alpha, before, layout)
        samples[same] = before[same]
    return samples


def _quantized(values: Float32[np.ndarray, "height width channels"], layout: Layout) -> Samples:
    return (np.clip(values, 0, 1) * layout.white + 0.5).astype(layout.dtype)


def _unchanged(
    image: Image, alpha: Plane | None, before: Samples, layout: Layout
) -> Bool[np.ndarray, "height width"]:
    same = (shown(before, layout) == image).all(axis=2)
    opacity = alpha_of(Raster(before, layout))
    if opacity is not None:
        same &= opacity == (1 if alpha is None else alpha)
    return same


def _inked(
    image: Image, before: Samples | None, layout: Layout
) -> Float32[np.ndarray, "height width 4"]:
    """Inks that show an image; black prints the share of grey that it printed before."""
    density = -np.log(np.clip(image, _LEAST_LIGHT, 1))
    black = density.min(axis=2)
    if before is not None:
        inks = before[:, :, :4] / np.float32(layout.white)
        was = -np.log(np.maximum(1 - inks, _LEAST_LIGHT))
        grey = was[:, :, :3].min(axis=2) + was[:, :, 3]
        black = black * np.divide(was[:, :, 3], grey, out=np.zeros_like(grey), where=grey > 0)
    colours = np.maximum(density - black[:, :, None], 0)
    return 1 - np.exp(-np.concatenate([colours, black[:, :, None]], axis=2))
