"""Planes that take memory only where they are written to."""

import numpy as np

from selfsharp.restore.memory import blank


def test_a_blank_plane_is_zeros_that_can_be_written():
    for height, width in ((3, 4), (600, 900)):
        for dtype in (np.float32, np.bool_):
            plane = blank(height, width, dtype)
            assert (plane.shape, plane.dtype) == ((height, width), dtype)
            assert not plane.any()
            plane[1:, 2:] = 1
            assert plane.sum() == (height - 1) * (width - 2)
