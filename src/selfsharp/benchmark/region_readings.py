"""What one blurred region takes, from file to file, photo by photo."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from selfsharp.benchmark.measure import Bench
from selfsharp.benchmark.programs import MASK, PHOTO, Program, Used, meter
from selfsharp.benchmark.suites.table1 import shaken_blob
from selfsharp.benchmark.tables import Table
from selfsharp.blur.synthesis import Sample
from selfsharp.image import Photo, write_photo
from selfsharp.picture import write_picture

PHOTOS = 6
"""Photos whose blurred region is restored, at the size that they come in."""


@dataclass(frozen=True)
class RegionReading:
    """What a program took for a photo with a blurred region."""

    program: Program
    photo: str
    megapixels: float
    used: Used


def read_regions(
    bench: Bench, programs: Sequence[Program], folder: Path, advance: Callable[[], None]
) -> list[RegionReading]:
    """Times every program on the first `PHOTOS` photos, partly shaken as `table1` shakes them.

    Args:
        folder: where photos are written.
        advance: called before each reading.
    """
    readings = []
    for number, (name, path) in enumerate(list(bench.photos().items())[:PHOTOS]):
        sharp = bench.read(path)
        write_sample(shaken_blob(sharp, [bench.settings.seed, number]), folder)
        for program in programs:
            advance()
            used = meter(program, folder, 1, bench.settings.peer_timeout, warm_up=number == 0)
            size = sharp.shape[0] * sharp.shape[1] / 1e6
            readings.append(RegionReading(program, name, size, used))
    return readings


def write_sample(sample: Sample, folder: Path) -> None:
    """Writes a blurred photo and its mask where programs read them."""
    write_photo(Photo(sample.blurred), folder / PHOTO, overwrite=True)
    white = (sample.mask * 255).astype(np.uint8)[:, :, None].repeat(3, axis=2)
    write_picture(white, folder / MASK, overwrite=True)


def table_of_regions(readings: Sequence[RegionReading]) -> Table:
    """A line for each program: median and most of the photos, beside the slowest program."""
    titles = dict.fromkeys(reading.program.title for reading in readings)
    used = {t: [r.used for r in readings if r.program.title == t] for t in titles}
    whole = {t: of for t, of in used.items() if not any(one.error for one in of)}
    middles = {t: median(one.seconds for one in of) for t, of in whole.items()}
    peaks = {t: max(one.megabytes for one in of) for t, of in whole.items()}
    slowest = max(middles, key=lambda title: middles[title], default="")
    heads = ["program", "photos", "seconds", "most", "faster", "memory, MB", "less memory"]
    lines = []
    for title, of in used.items():
        if title not in whole:
            error = next(one.error for one in of if one.error)
            lines.append([title, str(len(of)), error, "-", "-", "-", "-"])
            continue
        lines.append(
            [
                title,
                str(len(of)),
                f"{middles[title]:.2f}",
                f"{max(one.seconds for one in of):.2f}",
                f"{middles[slowest] / middles[title]:.1f}",
                f"{peaks[title]:.0f}",
                f"{peaks[slowest] / peaks[title]:.1f}",
            ]
        )
    notes = [
        "Photos as they come, shaken in a blob of 30 % as in `table1`, median and most of one run "
        "each; memory: the most of all. "
        f"Faster, less memory: so many times, beside {slowest or 'the slowest'}.",
    ]
    return Table("A region", heads, lines, notes)
