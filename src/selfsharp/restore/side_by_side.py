"""Pieces of a photo worked on by several threads, with few of them in memory at a time."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def side_by_side(
    work: Callable[[Piece], Result], pieces: Iterable[Piece], threads: int
) -> Iterator[Result]:
    """What becomes of each piece, in their order; one more than threads is under way at most."""
    if threads == 1:
        yield from map(work, pieces)
        return
    waiting = iter(pieces)
    with ThreadPoolExecutor(threads) as pool:
        running: deque[Future[Result]] = deque()
        try:
            running.extend(pool.submit(work, piece) for piece in islice(waiting, threads + 1))
            while running:
                done = running.popleft().result()
                running.extend(pool.submit(work, piece) for piece in islice(waiting, 1))
                yield done
        finally:
            for one in running:
                one.cancel()
