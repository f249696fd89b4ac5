"""Formats of photos, an open folder. Each file is a format and defines these.

``NAME``: what it is called in messages, Pillow's word where Pillow has one;
``ENDINGS``: of its files' names, in small letters; ``RANK``: its place in lists of them;
``recognises(start: bytes, ending: str) -> bool``: whether a file is one, by its first
``START`` bytes and the ending of its name;
``read(file: File, most_pixels: float) -> tuple[Raster, Metadata]``: upright samples and
what else the file holds. What cannot be kept raises `UnsupportedError`, too many pixels Pillow's
`DecompressionBombError`, damage anything;
and either ``HOLDS`` and ``write(raster: Raster, metadata: Metadata) -> tuple[bytes, list[str]]``,
the file and what it has no place for, each as a line; or ``WRITTEN_AS``, the ending of the
format in which its photos are written.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import ModuleType
from typing import Literal

import PIL.Image

from selfsharp.catalogue import Folder
from selfsharp.raster import Alpha, Colour, Layout

FORMATS = Folder("selfsharp.formats", "format")
START = 32
"""First bytes of a file by which its format is told."""


@dataclass(frozen=True)
class Holds:
    """What pictures a format can hold.

    Attributes:
        colours: of grey, RGB and CMYK.
        alphas: ways to hold transparency, "none" among them.
        depths: bits per sample; the last is taken for those that are not among them.
        longest: the longest side in pixels.
        lossless: whether it is able to keep every sample.
    """

    colours: tuple[Colour, ...]
    alphas: tuple[Alpha, ...] = ("none", "straight")
    depths: tuple[Literal[8, 16], ...] = (8,)
    longest: int = 1 << 30
    lossless: bool = True


@cache
def by_ending() -> Mapping[str, ModuleType]:
    """Every ending of a photo's name with its format."""
    return {ending: module for module in FORMATS.load_all().values() for ending in module.ENDINGS}


def writable_endings() -> list[str]:
    """Endings of the files that can be written, the common formats first."""
    named = [ending for ending, module in by_ending().items() if hasattr(module, "write")]
    return sorted(named, key=lambda ending: (by_ending()[ending].RANK, ending))


def media_type(ending: str) -> str:
    """The media type of files that can be written, by the ending of their names."""
    return f"image/{by_ending()[ending].NAME.lower()}"


def recognise(start: bytes, ending: str) -> ModuleType | None:
    """The format of a file by its first bytes and the ending of its name; None if of none."""
    formats = FORMATS.load_all().values()
    return next((module for module in formats if module.recognises(start, ending)), None)


def fitting(layout: Layout, form: ModuleType) -> tuple[Layout, list[str]]:
    """The layout in which a format holds a picture, and what that costs, each as a line."""
    holds: Holds = form.HOLDS
    found, lost = layout, []
    if layout.colour not in holds.colours:
        found = replace(found, colour="rgb")
        if layout.colour == "cmyk":
            lost.append(f"CMYK, which {form.NAME} cannot hold; the file is in RGB")
    if layout.alpha not in holds.alphas:
        found = replace(found, alpha="straight" if "straight" in holds.alphas else "none")
    if layout.depth not in holds.depths:
        found = replace(found, depth=holds.depths[-1])
        lost.append(f"{layout.depth} bits per channel; {form.NAME} holds {found.depth}")
    return found, lost


def check_size(width: int, height: int, most_pixels: float) -> None:
    """Refuses a picture that is larger than may be decoded.

    Raises:
        DecompressionBombError: it has more pixels than `most_pixels`.
    """
    if width * height > most_pixels:
        raise PIL.Image.DecompressionBombError(f"{width} x {height} pixels")
