"""EXIF at the level of bytes, so that what a program does not know it does not lose.

EXIF is a TIFF file without a picture: a header and directories of tags. A TIFF file has
the same tags in its own directory, among those that tell how its pixels lie. Here
directories are dictionaries: tag number to (kind of values, little-endian values) or, for
the tags that point to a further directory, to that directory.
"""

import os
import struct
from contextlib import suppress
from io import BufferedReader, BytesIO
from typing import TypeAlias

import numpy as np
from PIL.ExifTags import IFD
from PIL.ExifTags import Base as Tag

Directory: TypeAlias = "dict[int, tuple[int, bytes] | Directory]"

# Kind of values: bytes to a number, numbers to a value.
_KINDS = {
    **dict.fromkeys((1, 2, 6, 7), (1, 1)),
    **dict.fromkeys((3, 8), (2, 1)),
    **dict.fromkeys((4, 9, 11, 13), (4, 1)),
    **dict.fromkeys((5, 10), (4, 2)),
    **dict.fromkeys((12, 16, 18), (8, 1)),
}
_BYTE, _SHORT, _LONG, _UNDEFINED = 1, 3, 4, 7
_LARGEST_KIND = 13  # Larger ones are BigTIFF's.
_POINTERS = {0: {IFD.Exif, IFD.GPSInfo}, IFD.Exif: {IFD.Interop}}
# Layout lies below 700, but for these.
_DESCRIPTIVE_TAGS = {
    Tag.DocumentName,
    Tag.ImageDescription,
    Tag.Make,
    Tag.Model,
    Tag.PageName,
    Tag.Software,
    Tag.DateTime,
    Tag.Artist,
    Tag.HostComputer,
}
# The colour profile is no EXIF; Photoshop's layers would show the photo as it was.
_DROPPED_TAGS = {Tag.InterColorProfile, 37724}


def turned_upright(exif: bytes) -> tuple[bytes, int]:
    """The EXIF with orientation 1, and the orientation that it told, 1 to 8.

    Nothing else changes, so that thumbnails and makers' notes stay in their places.
    """
    order = "<" if exif.startswith(b"II") else ">"
    with suppress(struct.error):
        (start,) = struct.unpack_from(order + "I", exif, 4)
        (number,) = struct.unpack_from(order + "H", exif, start)
        for at in range(start + 2, start + 2 + 12 * number, 12):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", exif, at)
            if (tag, kind) == (Tag.Orientation, _SHORT) and 2 <= value <= 8:
                return exif[: at + 8] + struct.pack(order + "H", 1) + exif[at + 10 :], value
    return exif, 1


def from_tiff(file: BufferedReader) -> bytes | None:
    """EXIF out of a TIFF file's tags, those left out that tell how pixels lie."""
    directory = _without_layout(_read_first(file))
    return b"II*\0\x08\0\0\0" + _to_bytes(directory, 8) if directory else None


def add_to_tiff(file: BytesIO, exif: bytes | None, xmp: bytes | None) -> None:
    """Adds EXIF and XMP to a little-endian TIFF file in memory.

    Pillow fails to write EXIF beside compressed pixels.
    """
    directory = _read_first(file)
    if exif:
        directory |= _without_layout(_read_first(BytesIO(exif)))
    if xmp:
        directory[Tag.XMLPacket] = (_BYTE, xmp)
    # A new directory at the end takes the old one's place; pixels stay where they are.
    place = file.seek(0, os.SEEK_END)
    place += file.write(bytes(place % 2))
    file.write(_to_bytes(directory, place))
    file.seek(4)
    file.write(struct.pack("<I", place))


def _without_layout(directory: Directory) -> Directory:
    return {
        tag: values
        for tag, values in directory.items()
        if (tag > 700 or tag in _DESCRIPTIVE_TAGS) and tag not in _DROPPED_TAGS
    }


def _read_first(file: BufferedReader | BytesIO) -> Directory:
    """The first directory of a TIFF file or of EXIF, with those that it points to."""
    file.seek(0)
    header = file.read(16)
    order = "<" if header.startswith(b"II") else ">"
    try:
        big = struct.unpack_from(order + "H", header, 2) == (43,)
        (place,) = struct.unpack_from(order + ("8xQ" if big else "4xI"), header)
        return _read(file, order, big, place, 0)
    except struct.error:  # Cut off.
        return {}


def _read(
    file: BufferedReader | BytesIO, order: str, big: bool, place: int, pointer: int
) -> Directory:
    """The directory at a place, to which the tag `pointer` points."""
    head = struct.Struct(order + ("HHQ" if big else "HHI"))
    address = struct.Struct(order + ("Q" if big else "I"))
    size_of_file = file.seek(0, os.SEEK_END)
    file.seek(place)
    number = struct.Struct(order + ("Q" if big else "H"))
    (entries,) = number.unpack(file.read(number.size))
    table = file.read(min(entries, 1 << 16) * (head.size + address.size))
    directory: Directory = {}
    for at in range(0, len(table) - head.size - address.size + 1, head.size + address.size):
        tag, kind, count = head.unpack_from(table, at)
        width, numbers = _KINDS.get(kind, (0, 0))
        if tag == Tag.IPTCNAA:
            # Photoshop writes these captions as numbers, yet their bytes in the order of text.
            kind, count, width = _UNDEFINED, count * width, 1
        size = count * width * numbers
        values = table[at + head.size : at + head.size + address.size]
        if size > len(values):
            file.seek(*address.unpack(values))
            values = file.read(size) if size <= size_of_file else b""
        if not 0 < size <= len(values):
            continue  # Of an unknown kind, or damaged.
        values = np.frombuffer(values[:size], f"{order}u{width}").astype(f"<u{width}").tobytes()
        if tag in _POINTERS.get(pointer, ()):
            place = int.from_bytes(values[:width], "little")
            with suppress(struct.error):
                directory[tag] = _read(file, order, big, place, tag)
        elif kind <= _LARGEST_KIND:
            directory[tag] = (kind, values)
    return directory


def _to_bytes(directory: Directory, place: int) -> bytes:
    """The directory as it is written at a place, with what it points to behind it."""
    table, behind = struct.pack("<H", len(directory)), b""
    place_behind = place + 2 + 12 * len(directory) + 4
    for tag, content in sorted(directory.items()):
        free = place_behind + len(behind)
        if isinstance(content, dict):
            table += struct.pack("<HHII", tag, _LONG, 1, free)
            behind += _to_bytes(content, free)
            continue
        kind, values = content
        width, numbers = _KINDS[kind]
        table += struct.pack("<HHI", tag, kind, len(values) // (width * numbers))
        if len(values) <= 4:
            table += values.ljust(4, b"\0")
        else:
            table += struct.pack("<I", free)
            behind += values + bytes(len(values) % 2)  # Values lie at even places.
    return table + bytes(4) + behind
