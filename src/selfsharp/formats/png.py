"""PNG: grey and RGB of 8 and of 16 bits.

Pillow has no pictures of 16-bit colours, yet its decoder gives either byte of every sample.
Written they are by `zlib`; Pillow makes all other chunks.
"""

import struct
import zlib
from io import BytesIO
from typing import cast

import numpy as np
import PIL.Image
from jaxtyping import Integer, UInt8
from PIL.PngImagePlugin import PngImageFile, PngInfo

from selfsharp.exif import File
from selfsharp.formats import Holds
from selfsharp.photo_error import UnsupportedError
from selfsharp.photo_metadata import Metadata, contents, from_pillow, read_metadata, to_pillow
from selfsharp.raster import Layout, Raster, Samples, turned

NAME = "PNG"
ENDINGS = (".png",)
RANK = 1
HOLDS = Holds(("grey", "rgb"), depths=(8, 16))

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_XMP_CHUNK_START = b"XML:com.adobe.xmp\0"
_KEPT_CHUNKS = {b"tEXt", b"zTXt", b"iTXt", b"gAMA", b"cHRM", b"sRGB", b"cICP"}
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # By the number of channels.
# Pillow's words for the high and the low bytes, by PNG's number of its colours.
_DEEP = {
    2: ("RGB;16B", "RGB;16L"),
    4: ("RGBA",),  # Grey and alpha of 16 bits look like four channels of 8.
    6: ("RGBA;16B", "RGBA;16L"),
}
_ROWS_AT_A_TIME = 64


def recognises(start: bytes, ending: str) -> bool:
    """Whether a file is a PNG file."""
    return start.startswith(_SIGNATURE)


def read(file: File, most_pixels: float) -> tuple[Raster, Metadata]:
    """Upright samples and metadata of a PNG file; a palette turns into its colours."""
    picture = _opened(file)
    if getattr(picture, "is_animated", False):
        raise UnsupportedError("is animated", "save one of its pictures as its own file")
    file.seek(24)
    depth, colours = file.read(2)
    if depth == 16:
        samples, picture = _read_deep(file, picture, colours)
    else:
        samples = _read_plain(picture)
    lost = []
    if picture.mode in ("P", "PA"):
        lost.append("the palette; colours are written as they are")
    elif depth < 8:
        lost.append(f"the depth of {depth} bits; grey is written with 8")
    channels = samples.shape[2]
    layout = Layout(
        "grey" if channels < 3 else "rgb",
        "none" if channels % 2 else "straight",
        16 if depth == 16 else 8,
    )
    metadata, orientation = read_metadata(
        picture,
        layout,
        lost=tuple(lost),
        format=NAME,
        lossless=True,
        png_chunks=_read_chunks(file),
    )
    return Raster(turned(samples, orientation), layout), metadata


def _opened(file: File) -> PngImageFile:
    file.seek(0)
    return cast(PngImageFile, PIL.Image.open(file, formats=("PNG",)))


def _read_plain(picture: PngImageFile) -> Samples:
    """Samples of up to 8 bits; bilevel turns grey, and a palette into what it stands for."""
    picture.load()
    mode = "L" if picture.mode in ("1", "L", "LA") else "RGB"
    mode += "A" * picture.has_transparency_data
    # Pillow would make a copy of what has that mode already.
    return from_pillow(picture if picture.mode == mode else picture.convert(mode))


def _read_deep(file: File, picture: PngImageFile, colours: int) -> tuple[Samples, PngImageFile]:
    """Samples of 16 bits, and the picture with all that was read beside them."""
    height, width = picture.height, picture.width
    if colours not in _DEEP:  # Grey, which Pillow knows.
        picture.load()
        samples = np.asarray(picture).astype(np.uint16)[:, :, None]
    else:
        parts = []
        for raw_mode in _DEEP[colours]:
            picture = _opened(file)
            picture.tile = [picture.tile[0]._replace(args=raw_mode)]
            picture.load()
            parts.append(np.asarray(picture))
        if len(parts) == 1:
            samples = parts[0].view(">u2").astype(np.uint16)
        else:
            samples = parts[0].astype(np.uint16) << 8
            samples |= parts[1]
    clear = picture.info.get("transparency")
    if clear is not None and colours in (0, 2):
        opaque = (samples != np.array(clear, np.uint16)).any(axis=2, keepdims=True)
        samples = np.concatenate([samples, opaque.astype(np.uint16) * 65535], axis=2)
    return samples.reshape(height, width, -1), picture


