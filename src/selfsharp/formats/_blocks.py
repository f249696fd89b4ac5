"""The strips and tiles of a TIFF file, as rows of bytes.

Pillow's libtiff undoes their compression: each block is handed to it as a small TIFF file of
its own that pretends to be grey at 8 bits. So samples of any depth and number come through.
"""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import PIL.Image
from jaxtyping import UInt8
from PIL.ExifTags import Base as Tag

from selfsharp.exif import Directory, File, integers
from selfsharp.formats import check_size

_RAW = 1
_TILE_OFFSETS, _TILE_SIZES, _FILL_ORDER = 324, 325, 266


@dataclass(frozen=True)
class _Block:
    """Where a strip or tile lies in the file and in the picture."""

    offset: int
    size: int
    plane: int
    row: int
    column: int
    height: int
    width: int


def read_samples(
    file: File, directory: Directory, dtype: np.dtype, most_pixels: float
) -> np.ndarray:
    """Samples of shape (height, width, channels) as they lie in the file, of native order.

    Args:
        file: a TIFF file.
        directory: of the page to read.
        dtype: of a sample in the file, with its byte order.
        most_pixels: that a block may have.
    """
    (width,), (height,) = (integers(directory, tag) for tag in (Tag.ImageWidth, Tag.ImageLength))
    (channels,) = integers(directory, Tag.SamplesPerPixel) or [1]
    apart = integers(directory, Tag.PlanarConfiguration) == [2]
    predicted = integers(directory, Tag.Predictor) == [2]
    within = 1 if apart else channels  # Channels of a block.
    samples = np.empty((height, width, channels), dtype.newbyteorder("="))
    for block in _blocks(directory, height, width, planes=channels if apart else 1):
        check_size(block.width, block.height, most_pixels)
        file.seek(block.offset)
        size = (block.height, block.width * within * dtype.itemsize)
        rows = _decoded(file.read(block.size), directory, *size)
        values = rows.view(dtype).reshape(block.height, block.width, within)
        values = values.astype(samples.dtype)
        if predicted:
            np.cumsum(values, axis=1, dtype=values.dtype, out=values)
        bottom, right = block.row + block.height, block.column + block.width
        planes = slice(block.plane, block.plane + 1) if apart else slice(None)
        place = samples[block.row : bottom, block.column : right, planes]
        place[:] = values[: place.shape[0], : place.shape[1]]
    return samples


def _blocks(directory: Directory, height: int, width: int, planes: int) -> Iterator[_Block]:
    """The blocks of a page; tiles reach beyond the edges of the picture, strips do not."""
    tiled = bool(integers(directory, _TILE_OFFSETS))
    if tiled:
        (across,), (down,) = (integers(directory, tag) for tag in (Tag.TileWidth, Tag.TileLength))
        offsets, sizes = (integers(directory, tag) for tag in (_TILE_OFFSETS, _TILE_SIZES))
    else:
        across, down = width, min((integers(directory, Tag.RowsPerStrip) or [height])[0], height)
        offsets = integers(directory, Tag.StripOffsets)
        sizes = integers(directory, Tag.StripByteCounts)
    places = [
        (plane, row, column)
        for plane in range(planes)
        for row in range(0, height, down)
        for column in range(0, width, across)
    ]
    if not len(places) == len(offsets) == len(sizes):
        raise ValueError(f"{len(offsets)} of {len(places)} blocks")
    for (plane, row, column), offset, size in zip(places, offsets, sizes, strict=True):
        rows = down if tiled else min(down, height - row)
        yield _Block(offset, size, plane, row, column, rows, across)


def _decoded(
    data: bytes, directory: Directory, height: int, width: int
) -> UInt8[np.ndarray, "height width"]:
    """The bytes of a block, uncompressed, in rows of `width`."""
    (compression,) = integers(directory, Tag.Compression) or [_RAW]
    if compression == _RAW:
        if len(data) < height * width:
            raise ValueError("cut off")
        return np.frombuffer(data, np.uint8, height * width).reshape(height, width)
    (order,) = integers(directory, _FILL_ORDER) or [1]
    # Tag, kind, value: a directory of one grey strip.
    entries = [
        (Tag.ImageWidth, 4, width),
        (Tag.ImageLength, 4, height),
        (Tag.BitsPerSample, 3, 8),
        (Tag.Compression, 3, compression),
        (Tag.PhotometricInterpretation, 3, 1),
        (_FILL_ORDER, 3, order),
        (Tag.StripOffsets, 4, 8 + 2 + 12 * 10 + 4),
        (Tag.SamplesPerPixel, 3, 1),
        (Tag.RowsPerStrip, 4, height),
        (Tag.StripByteCounts, 4, len(data)),
    ]
    table = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    whole = b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + table + bytes(4) + data
    with _unlimited(), silenced(), PIL.Image.open(BytesIO(whole), formats=("TIFF",)) as picture:
        return np.asarray(picture)


@contextmanager
def silenced() -> Iterator[None]:
    """Without what libtiff, which Pillow does not stop from it, prints of damaged files.

    It writes to the process's standard error itself, so that goes nowhere meanwhile.
    """
    try:
        kept = os.dup(2)
    except OSError:  # There is none.
        yield
        return
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@contextmanager
def _unlimited() -> Iterator[None]:
    """Without Pillow's limit: a block's size is checked, and is not that of its bytes."""
    before, PIL.Image.MAX_IMAGE_PIXELS = PIL.Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        PIL.Image.MAX_IMAGE_PIXELS = before


def encode_samples(samples: np.ndarray, compression: str, *, predicted: bool) -> BytesIO:
    """A TIFF file that claims to be grey at 8 bits; its blocks are those of the samples.

    Args:
        samples: of shape (height, width, channels).
        compression: in Pillow's word.
        predicted: whether each sample is stored as its difference to the one to the left.
    """
    height, width, _ = samples.shape
    little = samples.dtype.newbyteorder("<")
    values = samples.astype(little)
    if predicted and width > 1:
        values[:, 1:] -= samples[:, :-1]
    rows = values.reshape(height, -1).view(np.uint8)
    file = BytesIO()
    with _unlimited():
        PIL.Image.fromarray(rows).save(file, "TIFF", compression=compression)
    return file
