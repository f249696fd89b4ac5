"""What HEIC and AVIF files tell of themselves in the boxes at their beginning (ISO 14496-12)."""

from selfsharp.exif import File

_FURTHEST = 1 << 16


def brands(start: bytes) -> set[bytes]:
    """Kinds of file that the first bytes of one name; none if they name none."""
    if start[4:8] != b"ftyp":
        return set()
    names = start[8 : max(12, int.from_bytes(start[:4], "big"))]
    return {names[at : at + 4] for at in range(0, len(names), 4) if at != 4}


def find_box(file: File, name: bytes, size: int) -> bytes:
    """The first bytes of the first box of a name; none where it is not to be found.

    It is looked for, not walked to: names of boxes have four letters that are nowhere else.
    """
    file.seek(0)
    start = file.read(_FURTHEST)
    at = start.find(name)
    return start[at + 4 : at + 4 + size] if at >= 0 else b""
