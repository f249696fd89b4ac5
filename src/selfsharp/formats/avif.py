"""AVIF: RGB of 8 bits, by Pillow. What has more bits comes down to 8, which is said."""

from io import BytesIO

import PIL.Image

from selfsharp import exif
from selfsharp.exif import File
from selfsharp.formats import Holds
from selfsharp.formats._boxes import brands, find_box
from selfsharp.photo_error import UnsupportedError
from selfsharp.photo_metadata import Metadata, contents, from_pillow, read_metadata, to_pillow
from selfsharp.raster import Layout, Raster, turned

NAME = "AVIF"
ENDINGS = (".avif",)
RANK = 4
HOLDS = Holds(("rgb",), longest=65535, lossless=False)

_QUALITY = 90


def recognises(start: bytes, ending: str) -> bool:
    """Whether a file is an AVIF file, of one picture or several."""
    return bool(brands(start) & {b"avif", b"avis"})


def read(file: File, most_pixels: float) -> tuple[Raster, Metadata]:
    """Upright samples and metadata of an AVIF file."""
    picture = PIL.Image.open(file, formats=("AVIF",))
    if getattr(picture, "is_animated", False):
        raise UnsupportedError("is animated", "save one of its pictures as its own file")
    picture.load()
    depth, subsampling = _read_coding(file)
    lost = ["the quality at which it was coded, which is not told; the file is of quality 90"]
    if depth > 8:
        lost.append(f"{depth} bits per channel; they are read and written as 8")
    layout = Layout("rgb", "straight" if picture.mode == "RGBA" else "none")
    metadata, orientation = read_metadata(
        picture, layout, lost=tuple(lost), format=NAME, subsampling=subsampling
    )
    return Raster(turned(from_pillow(picture), orientation), layout), metadata


def _read_coding(file: File) -> tuple[int, str]:
    """Bits per channel and subsampling of colour (AV1 codec configuration box)."""
    told = find_box(file, b"av1C", 4)
    bits = told[2] if len(told) == 4 else 0b1100
    depth = 8 if not bits & 0x40 else (12 if bits & 0x20 else 10)
    if bits & 0x10:  # Grey.
        return depth, "4:0:0"
    return depth, {0b00: "4:4:4", 0b10: "4:2:2"}.get(bits >> 2 & 0b11, "4:2:0")


def write(raster: Raster, metadata: Metadata) -> tuple[bytes, list[str]]:
    """An AVIF file of quality 90, its colour subsampled as it was."""
    kept, lost = contents(metadata, raster.layout)
    if kept.pop("dpi", None) and not metadata.exif:
        lost.append("the resolution, for which AVIF has no place but EXIF")
    if metadata.exif and exif.has_second_directory(metadata.exif):
        lost.append("the thumbnail in EXIF, which Pillow does not write into AVIF")
    if metadata.xmp:
        kept["xmp"] = metadata.xmp
    mode = "RGB" if raster.layout.alpha == "none" else "RGBA"
    file = BytesIO()
    to_pillow(raster.samples, mode).save(
        file, "AVIF", quality=_QUALITY, subsampling=metadata.subsampling or "4:4:4", **kept
    )
    return file.getvalue(), lost
