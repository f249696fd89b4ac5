"""Threads read photos by settings of Pillow that are not its own, and leave its own behind."""

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import PIL.Image
import pytest
from PIL import ImageFile

from selfsharp.pillow_settings import reading_up_to

SECONDS = 10
"""After which a thread that ought to go on is taken for stuck."""


def settings():
    return PIL.Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)


def test_settings_are_set_and_put_back(monkeypatch):
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 7)
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    before = settings()

    def fail() -> None:
        with reading_up_to(2.0):
            assert settings()[:2] == (1_000_000, False)
            warnings.warn("is not shown", PIL.Image.DecompressionBombWarning, stacklevel=1)
            raise KeyError

    with warnings.catch_warnings(record=True) as warned, pytest.raises(KeyError):
        fail()
    assert not warned
    assert settings() == before


def test_threads_with_one_limit_read_at_a_time_and_the_last_puts_all_back():
    before, both, seen = settings(), threading.Barrier(2, timeout=SECONDS), []

    def read(stays: bool) -> None:
        with reading_up_to(2.0):
            both.wait()
            if stays:
                left.wait(SECONDS)
                seen.append(settings()[0])

    left = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        staying, leaving = pool.submit(read, True), pool.submit(read, False)
        leaving.result(SECONDS)
        left.set()
        staying.result(SECONDS)
    assert seen == [1_000_000]
    assert settings() == before


def test_a_thread_with_another_limit_waits():
    before, entered, seen = settings(), threading.Event(), []

    def read(megapixels: float) -> None:
        with reading_up_to(megapixels):
            entered.set()
            seen.append(settings()[0])

    with ThreadPoolExecutor(1) as pool:
        with reading_up_to(2.0):
            waiting = pool.submit(read, 4.0)
            assert not entered.wait(0.2)
            seen.append(settings()[0])
        waiting.result(SECONDS)
    assert seen == [1_000_000, 2_000_000]
    assert settings() == before
