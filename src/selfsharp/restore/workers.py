"""Processes that restore photos side by side, and of which one may die without the others."""

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from selfsharp.blur.estimate import Quality
from selfsharp.image import MAX_MEGAPIXELS, PhotoError
from selfsharp.model_folder import ModelError
from selfsharp.restore.photo_file import restore_file
from selfsharp.restore.restorer import Restorer
from selfsharp.restore.runtime import USUAL


@dataclass(frozen=True)
class Options:
    """How to restore: what `Restorer` and `restore_file` take.

    Attributes:
        model: name of a bundled model, or the path of a model folder.
        strength: how much of the restoration to blend in, 0 to 1.
        threads: of each process; the cores are shared out evenly when None.
        overwrite: whether to replace results.
        max_megapixels: larger photos are refused.
        backend: what runs the model's graphs.
        quality: how much effort goes into estimating a PSF.
    """

    model: str = "base"
    strength: float = 1.0
    threads: int | None = None
    overwrite: bool = False
    max_megapixels: float = MAX_MEGAPIXELS
    backend: str = USUAL
    quality: Quality = "best"


class _Worker:
    """A process with the line to it, and the number of the task that it is at."""

    def __init__(self, options: Options, threads: int) -> None:
        context = get_context("spawn")
        self.line, other = context.Pipe()
        self.process: BaseProcess = context.Process(
            target=_serve, args=(other, options, threads), daemon=True
        )
        self.process.start()
        other.close()
        self.task: int | None = None
        self.started = 0.0

    def give(self, number: int, task: tuple[Path, Path]) -> None:
        self.task, self.started = number, time.perf_counter()
        with suppress(OSError):  # If it is dead, that is seen when its answer is due.
            self.line.send(task)

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.line.close()


def work_off(
    tasks: Sequence[tuple[Path, Path]], options: Options, jobs: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Restores photos in `jobs` processes; yields each one's number and what became of it.

    That is its status and what goes with it: share, seconds, lost, error. When a process dies,
    by a decoder's fault or for want of memory, its photo has failed, and another takes over.

    Raises:
        ModelError: there is no such model, or its files are not what its card says.
    """
    threads = options.threads or max(1, (os.cpu_count() or 1) // max(jobs, 1))
    workers = [_Worker(options, threads) for _ in range(jobs)]
    waiting, left = list(enumerate(tasks))[::-1], len(tasks)
    try:
        for worker in workers:
            worker.give(*waiting.pop())
        while left:
            lines = {worker.line: worker for worker in workers if worker.task is not None}
            for line in connection.wait(list(lines)):
                worker = lines[line]  # type: ignore[index]
                number, seconds = worker.task, time.perf_counter() - worker.started
                assert number is not None
                try:
                    found = worker.line.recv()
                except (EOFError, OSError):
                    found = {"status": "failed", "error": _cause_of_death(worker, tasks[number])}
                    worker.stop()
                    workers.remove(worker)
                    worker = _Worker(options, threads)
                    workers.append(worker)
                if isinstance(found, ModelError):
                    raise found
                left -= 1
                worker.task = None
                if waiting:
                    worker.give(*waiting.pop())
                yield number, {"seconds": round(seconds, 2)} | found
    finally:
        for worker in workers:
            worker.stop()


def _cause_of_death(worker: _Worker, task: tuple[Path, Path]) -> str:
    worker.process.join()
    return (
        f"{task[0]} made its process die (exit code {worker.process.exitcode}); it is damaged, "
        "or there is not enough memory: try fewer --jobs"
    )


def _serve(line: connection.Connection, options: Options, threads: int) -> None:
    """Restores what comes down the line, until nothing more does."""
    # Ctrl-C is for the parent, which then ends this process; so does the parent's death.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    restorer = None
    with suppress(EOFError, OSError):
        while True:
            path, out = line.recv()
            try:
                restorer = restorer or Restorer(
                    options.model, threads, backend=options.backend, quality=options.quality
                )
                line.send(_restored(restorer, path, out, options))
            except ModelError as error:
                line.send(error)


def _die_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _restored(restorer: Restorer, path: Path, out: Path, options: Options) -> dict[str, Any]:
    try:
        result = restore_file(
            restorer,
            path,
            out,
            strength=options.strength,
            overwrite=options.overwrite,
            max_megapixels=options.max_megapixels,
        )
    except PhotoError as error:
        # A process whose parent was killed may have finished it a moment ago.
        taken = isinstance(error.__cause__, FileExistsError)
        return {"status": "skipped" if taken else "failed", "error": "" if taken else str(error)}
    except (ValueError, OSError, MemoryError) as error:
        return {"status": "failed", "error": str(error) or type(error).__name__}
    status = "restored" if result.changed else "unchanged"
    return {"status": status, "share": result.share, "lost": result.lost}