def _read_chunks(file: File) -> tuple[tuple[bytes, bytes], ...]:
    kept = []
    file.seek(8)
    while len(start := file.read(8)) == 8:
        size, name = struct.unpack(">I4s", start)
        end = file.tell() + size + 4
        if name in _KEPT_CHUNKS and size < 1 << 24:
            data = file.read(size)
            if not data.startswith(_XMP_CHUNK_START):
                kept.append((name, data))
        file.seek(end)
    return tuple(kept)


def write(raster: Raster, metadata: Metadata) -> tuple[bytes, list[str]]:
    """A PNG file with every sample as it is."""
    kept, lost = contents(metadata, raster.layout)
    chunks = PngInfo()
    for name, data in metadata.png_chunks:
        chunks.add(name, data)
    if metadata.xmp:
        chunks.add(b"iTXt", _XMP_CHUNK_START + bytes(4) + metadata.xmp)
    samples, file = raster.samples, BytesIO()
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[raster.layout.channels]
    if raster.layout.depth == 8:
        to_pillow(samples, mode).save(file, "PNG", pnginfo=chunks, **kept)
        return file.getvalue(), lost
    # All chunks but two are those of a picture of one pixel.
    to_pillow(samples[:1, :1].astype(np.uint8), mode).save(file, "PNG", pnginfo=chunks, **kept)
    return _with_deep_samples(file.getvalue(), samples), lost


def _with_deep_samples(file: bytes, samples: Samples) -> bytes:
    """A PNG file with other samples, of 16 bits."""
    height, width, channels = samples.shape
    header = struct.pack(">IIBBBBB", width, height, 16, _COLOUR_TYPES[channels], 0, 0, 0)
    parts, at = [_SIGNATURE, _chunk(b"IHDR", header)], len(_SIGNATURE)
    while at < len(file):
        size, name = struct.unpack_from(">I4s", file, at)
        if name == b"IDAT":
            parts += [_chunk(b"IDAT", data) for data in _compressed(samples)]
        elif name != b"IHDR":
            parts.append(file[at : at + 12 + size])
        at += 12 + size
    return b"".join(parts)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _compressed(samples: Samples) -> list[bytes]:
    """Rows of samples, each filtered, as the data of chunks."""
    height, width, channels = samples.shape
    stream, parts = zlib.compressobj(6), []
    above = np.zeros((1, width * channels * 2), np.uint8)
    for start in range(0, height, _ROWS_AT_A_TIME):
        block = samples[start : start + _ROWS_AT_A_TIME]
        rows = block.astype(">u2").reshape(len(block), -1).view(np.uint8)
        parts.append(stream.compress(_filtered(rows, above, 2 * channels).tobytes()))
        above = rows[-1:]
    parts.append(stream.flush())
    return [part for part in parts if part]


def _filtered(
    rows: UInt8[np.ndarray, "height width"], above: UInt8[np.ndarray, "1 width"], step: int
) -> UInt8[np.ndarray, "height filtered"]:
    """Rows behind the number of the filter that leaves least of each (PNG, section 12.8)."""
    up = np.concatenate([above, rows[:-1]]).astype(np.int16)
    left, corner = np.zeros_like(up), np.zeros_like(up)
    left[:, step:], corner[:, step:] = rows[:, :-step], up[:, :-step]
    predicted = {0: np.zeros_like(up), 1: left, 2: up, 4: _paeth(left, up, corner)}
    kinds = np.array(list(predicted), np.uint8)
    candidates = np.stack([rows - values.astype(np.uint8) for values in predicted.values()])
    size = np.abs(candidates.view(np.int8).astype(np.int16)).sum(axis=2, dtype=np.int64)
    best = size.argmin(axis=0)
    chosen = candidates[best, np.arange(len(rows))]
    return np.concatenate([kinds[best][:, None], chosen], axis=1)


def _paeth(
    left: Integer[np.ndarray, "height width"],
    up: Integer[np.ndarray, "height width"],
    corner: Integer[np.ndarray, "height width"],
) -> Integer[np.ndarray, "height width"]:
    """Of three neighbours the one closest to left + up - corner."""
    to_left, to_up = np.abs(up - corner), np.abs(left - corner)
    to_corner = np.abs(left + up - 2 * corner)
    nearest = np.where(to_up <= to_corner, up, corner)
    return np.where((to_left <= to_up) & (to_left <= to_corner), left, nearest)
