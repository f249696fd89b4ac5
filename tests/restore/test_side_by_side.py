"""Pieces worked on by several threads come back in their order, few of them at a time."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsharp.restore.side_by_side import side_by_side


@given(st.lists(st.integers(0, 3), max_size=12), st.integers(1, 5))
def test_results_come_in_the_order_of_the_pieces(waits, threads):
    pieces = list(enumerate(waits))

    def work(piece: tuple[int, int]) -> int:
        time.sleep(piece[1] / 5000)
        return piece[0]

    assert list(side_by_side(work, pieces, threads)) == list(range(len(pieces)))


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_no_more_are_taken_than_threads_can_soon_work_on(threads):
    taken, done, most = [], [], 0

    def pieces():
        for number in range(40):
            taken.append(number)
            yield number

    for number in side_by_side(lambda piece: piece, pieces(), threads):
        done.append(number)
        most = max(most, len(taken) - len(done))
    assert len(done) == 40
    assert most <= threads + 1


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_comes_out_and_ends_the_work(threads):
    begun, lock = [], threading.Lock()

    def work(number: int) -> int:
        with lock:
            begun.append(number)
        if number == 2:
            raise ValueError("two")
        return number

    with pytest.raises(ValueError, match="two"):
        list(side_by_side(work, range(1000), threads))
    assert len(begun) < 20
