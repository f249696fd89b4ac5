"""TIFF: grey, RGB and CMYK of 8 and of 16 bits, alpha straight or premultiplied.

Pillow reads colours at 8 bits and divides premultiplied ones; so samples are read and written
by `_blocks`, and only the rarer kinds (palettes, bilevel, JPEG inside) by Pillow.
"""

import struct
from dataclasses import replace
from typing import Any, cast

import numpy as np
import PIL.Image
from PIL.ExifTags import Base as Tag
from PIL.TiffImagePlugin import COMPRESSION_INFO

from selfsharp import exif
from selfsharp.exif import Directory, File, integers
from selfsharp.formats import Holds, check_size
from selfsharp.formats._blocks import encode_samples, read_samples, silenced
from selfsharp.photo_error import UnsupportedError
from selfsharp.photo_metadata import Metadata, checked_dpi, fits_profile
from selfsharp.raster import Layout, Raster, turned

NAME = "TIFF"
ENDINGS = (".tif", ".tiff")
RANK = 3
HOLDS = Holds(("grey", "rgb", "cmyk"), ("none", "straight", "premultiplied"), (8, 16))
DEFLATE = "tiff_adobe_deflate"

_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_KEPT_COMPRESSIONS = {"raw", "packbits", "tiff_lzw", "tiff_deflate", DEFLATE, "lzma", "zstd"}
_UNPREDICTED = ("raw", "packbits")
_SUBFILE, _FILL_ORDER, _INK_SET, _SAMPLE_FORMAT, _LAYERS = 254, 266, 332, 339, 37724
_REDUCED = 1
_PHOTOMETRIC = {"grey": 1, "rgb": 2, "cmyk": 5}
_ALPHAS = {"premultiplied": 1, "straight": 2}
_SHORT, _LONG, _RATIONAL, _BYTE, _UNDEFINED = 3, 4, 5, 1, 7


def recognises(start: bytes, ending: str) -> bool:
    """Whether a file is a TIFF file; cameras' raw files begin alike, so the ending counts."""
    return start.startswith(_STARTS) and ending in ENDINGS


def read(file: File, most_pixels: float) -> tuple[Raster, Metadata]:
    """Upright samples and metadata of a TIFF file of one page."""
    directory, lost = _read_page(file)
    size = [integers(directory, tag) for tag in (Tag.ImageWidth, Tag.ImageLength)]
    (width,), (height,) = size
    check_size(width, height, most_pixels)
    depths = integers(directory, Tag.BitsPerSample) or [1]
    if max(depths) > 16 or max(depths) in range(9, 16):
        raise UnsupportedError(f"has {max(depths)} bits per channel")
    (turn,) = integers(directory, Tag.Orientation) or [1]
    orientation = turn if turn in range(1, 9) else 1
    layout = _layout(directory, depths)
    compression = _compression(directory)
    if layout and compression in _KEPT_COMPRESSIONS:
        samples, told = _read_samples(file, directory, layout, most_pixels)
        samples = turned(samples, orientation)
    else:
        samples, layout, told = _read_by_pillow(file)
    icc, xmp = (exif.raw_bytes(directory, tag) for tag in (Tag.InterColorProfile, Tag.XMLPacket))
    metadata = Metadata(
        format=NAME,
        layout=layout,
        lossless=compression not in ("jpeg", "tiff_jpeg", "webp"),
        exif=exif.from_tiff(file),
        icc=icc or None,
        xmp=xmp or None,
        dpi=_read_dpi(directory, orientation),
        tiff_compression=compression if compression in _KEPT_COMPRESSIONS else None,
        lost=(*lost, *told),
    )
    return Raster(samples, layout), metadata


def _read_page(file: File) -> tuple[Directory, list[str]]:
    """The one page of a file, and what else lies in it; small copies of it do not count."""
    lost, pages = [], exif.read_pages(file)
    first = next(pages, {})
    if not integers(first, Tag.ImageWidth) or not integers(first, Tag.ImageLength):
        raise ValueError("no page in it")
    for page in pages:
        if not (integers(page, _SUBFILE) or [0])[0] & _REDUCED:
            raise UnsupportedError("has several pages", "save one as its own file")
        lost = ["the small copies of the picture in the file"]
    if _LAYERS in first:
        lost.append("Photoshop's layers, which showed the photo as it was")
    return first, lost


def _layout(directory: Directory, depths: list[int]) -> Layout | None:
    """What the samples are; None if it is of a rare kind, which is left to Pillow."""
    (channels,) = integers(directory, Tag.SamplesPerPixel) or [1]
    (meaning,) = integers(directory, Tag.PhotometricInterpretation) or [-1]
    colour = {0: "grey", 1: "grey", 2: "rgb", 5: "cmyk"}.get(meaning)
    kinds = {*integers(directory, _SAMPLE_FORMAT)} or {1}
    if kinds != {1} and max(depths) > 8:
        raise UnsupportedError("has samples that are no whole numbers from 0 on")
    mirrored = integers(directory, _FILL_ORDER) == [2]
    if colour is None or set(depths) not in ({8}, {16}) or kinds != {1} or mirrored:
        if max(depths) > 8:
            raise UnsupportedError(f"has {max(depths)} bits per channel, laid out in a rare way")
        return None
    if colour == "cmyk" and (integers(directory, _INK_SET) or [1]) != [1]:
        raise UnsupportedError("has inks other than CMYK")
    layout = Layout(cast(Any, colour), "none", cast(Any, depths[0]))
    extra = integers(directory, Tag.ExtraSamples)[:1]
    for alpha, number in _ALPHAS.items():
        if extra == [number] and channels > layout.colours:
            layout = replace(layout, alpha=cast(Any, alpha))
    return layout if channels >= layout.channels else None


