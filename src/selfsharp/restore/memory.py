"""Gives memory that is no longer in use back to the system."""

import ctypes
import sys
from functools import lru_cache


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
