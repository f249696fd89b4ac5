"""Which photos a sheet shows, and as what."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsharp.benchmark.report import picked
from selfsharp.benchmark.sheet import Strip


def strips(length: int) -> list[Strip]:
    small = np.zeros((4, 4, 3), np.uint8)
    return [Strip("", str(place), small, {}) for place in range(length)]


@pytest.mark.parametrize(
    ("length", "count", "told"),
    [
        (24, 1, "worst: 0, middle: 11, best: 23"),
        (7, 2, "worst: 0, worst: 1, middle: 2, middle: 3, best: 5, best: 6"),
        (2, 1, "worst: 0, best: 1"),
        (1, 5, "worst: 0"),
        (0, 3, ""),
    ],
)
def test_the_worst_the_middle_and_the_best_are_shown(length, count, told):
    assert ", ".join(strip.photo for strip in picked(strips(length), count)) == told


@given(length=st.integers(0, 60), count=st.integers(1, 20))
def test_no_photo_is_shown_twice_and_as_many_as_there_are(length, count):
    places = [int(strip.photo.split(": ")[1]) for strip in picked(strips(length), count)]
    assert places == sorted(set(places))
    assert len(places) == min(length, 3 * count)
