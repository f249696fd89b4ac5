"""Whole programs to be timed: selfsharp in each of its ways, and outside programs."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from selfsharp.benchmark.process import run_metered
from selfsharp.benchmark.rows.peer import read_peer
from selfsharp.config import BenchmarkSettings
from selfsharp.model_folder import find_model, read_card

WAYS = (
    ("best", "onnxruntime", 1),
    ("best", "onnxruntime", 2),
    ("fast", "onnxruntime", 2),
    ("best", "openvino", 2),
    ("fast", "openvino", 2),
)
"""Qualities, backends and threads that a model is run with; backends that are installed."""
PHOTO, MASK, OUT = "photo.jpg", "mask.png", "out.jpg"
"""What a program reads and writes in a folder of its own."""


@dataclass(frozen=True)
class Program:
    """Something to run as a process.

    Attributes:
        name: what tables call it.
        threads: how many threads it is told to use; None if it cannot be told.
        command: its command for a photo, its mask, and the file to write.
    """

    name: str
    threads: int | None
    command: Callable[[Path, Path, Path], Sequence[str]]

    @property
    def title(self) -> str:
        """Name and threads."""
        if self.threads is None:
            return self.name
        return f"{self.name}, {self.threads} thread{'s' if self.threads > 1 else ''}"


@dataclass(frozen=True)
class Used:
    """What a program took: seconds and memory, or why there are none.

    Attributes:
        seconds: from its start to its end; the median of its runs.
        megabytes: the most that it held in any of them.
        error: why it has no figures; empty if it has.
    """

    seconds: float = 0.0
    megabytes: float = 0.0
    error: str = ""


def programs_of(settings: BenchmarkSettings) -> list[Program]:
    """Every model in each of `WAYS`, and every outside program."""
    programs = []
    for model in settings.models:
        folder = find_model(model)
        name = read_card(folder).name
        for quality, backend, threads in WAYS:
            if find_spec(backend) is None:
                continue
            start = [sys.executable, "-m", "selfsharp", "restore"]
            end = ["--model", str(folder), "--threads", str(threads), "--overwrite"]
            end += ["--quality", quality, "--backend", backend]

            def command(
                photo: Path, mask: Path, out: Path, start: list[str] = start, end: list[str] = end
            ) -> list[str]:
                return [*start, str(photo), "--mask", str(mask), "-o", str(out), *end]

            programs.append(Program(f"{name}, {quality}, {backend}", threads, command))
    for text in settings.peer:
        peer = read_peer(text)
        programs.append(
            Program(peer.name, None, lambda photo, mask, out, peer=peer: peer.command(photo, out))
        )
    return programs


def meter(program: Program, folder: Path, runs: int, timeout: float, *, warm_up: bool) -> Used:
    """Runs a program on the photo in a folder, one process after the other.

    Args:
        runs: how many of them count.
        timeout: seconds that each may take.
        warm_up: whether one that does not count comes first.
    """
    command = program.command(folder / PHOTO, folder / MASK, folder / OUT)
    counted = []
    for number in range(warm_up + runs):
        ended = run_metered(command, timeout)
        if ended.timed_out:
            return Used(error=f"timed out after {timeout:g} s")
        if ended.code != 0:
            return Used(error=f"code {ended.code}: {ended.last_words}")
        if number >= warm_up:
            counted.append(ended)
    seconds = median(ended.seconds for ended in counted)
    return Used(seconds, max(ended.megabytes for ended in counted))