def _compression(directory: Directory) -> str:
    (number,) = integers(directory, Tag.Compression) or [1]
    return COMPRESSION_INFO.get(number, "unknown")


def _read_samples(
    file: File, directory: Directory, layout: Layout, most_pixels: float
) -> tuple[np.ndarray, list[str]]:
    """Samples of the layout, upright or not, and what is left out."""
    file.seek(0)
    order = "<" if file.read(2) == b"II" else ">"
    if (integers(directory, Tag.Predictor) or [1])[0] not in (1, 2):
        raise UnsupportedError("has samples coded as floating-point numbers")
    dtype = np.dtype(layout.dtype).newbyteorder(order)
    samples = read_samples(file, directory, dtype, most_pixels)
    lost = []
    if samples.shape[2] > layout.channels:
        lost.append(f"{samples.shape[2] - layout.channels} further channels beside the colours")
        samples = samples[:, :, : layout.channels]
    if integers(directory, Tag.PhotometricInterpretation) == [0]:
        samples = samples.copy()
        np.subtract(layout.white, samples[:, :, 0], out=samples[:, :, 0])
    return samples, lost


def _read_by_pillow(file: File) -> tuple[np.ndarray, Layout, list[str]]:
    """Samples of the rarer kinds, upright: Pillow turns them."""
    file.seek(0)
    picture = PIL.Image.open(file, formats=("TIFF",))
    mode = {"1": "L", "P": "RGB", "PA": "RGBA"}.get(picture.mode, picture.mode)
    colours = {"L": "grey", "LA": "grey", "RGB": "rgb", "RGBA": "rgb", "CMYK": "cmyk"}
    if mode not in colours:
        raise UnsupportedError(f"has {mode} colours, not grey, RGB or CMYK")
    with silenced():
        picture.load()
    layout = Layout(cast(Any, colours[mode]), "straight" if mode.endswith("A") else "none")
    lost = []
    if picture.mode in ("P", "PA"):
        lost.append("the palette; colours are written as they are")
    samples = np.asarray(picture.convert(mode))
    return samples.reshape(picture.height, picture.width, -1), layout, lost


def _read_dpi(directory: Directory, orientation: int) -> tuple[float, float] | None:
    values = [exif.raw_bytes(directory, tag) for tag in (Tag.XResolution, Tag.YResolution)]
    (unit,) = integers(directory, Tag.ResolutionUnit) or [2]
    if unit not in (2, 3) or any(len(value) != 8 for value in values):
        return None
    pairs = [struct.unpack("<II", value) for value in values]
    if any(below == 0 for _, below in pairs):
        return None
    across, down = (above / below * (2.54 if unit == 3 else 1) for above, below in pairs)
    return checked_dpi((across, down), orientation)


def write(raster: Raster, metadata: Metadata) -> tuple[bytes, list[str]]:
    """A TIFF file with every sample as it is, compressed as the photo's file was."""
    layout, lost = raster.layout, []
    compression = metadata.tiff_compression or DEFLATE
    predicted = compression not in _UNPREDICTED
    file = encode_samples(raster.samples, compression, predicted=predicted)
    tags: Directory = {
        Tag.ImageWidth: _numbers(_LONG, raster.samples.shape[1]),
        Tag.BitsPerSample: _numbers(_SHORT, *[layout.depth] * layout.channels),
        Tag.PhotometricInterpretation: _numbers(_SHORT, _PHOTOMETRIC[layout.colour]),
        Tag.SamplesPerPixel: _numbers(_SHORT, layout.channels),
        Tag.PlanarConfiguration: _numbers(_SHORT, 1),
    }
    if predicted:
        tags[Tag.Predictor] = _numbers(_SHORT, 2)
    if layout.alpha != "none":
        tags[Tag.ExtraSamples] = _numbers(_SHORT, _ALPHAS[layout.alpha])
    if metadata.dpi:
        for tag, value in zip((Tag.XResolution, Tag.YResolution), metadata.dpi, strict=True):
            tags[tag] = _numbers(_RATIONAL, round(value * 10000), 10000)
        tags[Tag.ResolutionUnit] = _numbers(_SHORT, 2)
    if metadata.icc and fits_profile(metadata.icc, layout):
        tags[Tag.InterColorProfile] = (_UNDEFINED, metadata.icc)
    elif metadata.icc:
        lost.append("the colour profile, which is for other colours than the file's")
    if metadata.xmp:
        tags[Tag.XMLPacket] = (_BYTE, metadata.xmp)
    if metadata.exif and exif.has_second_directory(metadata.exif):
        lost.append("the thumbnail in EXIF, for which TIFF has no place")
    exif.add_to_tiff(file, metadata.exif, tags)
    return file.getvalue(), lost


def _numbers(kind: int, *values: int) -> tuple[int, bytes]:
    return kind, struct.pack(f"<{len(values)}{'H' if kind == _SHORT else 'I'}", *values)
