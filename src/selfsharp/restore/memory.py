"""Takes memory where it is needed alone, and gives it back once it is no longer in use."""

import ctypes
import mmap
import sys
from functools import lru_cache

import numpy as np

LARGE = 1 << 20
"""Bytes from which it pays to ask the system for pages."""
TIGHT = 3 * 64e6
"""Values of an image from which memory counts more than time. One block of tiles is worked on at a
time, and memory goes back after each: 100 megapixels then take 140 MB less, and, where it was
tried, a tenth of the time more."""


def is_tight(values: int) -> bool:
    """Whether an image of so many values leaves room for one thing at a time only."""
    return values > TIGHT


def blank(height: int, width: int, dtype: type[np.generic]) -> np.ndarray:
    """A plane of zeros that takes memory only where it is written to.

    NumPy asks for huge pages, of 2 MB: of a window of a large photo they hold whole rows, several
    times of what lies in it.
    """
    size = height * width * np.dtype(dtype).itemsize
    if size < LARGE or not hasattr(mmap, "MAP_ANONYMOUS"):
        return np.zeros((height, width), dtype)
    pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return np.frombuffer(pages, dtype).reshape(height, width)


def blank_plane(height: int, width: int) -> np.ndarray:
    """:func:`blank` for weights or radii of a photo's pixels: of a large one in half precision."""
    return blank(height, width, np.float16 if is_tight(3 * height * width) else np.float32)


def even_plane(value: float, height: int, width: int, dtype: np.dtype) -> np.ndarray:
    """A plane of one value, which takes the memory of one; it cannot be written to."""
    return np.broadcast_to(np.array(value, dtype), (height, width))


def give_back() -> None:
    """Returns what has been freed, where the C library (glibc) would keep it for each thread.

    Between the steps of restoring a large photo that is a few hundred megabytes.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@lru_cache(maxsize=1)
def _trim() -> "ctypes._FuncPointer | None":
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
