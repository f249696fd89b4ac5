"""Pillow's settings while photos are read: they are global, and so are Python's warnings."""

import math
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import PIL.Image
from PIL import ImageFile


class _Readers:
    """Threads that read by the same settings at a time; one that wants others waits for them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._number = 0
        self._megapixels = 0.0
        self._settings = ExitStack()

    def join(self, megapixels: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._number or self._megapixels == megapixels)
            if not self._number:
                self._megapixels = megapixels
                self._settings.enter_context(_set(megapixels))
            self._number += 1

    def leave(self) -> None:
        with self._changed:
            self._number -= 1
            if not self._number:
                self._settings.close()
                self._changed.notify_all()


_readers = _Readers()


@contextmanager
def reading_up_to(megapixels: float) -> Iterator[None]:
    """Pillow with this limit instead of its own, without warnings, strict with damaged files."""
    _readers.join(megapixels)
    try:
        yield
    finally:
        _readers.leave()


@contextmanager
def _set(megapixels: float) -> Iterator[None]:
    before = PIL.Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Pillow warns above its limit; above twice that it refuses, before it decodes.
        PIL.Image.MAX_IMAGE_PIXELS = math.ceil(megapixels * 1e6 / 2)
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        try:
            yield
        finally:
            PIL.Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = before
