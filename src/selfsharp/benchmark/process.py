"""Runs outside programs as whole processes: with a time limit, and with a meter."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    Attributes:
        code: exit code; negative if a signal ended it.
        seconds: from its start to its end.
        last_words: the last line that it wrote to standard error, or else to standard output.
        timed_out: whether it was stopped at the time limit.
    """

    code: int
    seconds: float
    last_words: str
    timed_out: bool = False


@dataclass(frozen=True)
class Metered(Ended):
    """How a metered process ended.

    Attributes:
        megabytes: most memory that it held at a time (1 MB = 10^6 bytes).
    """

    megabytes: float = 0.0


def run_process(command: Sequence[str], timeout: float) -> Ended:
    """Runs a command, no shell between; it and its children are stopped at the time limit.

    Raises:
        OSError: the program cannot be started.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Children of its own belong to its session and end with it.
        start_new_session=True,
    )
    _running.add(process)
    try:
        out, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        _stop(process)
        return Ended(process.returncode, time.perf_counter() - start, "", timed_out=True)
    except BaseException:
        _stop(process)
        raise
    finally:
        _running.discard(process)
    lines = (errors.strip() or out.strip()).decode("utf-8", "replace").splitlines()
    last = " ".join(lines[-1].split())[:200] if lines else ""
    return Ended(process.returncode, time.perf_counter() - start, last)


def run_metered(command: Sequence[str], timeout: float) -> Metered:
    """Runs a command as `run_process` does, and tells how much memory it held at most.

    A process starts as a copy of the one that starts it, memory and all. So a small one
    starts it, and only that copy of some 10 MB can be counted with it.

    Raises:
        OSError: the meter cannot be started.
    """
    with tempfile.TemporaryDirectory(prefix="selfsharp-meter-") as folder:
        reading = Path(folder) / "reading.json"
        meter = [sys.executable, "-I", "-S", "-c", METER, str(reading), *command]
        ended = run_process(meter, timeout)
        if not reading.exists():
            return Metered(ended.code or 1, ended.seconds, ended.last_words, ended.timed_out)
        seen = json.loads(reading.read_text(encoding="utf-8"))
    return Metered(seen["code"], seen["seconds"], ended.last_words, megabytes=seen["megabytes"])


METER = """
import json, os, sys, time
start = time.perf_counter()
process = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(process, 0)
seconds = time.perf_counter() - start
unit = 1 if sys.platform == "darwin" else 1024
reading = {"seconds": seconds, "code": os.waitstatus_to_exitcode(status),
           "megabytes": usage.ru_maxrss * unit / 1e6}
with open(sys.argv[1], "w") as file:
    json.dump(reading, file)
"""
"""A small program: starts another, waits for it, and writes its time and largest memory."""


_running: set[subprocess.Popen[bytes]] = set()


def stop_processes() -> None:
    """Ends every program that runs, whatever thread waits for it."""
    for process in list(_running):
        _kill(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and all that it started, and waits for its end."""
    _kill(process)
    process.communicate()


def _kill(process: subprocess.Popen[bytes]) -> None:
    if not hasattr(os, "killpg"):
        process.kill()
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
