"""EXIF at the level of bytes, so that what a program does not know it does not lose.

EXIF is a TIFF file without a picture: a header and directories of tags. A TIFF file has
the same tags in its own directory, among those that tell how its pixels lie. Here
directories are dictionaries: tag number to (kind of values, little-endian values) or, for
the tags that point to a further directory, to that directory.
"""

import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from typing import TypeAlias

import numpy as np
from PIL.ExifTags import IFD
from PIL.ExifTags import Base as Tag

File: TypeAlias = BufferedReader | BytesIO
Directory: TypeAlias = "dict[int, tuple[int, bytes] | Directory]"

# Kind of values: bytes to a number, numbers to a value.
_KINDS = {
    **dict.fromkeys((1, 2, 6, 7), (1, 1)),
    **dict.fromkeys((3, 8), (2, 1)),
    **dict.fromkeys((4, 9, 11, 13), (4, 1)),
    **dict.fromkeys((5, 10), (4, 2)),
    **dict.fromkeys((12, 16, 18), (8, 1)),
}
_BYTE, _SHORT, _LONG, _UNDEFINED, _LONG8 = 1, 3, 4, 7, 16
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


# Files that are made to keep us busy have more.
_MOST_PAGES, _MOST_TAGS = 64, 4096
_THUMBNAIL = (Tag.JpegIFOffset, Tag.JpegIFByteCount)


def integers(directory: Directory, tag: int) -> list[int]:
    """The whole numbers of a tag; none if it is missing or holds something else."""
    kind, values = entry if isinstance(entry := directory.get(tag), tuple) else (0, b"")
    width = {_BYTE: 1, _SHORT: 2, _LONG: 4, 13: 4, _LONG8: 8}.get(kind)
    return np.frombuffer(values, f"<u{width}").tolist() if width else []


def raw_bytes(directory: Directory, tag: int) -> bytes:
    """The bytes of a tag; none if it is missing."""
    entry = directory.get(tag)
    return entry[1] if isinstance(entry, tuple) else b""


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


def read_thumbnail(exif: bytes) -> bytes | None:
    """The JPEG file of the small picture that EXIF carries; None if it carries none."""
    found = _find_thumbnail(exif)
    return exif[found.start : found.start + found.length] if found else None


def has_second_directory(exif: bytes) -> bool:
    """Whether EXIF tells of a small picture, of whatever kind."""
    return len(list(read_pages(BytesIO(exif)))) > 1


def replace_thumbnail(exif: bytes, jpeg: bytes) -> bytes:
    """The EXIF with another thumbnail, no longer than the one it has, in its place.

    Nothing else moves. The thumbnail is upright.

    Raises:
        ValueError: there is no thumbnail in JPEG, or this one is longer.
    """
    found = _find_thumbnail(exif)
    if found is None or len(jpeg) > found.length:
        raise ValueError("there is no room for this thumbnail")
    changed = bytearray(exif)
    changed[found.start : found.start + found.length] = jpeg.ljust(found.length, b"\0")
    struct.pack_into(found.order + "HII", changed, found.length_at + 2, _LONG, 1, len(jpeg))
    if found.orientation_at:
        struct.pack_into(found.order + "H", changed, found.orientation_at + 8, 1)
    return bytes(changed)


def without_thumbnail(exif: bytes) -> bytes:
    """The EXIF without its second directory, which is the thumbnail's; nothing else moves."""
    order = "<" if exif.startswith(b"II") else ">"
    changed = bytearray(exif)
    if found := _find_thumbnail(exif):
        changed[found.start : found.start + found.length] = bytes(found.length)
    with suppress(struct.error):
        (start,) = struct.unpack_from(order + "I", exif, 4)
        (number,) = struct.unpack_from(order + "H", exif, start)
        struct.pack_into(order + "I", changed, start + 2 + 12 * number, 0)
    return bytes(changed)


@dataclass(frozen=True)
class _Thumbnail:
    """Where a thumbnail lies, and where its directory tells of it; 0 where it does not."""

    order: str
    start: int
    length: int
    length_at: int
    orientation_at: int


