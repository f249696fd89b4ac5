"""What a photo's file holds besides its pixels, and what all formats do alike with it."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

import numpy as np
import PIL.Image
from jaxtyping import UInt8
from PIL import ImageFile
from PIL.ExifTags import Base as Tag

from selfsharp import exif
from selfsharp.raster import Layout, Raster, blocks_of

EXIF_START = b"Exif\0\0"
_EXIF_HEADERS = (b"II*\0", b"MM\0*")
_THUMBNAIL_QUALITIES = (85, 70, 50, 30, 15)


@dataclass(frozen=True)
class JpegCoding:
    """How a JPEG file is coded.

    Attributes:
        tables: quantization tables of 64 steps; one for each component, of which those
            behind the last one share it.
        subsampling: of colour, in Pillow's count: 0 is 4:4:4, 1 is 4:2:2, 2 is 4:2:0.
        progressive: whether it is coded in several scans.
        segments: comments, captions (IPTC) and long XMP, each with its marker.
    """

    tables: tuple[tuple[int, ...], ...]
    subsampling: int
    progressive: bool
    segments: bytes


@dataclass(frozen=True)
class Metadata:
    """What it takes to write a photo back as it was.

    Attributes:
        format: of the file, in Pillow's word, such as ``JPEG``; None if there is no file.
        layout: of its samples: grey, RGB or CMYK, alpha, 8 or 16 bits.
        lossless: whether the file keeps every pixel, as a PNG file does.
        exif: from its TIFF header on, byte for byte but for orientation, which is upright.
        icc: colour profile.
        xmp: XMP packet.
        dpi: pixels per inch, across and down.
        jpeg: how a JPEG file is coded.
        subsampling: of an AVIF or HEIC file's colour, such as ``4:2:0``.
        tiff_compression: of a TIFF file, in Pillow's word, if it is lossless.
        png_chunks: a PNG file's texts and colour space, each as (name, data).
        lost: what was in the file and is not kept, each as a line.
    """

    format: str | None = None
    layout: Layout = field(default_factory=Layout)
    lossless: bool = False
    exif: bytes | None = None
    icc: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    jpeg: JpegCoding | None = None
    subsampling: str | None = None
    tiff_compression: str | None = None
    png_chunks: tuple[tuple[bytes, bytes], ...] = ()
    lost: tuple[str, ...] = ()


def read_metadata(
    picture: ImageFile.ImageFile,
    layout: Layout,
    *,
    dpi_told: bool = True,
    lost: tuple[str, ...] = (),
    **coding: Any,
) -> tuple[Metadata, int]:
    """What the file of a decoded picture holds besides pixels, and the picture's orientation.

    Orientation is 1 to 8 as in EXIF, 1 upright; the metadata say 1 already.

    Args:
        picture: as Pillow decoded it.
        layout: of its samples.
        dpi_told: whether the resolution that Pillow tells stands in the file.
        lost: what the format knows that is not kept.
        coding: the fields of `Metadata` that tell how the file is coded.
    """
    block, orientation = plain_exif(picture.info)
    icc, xmp = picture.info.get("icc_profile"), picture.info.get("xmp")
    dpi = picture.info.get("dpi") if dpi_told else None
    metadata = Metadata(
        layout=layout,
        exif=block,
        icc=icc if isinstance(icc, bytes) else None,
        xmp=upright_xmp(xmp, orientation) if isinstance(xmp, bytes) else None,
        dpi=checked_dpi(dpi, orientation),
        lost=lost,
        **coding,
    )
    return metadata, orientation


def plain_exif(info: Mapping[Any, Any]) -> tuple[bytes | None, int]:
    """EXIF from its header on, saying upright, and the orientation that it told, 1 to 8."""
    block = info.get("exif") or b""
    while block.startswith(EXIF_START):
        block = block.removeprefix(EXIF_START)
    return exif.turned_upright(block) if block.startswith(_EXIF_HEADERS) else (None, 1)


def upright_xmp(xmp: bytes, orientation: int) -> bytes:
    """XMP that says upright where it told this orientation."""
    if orientation == 1:
        return xmp
    return re.sub(rb'(tiff:Orientation(?:="|>))[2-8]', rb"\g<1>1", xmp)


def checked_dpi(dpi: tuple[Any, Any] | None, orientation: int) -> tuple[float, float] | None:
    """Pixels per inch of the upright picture; None where they cannot be true."""
    if dpi is None or not all(0 < d < 65536 for d in dpi):
        return None
    across, down = dpi if orientation <= 4 else dpi[::-1]
    return float(across), float(down)


def contents(
    metadata: Metadata, layout: Layout, *, longest_exif: int = 1 << 32
) -> tuple[dict[str, Any], list[str]]:
    """EXIF, profile and resolution as Pillow's `save` takes them, and what had to stay out."""
    kept, lost = {}, []
    if metadata.icc and fits_profile(metadata.icc, layout):
        kept["icc_profile"] = metadata.icc
    elif metadata.icc:
        lost.append("the colour profile, which is for other colours than the file's")
    if metadata.dpi:
        kept["dpi"] = metadata.dpi
    if metadata.exif and len(metadata.exif) <= longest_exif:
        kept["exif"] = EXIF_START + metadata.exif
    elif metadata.exif:
        lost.append("EXIF, which is too long for this format")
    return kept, lost


