"""WebP: RGB of 8 bits, with loss or without, as it was."""

import os
import struct
from io import BytesIO

import PIL.Image

from selfsharp.exif import File
from selfsharp.formats import Holds
from selfsharp.photo_error import UnsupportedError
from selfsharp.photo_metadata import Metadata, contents, from_pillow, read_metadata, to_pillow
from selfsharp.raster import Layout, Raster, turned

NAME = "WEBP"
ENDINGS = (".webp",)
RANK = 2
HOLDS = Holds(("rgb",), longest=16383)


def recognises(start: bytes, ending: str) -> bool:
    """Whether a file is a WebP file."""
    return start.startswith(b"RIFF") and start[8:12] == b"WEBP"


def read(file: File, most_pixels: float) -> tuple[Raster, Metadata]:
    """Upright samples and metadata of a WebP file."""
    picture = PIL.Image.open(file, formats=("WEBP",))
    if getattr(picture, "is_animated", False):
        raise UnsupportedError("is animated", "save one of its pictures as its own file")
    picture.load()
    layout = Layout("rgb", "straight" if picture.mode == "RGBA" else "none")
    metadata, orientation = read_metadata(picture, layout, format=NAME, lossless=_is_lossless(file))
    return Raster(turned(from_pillow(picture), orientation), layout), metadata


def _is_lossless(file: File) -> bool:
    file.seek(12)
    while len(start := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", start)
        if name in (b"VP8 ", b"VP8L"):
            return name == b"VP8L"
        file.seek(size + size % 2, os.SEEK_CUR)
    return False


def write(raster: Raster, metadata: Metadata) -> tuple[bytes, list[str]]:
    """A WebP file: lossless if the photo's file was, else of quality 95."""
    kept, lost = contents(metadata, raster.layout)
    if kept.pop("dpi", None) and not metadata.exif:
        lost.append("the resolution, for which WebP has no place but EXIF")
    if metadata.xmp:
        kept["xmp"] = metadata.xmp
    # Exact: also where alpha is 0.
    kept |= {"lossless": True} if metadata.lossless else {"quality": 95}
    mode = "RGB" if raster.layout.alpha == "none" else "RGBA"
    file = BytesIO()
    to_pillow(raster.samples, mode).save(file, "WEBP", exact=True, **kept)
    return file.getvalue(), lost