def _find_thumbnail(exif: bytes) -> _Thumbnail | None:
    order = "<" if exif.startswith(b"II") else ">"
    with suppress(struct.error):
        (start,) = struct.unpack_from(order + "I", exif, 4)
        (number,) = struct.unpack_from(order + "H", exif, start)
        (start,) = struct.unpack_from(order + "I", exif, start + 2 + 12 * number)
        (number,) = struct.unpack_from(order + "H", exif, start)
        places, values = {}, {}
        for at in range(start + 2, start + 2 + 12 * min(number, _MOST_TAGS), 12):
            tag, kind, _, value = struct.unpack_from(order + "HHII", exif, at)
            places[tag], values[tag] = at, value if kind == _LONG else 0
        place, length = (values.get(tag, 0) for tag in _THUMBNAIL)
        whole = 0 < start < place and place + length <= len(exif)
        if whole and exif.startswith(b"\xff\xd8", place):
            at = places.get(Tag.Orientation, 0)
            return _Thumbnail(order, place, length, places[_THUMBNAIL[1]], at)
    return None


def from_tiff(file: File, last: int = 0xFFFF) -> bytes | None:
    """EXIF out of a TIFF file's tags up to `last`, those left out that tell how pixels lie."""
    found = _without_layout(read_first(file))
    directory = {tag: values for tag, values in found.items() if tag <= last}
    return b"II*\0\x08\0\0\0" + _to_bytes(directory, 8) if directory else None


def add_to_tiff(file: BytesIO, exif: bytes | None, tags: Directory) -> None:
    """Adds EXIF, and tags in place of those it has, to a little-endian TIFF file in memory.

    Pillow fails to write EXIF beside compressed pixels.
    """
    directory = read_first(file)
    if exif:
        directory |= _without_layout(read_first(BytesIO(exif)))
    directory |= tags
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
        if (tag > 700 or tag in _DESCRIPTIVE_TAGS)
        and tag not in _DROPPED_TAGS
        and not (isinstance(values, tuple) and values[0] > _LARGEST_KIND)
    }


def read_first(file: File) -> Directory:
    """The first directory of a TIFF file or of EXIF, with those that it points to."""
    return next(read_pages(file), {})


def read_pages(file: File) -> Iterator[Directory]:
    """The directories of a TIFF file, one for each page; ends where they are damaged."""
    file.seek(0)
    header = file.read(16)
    order = "<" if header.startswith(b"II") else ">"
    with suppress(struct.error, OverflowError, OSError):  # Cut off, or nowhere.
        big = struct.unpack_from(order + "H", header, 2) == (43,)
        (place,) = struct.unpack_from(order + ("8xQ" if big else "4xI"), header)
        seen = set()
        while place and place not in seen and len(seen) < _MOST_PAGES:
            seen.add(place)
            yield _read(file, order, big, place, 0)
            number = struct.Struct(order + ("Q" if big else "H"))
            file.seek(place)
            (entries,) = number.unpack(file.read(number.size))
            file.seek(place + number.size + entries * (20 if big else 12))
            address = struct.Struct(order + ("Q" if big else "I"))
            (place,) = address.unpack(file.read(address.size))


def _read(file: File, order: str, big: bool, place: int, pointer: int) -> Directory:
    """The directory at a place, to which the tag `pointer` points."""
    head = struct.Struct(order + ("HHQ" if big else "HHI"))
    address = struct.Struct(order + ("Q" if big else "I"))
    left = file.seek(0, os.SEEK_END)  # Bytes to read: tags together have no more than the file.
    file.seek(place)
    number = struct.Struct(order + ("Q" if big else "H"))
    (entries,) = number.unpack(file.read(number.size))
    table = file.read(min(entries, _MOST_TAGS) * (head.size + address.size))
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
            if size > left:
                continue
            left -= size
            with suppress(OverflowError, OSError):
                values = _read_at(file, *address.unpack(values), size)
        if not 0 < size <= len(values) or tag in directory:
            continue  # Of an unknown kind, damaged, or told before.
        values = np.frombuffer(values[:size], f"{order}u{width}").astype(f"<u{width}").tobytes()
        if tag in _POINTERS.get(pointer, ()):
            place = int.from_bytes(values[:width], "little")
            with suppress(struct.error, OverflowError, OSError):
                directory[tag] = _read(file, order, big, place, tag)
        else:
            directory[tag] = (kind, values)
    return directory


def _read_at(file: File, place: int, size: int) -> bytes:
    file.seek(place)
    return file.read(size)


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