def fits_profile(icc: bytes, layout: Layout) -> bool:
    """Whether a colour profile is not for other colours: a grey one does not fit RGB."""
    space = {b"GRAY": "grey", b"RGB ": "rgb", b"CMYK": "cmyk"}.get(icc[16:20])
    # Grey in an RGB space is what cameras write in black and white.
    return space in (None, layout.colour) or (space == "rgb" and layout.colour == "grey")


def with_new_thumbnail(metadata: Metadata, raster: Raster) -> Metadata:
    """The metadata with a thumbnail of this picture in place of the one in EXIF, if any.

    Where the new one does not fit, EXIF loses its thumbnail, and `lost` says so.
    """
    block = metadata.exif
    if block is None or not exif.has_second_directory(block):
        return metadata
    old = exif.read_thumbnail(block) or b""
    for jpeg in _thumbnails(old, raster) if old else ():
        if len(jpeg) <= len(old):
            return replace(metadata, exif=exif.replace_thumbnail(block, jpeg))
    lost = (*metadata.lost, "the thumbnail in EXIF, which showed the photo as it was")
    return replace(metadata, exif=exif.without_thumbnail(block), lost=lost)


def _thumbnails(old: bytes, raster: Raster) -> list[bytes]:
    """JPEG files of a picture, as large as an old thumbnail, each shorter than the last."""
    longest = 160
    with suppress(Exception), PIL.Image.open(BytesIO(old), formats=("JPEG",)) as picture:
        longest = min(max(picture.size), 1024)
    height, width = raster.samples.shape[:2]
    step = max(1, max(height, width) // (4 * longest))
    samples = raster.samples[::step, ::step, : raster.layout.colours]
    if raster.layout.depth == 16:
        samples = (samples >> 8).astype(np.uint8)
    mode = {"grey": "L", "rgb": "RGB", "cmyk": "CMYK"}[raster.layout.colour]
    small = to_pillow(samples, mode).convert("RGB")
    small.thumbnail((longest, longest))
    files = []
    for quality in _THUMBNAIL_QUALITIES:
        file = BytesIO()
        small.save(file, "JPEG", quality=quality)
        files.append(file.getvalue())
    return files


def from_pillow(picture: PIL.Image.Image) -> UInt8[np.ndarray, "height width channels"]:
    """Samples of 8 bits of Pillow's picture, with as many channels as its mode has.

    Some rows at a time: of what it hands over Pillow makes two copies.
    """
    height, width, channels = picture.height, picture.width, len(picture.getbands())
    samples = np.empty((height, width, channels), np.uint8)
    for rows in blocks_of(height, width):
        some = picture.crop((0, rows.start, width, min(rows.stop, height)))
        samples[rows] = np.asarray(some).reshape(-1, width, channels)
    return samples


def to_pillow(samples: np.ndarray, mode: str) -> PIL.Image.Image:
    """Samples as Pillow's picture of a mode with as many channels."""
    height, width = samples.shape[:2]
    return PIL.Image.frombuffer(mode, (width, height), np.ascontiguousarray(samples).reshape(-1))


def told_resolution(picture: ImageFile.ImageFile) -> bool:
    """Whether EXIF tells a resolution; Pillow makes one up."""
    return Tag.XResolution in picture.getexif()
