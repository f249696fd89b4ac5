"""Pictures for people: blur maps in colour, and comparisons with a zoomed detail."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int32, UInt8
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from selfsharp.image import Image, Plane, atomic_output, quantize

Picture = UInt8[np.ndarray, "_ _ 3"]

# Dark violet to yellow, even steps of lightness, so that more blur always looks brighter.
_COLOURS = np.array(
    [(28, 16, 68), (106, 28, 129), (181, 54, 122), (241, 96, 93), (254, 176, 120), (252, 253, 191)],
    np.float32,
)
# Of the four corners of a photo, from which the colour of every place in it is mixed.
_CORNERS = np.array([(230, 30, 40), (250, 210, 20), (40, 60, 230), (20, 200, 120)], np.float32)
_SCALE_HEIGHT = 36
_PSF_SIDE = 480
_GAP = 6


def blur_picture(image: Image, blur_map: Plane) -> Picture:
    """The photo in grey with its blur in colour over it, and a scale in pixels below."""
    height, width = blur_map.shape
    most = max(2.0, float(np.ceil(blur_map.max())))
    grey = quantize(image).mean(axis=2, keepdims=True)
    colour = _coloured(blur_map / most)
    blurred = (blur_map > 0)[:, :, None]
    whole = np.where(blurred, 0.25 * grey + 0.75 * colour, 0.6 * grey + 90)
    bar = _coloured(np.tile(np.linspace(0, 1, width, dtype=np.float32), (_SCALE_HEIGHT, 1)))
    canvas = PillowImage.fromarray(np.vstack([whole, bar]).astype(np.uint8))
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(18)
    low, high = "0 px", f"{most:g} px blur radius"
    draw.text((8, height + 8), low, fill="white", font=font)
    length = draw.textlength(high, font=font)
    draw.text((width - 8 - length, height + 8), high, fill="black", font=font)
    return np.asarray(canvas)


def provenance_picture(
    image: Image,
    source: Int32[np.ndarray, "height width 2"],
    strength: Plane,
    sources: Plane,
) -> Picture:
    """The photo in grey, each sharp place in a colour of its own, its own again where it went.

    Args:
        source: row and column of the sharp pixel that each restored one was told of.
        strength: how strongly, 0..1.
        sources: how strongly each sharp pixel was referred to, 0..1.
    """
    height, width = strength.shape
    rows, columns = np.mgrid[:height, :width]
    told = strength > 0
    row, column = (np.where(told, source[:, :, axis], at) for axis, at in ((0, rows), (1, columns)))
    down, across = row[:, :, None] / max(1, height - 1), column[:, :, None] / max(1, width - 1)
    top = (1 - across) * _CORNERS[0] + across * _CORNERS[1]
    bottom = (1 - across) * _CORNERS[2] + across * _CORNERS[3]
    colour = (1 - down) * top + down * bottom
    share = 0.75 * np.maximum(strength, sources)[:, :, None]
    grey = 0.6 * quantize(image).mean(axis=2, keepdims=True) + 60
    return ((1 - share) * grey + share * colour).astype(np.uint8)


def psf_picture(psf: Float32[np.ndarray, "size size"]) -> Picture:
    """A PSF enlarged, its weights in colour, and a scale in pixels below."""
    side = psf.shape[0]
    zoom = max(1, _PSF_SIDE // side)
    weights = (psf / psf.max()).repeat(zoom, axis=0).repeat(zoom, axis=1)
    height, width = weights.shape[0], max(weights.shape[1], 8 * _SCALE_HEIGHT)
    margin = (width - weights.shape[1]) // 2
    canvas = np.zeros((height + _SCALE_HEIGHT, width), np.float32)
    canvas[:height, margin : margin + weights.shape[1]] = weights
    drawn = PillowImage.fromarray(_coloured(canvas).astype(np.uint8))
    draw, font = ImageDraw.Draw(drawn), ImageFont.load_default(18)
    length = max(tick for tick in (1, 2, 5, 10, 20, 50, 100) if tick <= max(1, side // 2))
    draw.rectangle((8, height + 16, 8 + length * zoom - 1, height + 20), fill="white")
    draw.text((16 + length * zoom, height + 8), f"{length} px", fill="white", font=font)
    return np.asarray(drawn)


def compare(
    panels: Mapping[str, Image], blur_map: Plane, *, detail: tuple[slice, slice] | None = None
) -> Picture:
    """Panels side by side under their names, the blur map second, and a detail of each below.

    Args:
        panels: images of one size, by name; the first is the input, the last the restored.
        blur_map: blur radius in pixels.
        detail: window to zoom into; where input and restored differ most when None.
    """
    images = list(panels.values())
    if detail is None:
        detail = busiest_window(images[0], images[-1])
    mapped = blur_picture(images[0], blur_map)
    pictures = {name: quantize(image) for name, image in panels.items()}
    names = list(pictures)
    order = [names[0], "blur map", *names[1:]]
    shown = pictures | {"blur map": mapped[: images[0].shape[0]]}
    columns = []
    for name in order:
        marked = shown[name].copy()
        _frame(marked, detail)
        zoomed = _zoomed(shown[name][detail], marked.shape[1])
        columns.append(np.vstack([_titled(marked, name), _band(_GAP, marked.shape[1]), zoomed]))
    return beside(columns)


def busiest_window(before: Image, after: Image, share: float = 0.3) -> tuple[slice, slice]:
    """The window, a share of each side, in which two images differ most."""
    height, width = before.shape[:2]
    rows, columns = max(1, round(height * share)), max(1, round(width * share))
    change = np.pad(((after - before) ** 2).sum(axis=2, dtype=np.float64), ((1, 0), (1, 0)))
    total = change.cumsum(axis=0).cumsum(axis=1)
    sums = total[rows:, columns:] - total[:-rows, columns:] - total[rows:, :-columns]
    sums = sums + total[:-rows, :-columns]
    row, column = np.unravel_index(int(np.argmax(sums)), sums.shape)
    return slice(int(row), int(row) + rows), slice(int(column), int(column) + columns)


def beside(pictures: Sequence[Picture]) -> Picture:
    """Pictures of one height side by side, with a gap between."""
    gap = _band(pictures[0].shape[0], _GAP)
    row: list[Picture] = [pictures[0]]
    for picture in pictures[1:]:
        row += [gap, picture]
    return np.hstack(row)


def write_picture(
    picture: Picture, path: Path, *, overwrite: bool = False, quality: int = 92
) -> None:
    """Writes a picture as PNG or JPEG, whole or not at all.

    Raises:
        PhotoError: the file exists, or its folder cannot be written.
    """
    with atomic_output(path, overwrite=overwrite) as temporary:
        PillowImage.fromarray(picture).save(temporary, quality=quality)


def _coloured(values: Float32[np.ndarray, "height width"]) -> Float32[np.ndarray, "height width 3"]:
    """Values of 0..1 as colours of 0..255."""
    places = np.linspace(0, 1, len(_COLOURS))
    channels = [np.interp(values, places, _COLOURS[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=2).astype(np.float32)


def _titled(picture: Picture, title: str) -> Picture:
    """The picture under a band with its title."""
    band = PillowImage.fromarray(_band(32, picture.shape[1]))
    ImageDraw.Draw(band).text((6, 6), title, fill="black", font=ImageFont.load_default(20))
    return np.vstack([np.asarray(band), picture])


def _band(height: int, width: int) -> Picture:
    return np.full((height, width, 3), 255, np.uint8)


def _frame(picture: Picture, window: tuple[slice, slice]) -> None:
    """Draws a frame of two pixels around a window, into the picture."""
    rows, columns = window
    for inset, shade in ((0, 255), (1, 0)):
        top, bottom = rows.start + inset, rows.stop - 1 - inset
        left, right = columns.start + inset, columns.stop - 1 - inset
        if top > bottom or left > right:
            return  # Too narrow a window for two pixels.
        picture[[top, bottom], left : right + 1] = shade
        picture[top : bottom + 1, [left, right]] = shade


def _zoomed(picture: Picture, width: int) -> Picture:
    """The picture enlarged to a width."""
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    return np.asarray(
        PillowImage.fromarray(picture).resize((width, height), PillowImage.Resampling.BICUBIC)
    )
