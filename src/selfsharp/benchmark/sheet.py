"""Sheets of pictures: each photo whole, and one detail of it as every row restored it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from selfsharp.image import Image, quantize
from selfsharp.picture import Picture

Window = tuple[slice, slice]
SHARE = 0.25
"""Side of a detail, as a share of the photo's shorter side."""
SIDE, TEXT, GAP = 232, 20, 8
"""Side of a detail on the sheet, height of a caption, and space between, in pixels."""
LETTERS = (14, 12, 11)
"""Sizes of captions in pixels, from the usual to the smallest."""
LINES = 2
"""Lines that the details of one photo are laid out in."""


@dataclass(frozen=True)
class Strip:
    """What a sheet shows of one photo.

    Attributes:
        cell: the table that the photo counts in.
        photo: its name.
        whole: the photo, small, with a frame around the detail.
        details: the detail as it was given, as each row restored it and as it was, by caption.
    """

    cell: str
    photo: str
    whole: Picture
    details: Mapping[str, Picture]


def cut_strip(
    cell: str, photo: str, image: Image, window: Window, panels: Mapping[str, Image]
) -> Strip:
    """A strip that keeps no more of the images than it shows."""
    height = LINES * (SIDE + TEXT) + (LINES - 1) * GAP - TEXT
    scale = min(height / image.shape[0], 1.6 * height / image.shape[1])
    width, height = (max(1, round(side * scale)) for side in image.shape[1::-1])
    whole = PillowImage.fromarray(quantize(image)).resize(
        (width, height), PillowImage.Resampling.LANCZOS
    )
    rows, columns = ([round(end * scale) for end in (w.start, w.stop)] for w in window)
    draw = ImageDraw.Draw(whole)
    for inset, shade in ((0, "white"), (1, "black")):
        corners = [columns[0] - inset, rows[0] - inset, columns[1] + inset, rows[1] + inset]
        draw.rectangle(corners, outline=shade)
    details = {name: quantize(shown[window]) for name, shown in panels.items()}
    return Strip(cell, photo, np.asarray(whole), details)


def square_around(window: Window, image: Image) -> Window:
    """The square detail around the middle of a window, wholly on the image."""
    side = max(1, round(SHARE * min(image.shape[:2])))
    starts = (
        min(max(0, (place.start + place.stop - side) // 2), length - side)
        for place, length in zip(window, image.shape[:2], strict=True)
    )
    rows, columns = (slice(start, start + side) for start in starts)
    return rows, columns


def draw_sheet(strips: Sequence[Strip]) -> Picture:
    """The strips below each other."""
    blocks = [_block(strip) for strip in strips]
    width = max(block.shape[1] for block in blocks)
    fills = [((0, GAP), (0, width - block.shape[1]), (0, 0)) for block in blocks]
    padded = [np.pad(b, fill, constant_values=255) for b, fill in zip(blocks, fills, strict=True)]
    return np.vstack(padded)


def _block(strip: Strip) -> Picture:
    """One photo whole, and its details in lines beside it."""
    columns = -(-len(strip.details) // LINES)
    width = strip.whole.shape[1] + columns * (SIDE + GAP)
    canvas = PillowImage.new("RGB", (width, LINES * (SIDE + TEXT) + (LINES - 1) * GAP), "white")
    draw = ImageDraw.Draw(canvas)
    _write(draw, (0, 0), strip.photo, strip.whole.shape[1])
    canvas.paste(PillowImage.fromarray(strip.whole), (0, TEXT))
    for number, (caption, detail) in enumerate(strip.details.items()):
        left = strip.whole.shape[1] + GAP + number % columns * (SIDE + GAP)
        top = number // columns * (SIDE + TEXT + GAP)
        _write(draw, (left, top), caption, SIDE)
        enlarged = PillowImage.fromarray(detail).resize(
            (SIDE, SIDE), PillowImage.Resampling.BICUBIC
        )
        canvas.paste(enlarged, (left, top + TEXT))
        frame = [left, top + TEXT, left + SIDE - 1, top + TEXT + SIDE - 1]
        draw.rectangle(frame, outline="lightgrey")
    return np.asarray(canvas)


def _write(draw: ImageDraw.ImageDraw, place: tuple[int, int], text: str, width: int) -> None:
    """A caption, smaller where it is too wide for its place, and then cut."""
    fonts = [ImageFont.load_default(size) for size in LETTERS]
    font = next((one for one in fonts if draw.textlength(text, font=one) <= width), fonts[-1])
    while draw.textlength(text, font=font) > width and len(text) > 1:
        text = text[:-2] + "…"
    draw.text((place[0], place[1] + 2), text, fill="black", font=font)
