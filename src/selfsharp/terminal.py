"""Talks to the person at the terminal: words, errors in one line, progress bars."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape

words = Console(highlight=False, emoji=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


def tell(text: str) -> None:
    """A line, as it is."""
    words.print(escape(text))


def tell_error(error: Exception | str) -> None:
    """An error in one line."""
    told = "there is not enough memory" if isinstance(error, MemoryError) else str(error)
    errors.print(f"selfsharp: {escape(' '.join(told.split()))}")


def for_each(photos: Sequence[Path], work: Callable[[Path], None]) -> int:
    """Does the work for every photo; tells of the bad ones, and goes on.

    Returns:
        How many failed.
    """
    failed = 0
    for path in photos:
        try:
            work(path)
        except (ValueError, OSError, MemoryError) as error:
            failed += 1
            tell_error(error)
    if failed and len(photos) > 1:
        tell_error(f"{failed} of {len(photos)} photos failed, the others are done")
    return failed


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal, to be told how much is done, and of how much."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    visible = errors.is_terminal
    with Progress(*columns, console=errors, transient=True, disable=not visible) as progress:
        task = progress.add_task(escape(title), total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
