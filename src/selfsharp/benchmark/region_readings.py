"""What one blurred region takes, from file to file, photo by photo."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from selfsharp.benchmark.inputs import write_inputs
from selfsharp.benchmark.measure import Bench
from selfsharp.benchmark.programs import Program, Used, meter
from selfsharp.benchmark.suites.table1 import shaken_blob
from selfsharp.benchmark.tables import Table

PHOTOS = 6
"""Photos whose blurred region is restored, at the size that they come in."""


@dataclass(frozen=True)
class RegionReading:
    """What a program took for a photo with a blurred region, and for the same photo without."""

    program: Program
    photo: str
    megapixels: float
    used: Used
    sharp: Used


def read_regions(
    bench: Bench, programs: Sequence[Program], folder: Path, advance: Callable[[], None]
) -> list[RegionReading]:
    """Times every program on the first `PHOTOS` photos, partly shaken as `table1` shakes them.

    Args:
        folder: where photos are written.
        advance: called before each reading.
    """
    readings, timeout = [], bench.settings.peer_timeout
    for number, (name, path) in enumerate(list(bench.photos().items())[:PHOTOS]):
        sharp = bench.read(path)
        size = sharp.shape[0] * sharp.shape[1] / 1e6
        sample = shaken_blob(sharp, [bench.settings.seed, number])
        for program in programs:
            advance()
            # One straight after the other: a machine's speed changes from minute to minute.
            write_inputs(sharp, np.zeros_like(sample.mask), folder)
            plain = meter(program, folder, 1, timeout, warm_up=number == 0)
            write_inputs(sample.blurred, sample.mask, folder)
            used = meter(program, folder, 1, timeout, warm_up=number == 0)
            readings.append(RegionReading(program, name, size, used, plain))
    return readings


def table_of_regions(readings: Sequence[RegionReading]) -> Table:
    """A line for each program: median and most of the photos, beside the slowest program."""
    programs = list(dict.fromkeys(reading.program for reading in readings))
    of_program = {p.title: [r for r in readings if r.program == p] for p in programs}
    whole = {t: of for t, of in of_program.items() if not any(_error(one) for one in of)}
    middles = {t: median(one.used.seconds for one in of) for t, of in whole.items()}
    peaks = {t: max(one.used.megabytes for one in of) for t, of in whole.items()}
    slowest = max(middles, key=lambda title: middles[title], default="")
    heads = ["program", "photos", "seconds", "most", "the same sharp", "the region"]
    heads += ["faster", "memory, MB", "less memory"]
    lines = []
    for program in programs:
        title, of = program.title, of_program[program.title]
        line = [title, str(len(of))]
        if title not in whole:
            error = next(text for one in of if (text := _error(one)))
            lines.append([*line, error, *["-"] * 6])
            continue
        region = median(one.used.seconds - one.sharp.seconds for one in of)
        lines.append(
            [
                *line,
                f"{middles[title]:.2f}",
                f"{max(one.used.seconds for one in of):.2f}",
                f"{median(one.sharp.seconds for one in of):.2f}",
                # Others restore all of a photo, and are not told where it is blurred.
                "-" if program.threads is None else f"{region:.2f}",
                f"{middles[slowest] / middles[title]:.1f}",
                f"{peaks[title]:.0f}",
                f"{peaks[slowest] / peaks[title]:.1f}",
            ]
        )
    notes = [
        "Photos as they come, or their middle, shaken in a blob of 30 % as in `table1`, whole "
        "processes, median and most of one run each; memory: the most of all. The same sharp: "
        "before it was shaken, with an empty mask: start, reading and writing. The region: what "
        "it takes beyond that. Faster, less memory: so many times, beside "
        f"{slowest or 'the slowest'}.",
    ]
    return Table("A region", heads, lines, notes)


def _error(reading: RegionReading) -> str:
    """Why there is no figure, if there is none."""
    return reading.used.error or reading.sharp.error
