"""The server's side of the worker process: a line to wait in, a time limit, an end."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass

from selfsharp.web.job import Finished, Job, Refused, Told, read_told, to_line

BEAT = 1.0
"""Seconds after which something is told, so that one notices who has gone."""
UNFIT, FAILED = 422, 500


@dataclass(frozen=True)
class Waits:
    """The photo waits until those before it are done."""

    ahead: int


@dataclass(frozen=True)
class Beats:
    """Nothing new; the work goes on."""


class Worker:
    """A process that does one job at a time, first come first served.

    A job that takes too long, or that nobody waits for any more, is ended with its process;
    the next one gets a new process.

    Args:
        seconds: time that one job may take.
        threads: threads the process may use; all cores when None.
    """

    def __init__(self, seconds: float, threads: int | None = None) -> None:
        self._seconds = seconds
        self._threads = threads
        self._line: list[Job] = []
        self._moved = asyncio.Event()
        self._process: Process | None = None
        self._ending: list[Process] = []

    @property
    def waiting(self) -> int:
        """How many jobs wait for another to be done."""
        return max(0, len(self._line) - 1)

    async def do(self, job: Job) -> AsyncGenerator[Told | Waits | Beats]:
        """Does a job in its turn, and tells about it; `Refused` or `Finished` comes last.

        Closing the iterator ends the job. Nothing is awaited on the way out: whoever is
        cancelled is cancelled at every wait.
        """
        self._line.append(job)
        try:
            while ahead := self._ahead_of(job):
                yield Waits(ahead)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._moved.wait(), BEAT)
            async with aclosing(self._work(job)) as tellings:
                async for told in tellings:
                    yield told
        finally:
            self._line = [other for other in self._line if other is not job]
            self._moved.set()
            self._moved = asyncio.Event()

    async def start(self) -> Process:
        """The process, started if it is not there; it can be started before it is needed."""
        if self._process is None:
            # -P: no folder that happens to be the current one is imported from.
            command = [sys.executable, "-P", "-m", "selfsharp.web.work"]
            command += [str(self._threads)] if self._threads else []
            self._process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
        return self._process

    def end(self) -> None:
        """Ends the process, whatever it does."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            process.stdin.close()
            with suppress(ProcessLookupError):
                process.kill()
            self._ending = [one for one in self._ending if one.returncode is None]
            self._ending.append(process)

    async def close(self) -> None:
        """Ends the process and waits until it is gone, and those before it, too."""
        self.end()
        for process in self._ending:
            await process.wait()

    async def _work(self, job: Job) -> AsyncGenerator[Told | Beats]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._seconds
        free = False
        try:
            process = await self.start()
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(to_line(job))
            while loop.time() < deadline:
                try:
                    line = await asyncio.wait_for(process.stdout.readline(), BEAT)
                except TimeoutError:
                    yield Beats()
                    continue
                told = read_told(line) if line else Refused(FAILED, _died(job))
                if isinstance(told, Finished | Refused):
                    free = bool(line)
                    break
                yield told
            else:
                told = Refused(UNFIT, self._too_slow(job))
        finally:
            # A process that has answered is free for the next job; any other is not.
            if not free:
                self.end()
        yield told

    def _ahead_of(self, job: Job) -> int:
        """How many jobs come before this one."""
        return next(place for place, other in enumerate(self._line) if other is job)

    def _too_slow(self, job: Job) -> str:
        return (
            f"{job.shown} takes more than {self._seconds:g} s here; scale it down, "
            "or mark a smaller part of it"
        )


def _died(job: Job) -> str:
    return f"{job.shown} could not be worked on to its end, perhaps for lack of memory"
