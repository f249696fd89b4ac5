"""What a photo's file holds besides its pixels: read from Pillow, given back to Pillow."""

import math
import os
import re
import struct
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from typing import Any

import PIL.Image
from PIL import ImageFile
from PIL.ExifTags import Base as Tag
from PIL.Image import Transpose
from PIL.JpegImagePlugin import JpegImageFile, get_sampling
from PIL.PngImagePlugin import PngImageFile, PngInfo
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from selfsharp import exif

DEFLATE = "tiff_adobe_deflate"


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
        lossless: whether the file keeps every pixel, as a PNG file does.
        grey: whether the file has one channel of grey instead of three of colour.
        exif: from its TIFF header on, byte for byte but for orientation, which is upright.
        icc: colour profile.
        xmp: XMP packet.
        dpi: pixels per inch, across and down.
        jpeg: how a JPEG file is coded.
        tiff_compression: of a TIFF file, in Pillow's word, if it is lossless.
        png_chunks: a PNG file's texts and colour space, each as (name, data).
    """

    format: str | None = None
    lossless: bool = False
    grey: bool = False
    exif: bytes | None = None
    icc: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    jpeg: JpegCoding | None = None
    tiff_compression: str | None = None
    png_chunks: tuple[tuple[bytes, bytes], ...] = ()


_EXIF_START = b"Exif\0\0"
_EXIF_HEADERS = (b"II*\0", b"MM\0*")
_XMP_CHUNK_START = b"XML:com.adobe.xmp\0"
_LONG_XMP_START = b"http://ns.adobe.com/xmp/extension/\0"
# Bytes of EXIF and of XMP that one segment of a JPEG file has room for.
_LONGEST_IN_JPEG = (65527, 65504)
_TURNS = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
_PREDICTOR = 317
_KEPT_CHUNKS = {b"tEXt", b"zTXt", b"iTXt", b"gAMA", b"cHRM", b"sRGB", b"cICP"}
_KEPT_COMPRESSIONS = {"raw", "packbits", "tiff_lzw", "tiff_deflate", DEFLATE, "lzma", "zstd"}


def read_metadata(picture: ImageFile.ImageFile, file: BufferedReader) -> tuple[Metadata, int]:
    """What the file of a decoded picture holds besides pixels, and the picture's orientation.

    Orientation is 1 to 8 as in EXIF, 1 upright; the metadata say 1 already.
    """
    block, orientation = read_exif(picture, file)
    icc, xmp = picture.info.get("icc_profile"), picture.info.get("xmp")
    if isinstance(xmp, bytes) and orientation != 1:
        xmp = re.sub(rb'(tiff:Orientation(?:="|>))[2-8]', rb"\g<1>1", xmp)
    metadata = Metadata(
        # Pillow's name for a JPEG file that carries further pictures is MPO.
        format="JPEG" if isinstance(picture, JpegImageFile) else picture.format,
        grey=picture.mode in ("1", "L", "LA", "La"),
        exif=block,
        icc=icc if isinstance(icc, bytes) else None,
        xmp=xmp if isinstance(xmp, bytes) else None,
        dpi=_read_dpi(picture, orientation),
        **_read_coding(picture, file),
    )
    return metadata, orientation


def read_exif(picture: ImageFile.ImageFile, file: BufferedReader) -> tuple[bytes | None, int]:
    """EXIF from its header on, saying upright, and the orientation that it told, 1 to 8."""
    if isinstance(picture, TiffImageFile):
        return exif.from_tiff(file), 1  # Pillow has turned the pixels already.
    block: bytes = picture.info.get("exif") or b""
    while block.startswith(_EXIF_START):
        block = block.removeprefix(_EXIF_START)
    return exif.turned_upright(block) if block.startswith(_EXIF_HEADERS) else (None, 1)


def upright(picture: PIL.Image.Image, orientation: int) -> PIL.Image.Image:
    """The picture turned as it is displayed; orientation is 1 to 8 as in EXIF."""
    return picture if orientation == 1 else picture.transpose(_TURNS[orientation])


def _read_dpi(picture: ImageFile.ImageFile, orientation: int) -> tuple[float, float] | None:
    dpi = picture.info.get("dpi")
    told = True  # Pillow makes up what EXIF or TIFF do not tell.
    if isinstance(picture, JpegImageFile) and picture.info.get("jfif_unit") not in (1, 2):
        told = Tag.XResolution in picture.getexif()
    elif isinstance(picture, TiffImageFile):
        told = Tag.XResolution in picture.tag_v2
    if dpi is None or not told or not all(0 < d < 65536 for d in dpi):
        return None
    across, down = dpi if orientation <= 4 else dpi[::-1]
    return float(across), float(down)


def _read_coding(picture: ImageFile.ImageFile, file: BufferedReader) -> dict[str, Any]:
    """The fields of `Metadata` that tell how the file is coded."""
    match picture:
        case JpegImageFile():
            return {"jpeg": _read_jpeg_coding(picture)}
        case PngImageFile():
            return {"lossless": True, "png_chunks": _read_png_chunks(file)}
        case WebPImageFile():
            return {"lossless": _is_lossless_webp(file)}
    compression = picture.info["compression"]
    return {
        "lossless": compression not in ("jpeg", "tiff_jpeg", "webp"),
        "tiff_compression": compression if compression in _KEPT_COMPRESSIONS else None,
    }


def _read_jpeg_coding(picture: JpegImageFile) -> JpegCoding:
    numbers = [layer[3] for layer in picture.layer]
    while len(numbers) > 1 and numbers[-1] == numbers[-2]:
        numbers.pop()
    markers = {"COM": b"\xff\xfe", "APP1": b"\xff\xe1", "APP13": b"\xff\xed"}
    return JpegCoding(
        tables=tuple(tuple(picture.quantization[number]) for number in numbers),
        # Pillow writes three kinds of subsampling; for any other, all of the colour is kept.
        subsampling=max(0, get_sampling(picture)),
        progressive=bool(picture.info.get("progressive")),
        segments=b"".join(
            markers[name] + struct.pack(">H", len(data) + 2) + data
            for name, data in picture.applist
            if name in ("COM", "APP13") or (name == "APP1" and data.startswith(_LONG_XMP_START))
        ),
    )


def _is_lossless_webp(file: BufferedReader) -> bool:
    file.seek(12)
    while len(start := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", start)
        if name in (b"VP8 ", b"VP8L"):
            return name == b"VP8L"
        file.seek(size + size % 2, os.SEEK_CUR)
    return False


def _read_png_chunks(file: BufferedReader) -> tuple[tuple[bytes, bytes], ...]:
    kept = []
    file.seek(8)
    while len(start := file.read(8)) == 8:
        size, name = struct.unpack(">I4s", start)
        if name in _KEPT_CHUNKS and size < 1 << 24:
            data = file.read(size)
            file.seek(4, os.SEEK_CUR)
            if not data.startswith(_XMP_CHUNK_START):
                kept.append((name, data))
        else:
            file.seek(size + 4, os.SEEK_CUR)
    return tuple(kept)


def encode(picture: PIL.Image.Image, metadata: Metadata, form: str) -> bytes:
    """A file of the format that holds the picture and what it can hold of the metadata."""
    file = BytesIO()
    picture.save(file, form, **_coding(metadata, form), **_contents(metadata, form))
    if form == "TIFF":
        exif.add_to_tiff(file, metadata.exif, metadata.xmp)
    return file.getvalue()


def _coding(metadata: Metadata, form: str) -> dict[str, Any]:
    """What tells Pillow how to code the pixels."""
    match form:
        case "JPEG" if metadata.jpeg:
            return {
                "qtables": [list(table) for table in metadata.jpeg.tables],
                "subsampling": metadata.jpeg.subsampling,
                "progressive": metadata.jpeg.progressive,
                "extra": metadata.jpeg.segments,
            }
        case "JPEG":
            return {"quality": 95, "subsampling": 0}
        case "WEBP" if metadata.lossless:
            return {"lossless": True, "exact": True}  # Exact: also where alpha is 0.
        case "WEBP":
            return {"quality": 95, "exact": True}
        case "TIFF":
            compression = metadata.tiff_compression or DEFLATE
            predicted = compression not in ("raw", "packbits")  # By the pixel to the left.
            return {"compression": compression, "tiffinfo": {_PREDICTOR: 2} if predicted else {}}
    return {}


def _contents(metadata: Metadata, form: str) -> dict[str, Any]:
    """What Pillow writes besides the pixels; in TIFF, EXIF and XMP are added later."""
    block, xmp, contents = metadata.exif, metadata.xmp, {}
    longest_exif, longest_xmp = _LONGEST_IN_JPEG if form == "JPEG" else (math.inf, math.inf)
    # WebP has no grey, and a grey profile does not fit colours.
    if metadata.icc and not (form == "WEBP" and metadata.icc[16:20] == b"GRAY"):
        contents["icc_profile"] = metadata.icc
    if metadata.dpi:
        contents["dpi"] = metadata.dpi
    if form == "PNG":
        chunks = contents["pnginfo"] = PngInfo()
        for name, data in metadata.png_chunks:
            chunks.add(name, data)
        if xmp:
            chunks.add(b"iTXt", _XMP_CHUNK_START + bytes(4) + xmp)
    if block and form != "TIFF" and len(block) <= longest_exif:
        contents["exif"] = _EXIF_START + block
    if xmp and form in ("JPEG", "WEBP") and len(xmp) <= longest_xmp:
        contents["xmp"] = xmp
    return contents
