"""JPEG: grey, RGB and CMYK of 8 bits, written with the tables, sampling and scans it had."""

import struct
from io import BytesIO
from typing import Any, cast

import PIL.Image
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from selfsharp.exif import File
from selfsharp.formats import Holds
from selfsharp.photo_error import UnsupportedError
from selfsharp.photo_metadata import (
    JpegCoding,
    Metadata,
    contents,
    from_pillow,
    read_metadata,
    to_pillow,
    told_resolution,
)
from selfsharp.raster import Layout, Raster, turned

NAME = "JPEG"
ENDINGS = (".jpg", ".jpeg")
RANK = 0
HOLDS = Holds(("grey", "rgb", "cmyk"), ("none",), longest=65500, lossless=False)

_LONG_XMP_START = b"http://ns.adobe.com/xmp/extension/\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
_PHOTOSHOP_THUMBNAILS = (1033, 1036)
# Bytes of EXIF and of XMP that one segment has room for.
_LONGEST_EXIF, _LONGEST_XMP = 65527, 65504
_COLOURS = {"L": "grey", "RGB": "rgb", "CMYK": "cmyk"}
_MARKERS = {"COM": b"\xff\xfe", "APP1": b"\xff\xe1", "APP13": b"\xff\xed"}


def recognises(start: bytes, ending: str) -> bool:
    """Whether a file is a JPEG file."""
    return start.startswith(b"\xff\xd8\xff")


def read(file: File, most_pixels: float) -> tuple[Raster, Metadata]:
    """Upright samples and metadata of a JPEG file; of several pictures, of the first."""
    # Pillow's name for a JPEG file that carries further pictures is MPO.
    picture = cast(JpegImageFile, PIL.Image.open(file, formats=("JPEG", "MPO")))
    if picture.mode not in _COLOURS:
        raise UnsupportedError(f"has {picture.mode} colours, not grey, RGB or CMYK")
    picture.load()
    lost = []
    if getattr(picture, "n_frames", 1) > 1:
        lost.append("further pictures in the file (previews, depth or a gain map)")
    if picture.info.get("adobe_transform") == 2:
        lost.append("the colour coding YCCK; the file is written as plain CMYK")
    coding, told = _read_coding(picture)
    lost += told
    layout = Layout(cast(Any, _COLOURS[picture.mode]))
    metadata, orientation = read_metadata(
        picture,
        layout,
        dpi_told=picture.info.get("jfif_unit") in (1, 2) or told_resolution(picture),
        lost=tuple(lost),
        format=NAME,
        jpeg=coding,
    )
    return Raster(turned(from_pillow(picture), orientation), layout), metadata


def _read_coding(picture: JpegImageFile) -> tuple[JpegCoding, list[str]]:
    numbers = [layer[3] for layer in picture.layer]
    if picture.info.get("adobe_transform") == 2:
        numbers = numbers[:1]  # Inks take the table of brightness, all of them.
    while len(numbers) > 1 and numbers[-1] == numbers[-2]:
        numbers.pop()
    sampling, lost = get_sampling(picture), []
    if sampling < 0 and picture.mode == "RGB":
        lost.append("the rare way in which colour is subsampled; it is written in full")
    segments = []
    for name, data in picture.applist:
        if name == "APP13" and data.startswith(_PHOTOSHOP):
            data = _without_thumbnails(data)
        if name in ("COM", "APP13") or (name == "APP1" and data.startswith(_LONG_XMP_START)):
            segments.append(_MARKERS[name] + struct.pack(">H", len(data) + 2) + data)
    coding = JpegCoding(
        tables=tuple(tuple(picture.quantization[number]) for number in numbers),
        subsampling=max(0, sampling),
        progressive=bool(picture.info.get("progressive")),
        segments=b"".join(segments),
    )
    return coding, lost


def _without_thumbnails(data: bytes) -> bytes:
    """Photoshop's block of resources without those that show the photo as it was."""
    kept, at = data[: len(_PHOTOSHOP)], len(_PHOTOSHOP)
    while data.startswith(b"8BIM", at) and at + 12 <= len(data):
        (number,) = struct.unpack_from(">H", data, at + 4)
        name = data[at + 6] + 1
        size_at = at + 6 + name + name % 2
        if size_at + 4 > len(data):
            break
        (size,) = struct.unpack_from(">I", data, size_at)
        end = size_at + 4 + size + size % 2
        if number not in _PHOTOSHOP_THUMBNAILS:
            kept += data[at:end]
        at = end
    return kept + data[at:]


def write(raster: Raster, metadata: Metadata) -> tuple[bytes, list[str]]:
    """A JPEG file coded as the one that was read; of quality 95 if there was none."""
    kept, lost = contents(metadata, raster.layout, longest_exif=_LONGEST_EXIF)
    if metadata.xmp and len(metadata.xmp) <= _LONGEST_XMP:
        kept["xmp"] = metadata.xmp
    elif metadata.xmp:
        lost.append("XMP, which is too long for this format")
    if metadata.jpeg and metadata.layout.colour == raster.layout.colour:
        kept |= {
            "qtables": [list(table) for table in metadata.jpeg.tables],
            "subsampling": metadata.jpeg.subsampling,
            "progressive": metadata.jpeg.progressive,
            "extra": metadata.jpeg.segments,
        }
    else:
        kept |= {"quality": 95, "subsampling": 0}
    mode = {colour: mode for mode, colour in _COLOURS.items()}[raster.layout.colour]
    file = BytesIO()
    to_pillow(raster.samples, mode).save(file, "JPEG", **kept)
    return file.getvalue(), lost
