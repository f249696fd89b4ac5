"""Planes that take memory only where they are written to."""

import numpy as np

from selfsharp.restore import memory
from selfsharp.restore.memory import blank, blank_plane


def test_a_blank_plane_is_zeros_that_can_be_written():
    for height, width in ((3, 4), (600, 900)):
        for dtype in (np.float32, np.bool_):
            plane = blank(height, width, dtype)
            assert (plane.shape, plane.dtype) == ((height, width), dtype)
            assert not plane.any()
            plane[1:, 2:] = 1
            assert plane.sum() == (height - 1) * (width - 2)


def test_weights_of_a_large_photo_are_in_half_precision(monkeypatch):
    assert blank_plane(30, 40).dtype == np.float32
    monkeypatch.setattr(memory, "TIGHT", 3 * 30 * 40 - 1)
    assert blank_plane(30, 40).dtype == np.float16
