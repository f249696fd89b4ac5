"""Seconds and memory of whole processes, against megapixels and against the blurred share."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import numpy as np

from selfsharp.benchmark.inputs import mirrored, sides_of, write_inputs
from selfsharp.benchmark.large_readings import (
    MEGAPIXELS,
    SHARE,
    LargeReading,
    asked,
    read_large,
    table_of_large,
)
from selfsharp.benchmark.measure import Bench
from selfsharp.benchmark.plots import Panel
from selfsharp.benchmark.programs import Program, Used, meter, programs_of
from selfsharp.benchmark.region_readings import (
    PHOTOS,
    RegionReading,
    read_regions,
    table_of_regions,
)
from selfsharp.benchmark.report import Report
from selfsharp.benchmark.statistics import fit_line
from selfsharp.benchmark.tables import Table
from selfsharp.blur.kinds import shake
from selfsharp.blur.regions import blob, everywhere
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import Image

PICTURES = "a folder of photos, the first of which is mirrored to every size"
ROWS = ()
SIZES = (1.0, 4.0, 12.0)
"""Megapixels, at `USUAL` of the photo blurred."""
SHARES = (0.0, 0.2, 0.5, 1.0)
"""Blurred shares of the photo, at `SIZE` megapixels."""
SIZE = 12.0
"""Megapixels while the blurred share varies."""
USUAL = 0.2
"""Blurred share while the size varies."""
REPEATS = 3
"""Runs that the median is taken of, after one that is not counted."""
EXTENT = 18.0
"""Extent of the hand shake in pixels."""
ABOUT = f"""\
A whole process for every photo: start, decoding and encoding a JPEG included. The photo is
mirrored to each size, and blurred by a hand shake in a blob; the mask is given, so that the
blurred share is what it says. Seconds: median of {REPEATS} runs, one at a time, after one that is
not counted. Memory: the most that the process held at a time. Lines are fitted by least squares."""


@dataclass(frozen=True)
class Load:
    """What a program is given: megapixels, and the blurred share of them."""

    megapixels: float
    share: float


@dataclass(frozen=True)
class Reading:
    """What a program took for a load."""

    program: Program
    load: Load
    used: Used


def run(bench: Bench) -> Report:
    """Measures every model in each of its ways, and every outside program.

    Raises:
        ValueError: no part of it is asked for.
    """
    loads = [Load(size, USUAL) for size in SIZES]
    loads += [load for share in SHARES if (load := Load(SIZE, share)) not in loads]
    paths = list(bench.photos().values())
    image, parts = bench.read(paths[0]), bench.settings.parts
    if not parts:
        raise ValueError("--parts names nothing to measure; give region, sizes or large")
    timeout = bench.settings.peer_timeout
    programs = programs_of(bench.settings)
    counts = {
        "region": min(PHOTOS, len(paths)) * len(programs),
        "sizes": len(loads) * len(programs),
        "large": len(asked(programs)),
    }
    total = sum(counts[part] for part in set(parts))
    readings: list[Reading] = []
    regions: list[RegionReading] = []
    large: list[LargeReading] = []
    with (
        tempfile.TemporaryDirectory(prefix="selfsharp-speed-") as name,
        bench.progress("speed") as advance,
    ):
        folder, done = Path(name), count()

        def step() -> None:
            advance(next(done), total)

        for load in loads if "sizes" in parts else []:
            write_load(image, load, bench.settings.seed, folder)
            for program in programs:
                step()
                used = meter(program, folder, REPEATS, timeout, warm_up=True)
                readings.append(Reading(program, load, used))
        if "region" in parts:
            regions = read_regions(bench, programs, folder, step)
        if "large" in parts:
            large = read_large(bench, image, programs, folder, step)
    read = [
        ({"megapixels": r.load.megapixels, "share": r.load.share}, r.program, r.used)
        for r in readings
    ]
    read += [({"megapixels": MEGAPIXELS, "share": SHARE}, r.program, r.used) for r in large]
    for one in regions:
        photo = {"photo": one.photo, "megapixels": one.megapixels}
        read += [({**photo, "region": True}, one.program, one.used)]
        read += [({**photo, "region": False}, one.program, one.sharp)]
    return Report(
        about=ABOUT,
        tables=[
            *([table_of_regions(regions)] if regions else []),
            *([_table(readings)] if readings else []),
            *([table_of_large(large)] if large else []),
            *([_summary(readings)] if readings else []),
        ],
        panels=_panels(readings),
        timings=[
            {
                "program": program.title,
                **load,
                "seconds": round(used.seconds, 4),
                "megabytes": round(used.megabytes, 1),
                **({"error": used.error} if used.error else {}),
            }
            for load, program, used in read
        ],
    )


def write_load(image: Image, load: Load, seed: int, folder: Path) -> None:
    """Writes photo.jpg and mask.png of a size, blurred in a share of the area."""
    height, width = sides_of(load.megapixels)
    large = mirrored(image, height, width)
    generator = np.random.default_rng(seed)
    region = everywhere(height, width)
    if 0 < load.share < 1:
        region = blob(height, width, generator, load.share)
    elif load.share == 0:
        region = np.zeros_like(region)
    psf = shake.psf_of_extent(EXTENT, generator)
    sample = blur_region(large, psf, region, Camera(light="display"), generator)
    write_inputs(sample.blurred, sample.mask, folder)


def _table(readings: Sequence[Reading]) -> Table:
    """Every reading."""
    usual = f"{SIZE:g} MP, {USUAL:.0%}"
    heads = ["program", "megapixels", "blurred", "seconds", f"ratio to {usual}", "memory, MB"]
    at_usual = {r.program.title: r.used.seconds for r in readings if r.load == Load(SIZE, USUAL)}
    lines = []
    for title in dict.fromkeys(reading.program.title for reading in readings):
        of_program = [reading for reading in readings if reading.program.title == title]
        for reading in sorted(of_program, key=lambda r: (r.load.megapixels, r.load.share)):
            place = [title, f"{reading.load.megapixels:g}", f"{reading.load.share:.0%}"]
            if reading.used.error:
                lines.append([*place, reading.used.error, "-", "-"])
                continue
            whole = at_usual[title]
            ratio = f"{reading.used.seconds / whole:.2f}" if whole > 0 else "-"
            lines.append(
                [*place, f"{reading.used.seconds:.2f}", ratio, f"{reading.used.megabytes:.0f}"]
            )
    return Table("Readings", heads, lines)


def _points(
    readings: Sequence[Reading], title: str, *, by_size: bool
) -> list[tuple[Load, Reading]]:
    """The readings of one program along one axis, in its order."""
    axis = [Load(s, USUAL) for s in SIZES] if by_size else [Load(SIZE, s) for s in SHARES]
    of_program = {r.load: r for r in readings if r.program.title == title and not r.used.error}
    return [(load, of_program[load]) for load in axis if load in of_program]


def _fit(readings: Sequence[Reading], title: str, *, by_size: bool) -> tuple[float, float] | None:
    """Slope and start of seconds along one axis; None of fewer than two points."""
    points = _points(readings, title, by_size=by_size)
    if len(points) < 2:
        return None
    along = [load.megapixels if by_size else load.share for load, _ in points]
    return fit_line(along, [reading.used.seconds for _, reading in points])


def _summary(readings: Sequence[Reading]) -> Table:
    """What follows from the readings: slopes, what sharp photos save, what threads give."""
    heads = ["program", "s per megapixel", "+ s per photo", "sharp : fully blurred"]
    heads += ["start of the line : fully blurred", "speed-up"]
    lines = []
    for program in dict.fromkeys(reading.program for reading in readings):
        fit = _fit(readings, program.title, by_size=True)
        along = _fit(readings, program.title, by_size=False)
        shares = [
            reading.used.seconds for _, reading in _points(readings, program.title, by_size=False)
        ]
        alone = _points(readings, replace(program, threads=1).title, by_size=True)
        own = _points(readings, program.title, by_size=True)
        speed_up = "-"
        if program.threads is not None and alone and len(alone) == len(own):
            seconds = [
                sum(reading.used.seconds for _, reading in points) for points in (alone, own)
            ]
            speed_up = f"{seconds[0] / seconds[1]:.2f}"
        lines.append(
            [
                program.title,
                *([f"{fit[0]:.2f}", f"{fit[1]:.2f}"] if fit else ["-", "-"]),
                f"1 : {shares[-1] / shares[0]:.1f}" if len(shares) == len(SHARES) else "-",
                f"{along[1] / shares[-1]:.0%}" if along else "-",
                speed_up,
            ]
        )
    notes = [
        f"Slopes at {USUAL:.0%} blurred; speed-up over one thread, all sizes together.",
        f"Start of the line: seconds at no blur by the line over blurred shares, {SIZE:g} MP.",
    ]
    return Table("Slopes and ratios", heads, lines, notes)


def _panels(readings: Sequence[Reading]) -> list[Panel]:
    """Seconds and memory against size and share."""
    titles = dict.fromkeys(reading.program.title for reading in readings)
    panels = []
    for by_size in (True, False):
        across = "megapixels" if by_size else "blurred share"
        title = f"{USUAL:.0%} blurred" if by_size else f"{SIZE:g} megapixel"
        found = {name: _points(readings, name, by_size=by_size) for name in titles}
        found = {name: points for name, points in found.items() if points}
        if not found:
            continue
        place = {
            name: [load.megapixels if by_size else load.share for load, _ in points]
            for name, points in found.items()
        }
        fits = {n: fit for n in found if (fit := _fit(readings, n, by_size=by_size)) is not None}
        seconds = {
            n: list(zip(place[n], (r.used.seconds for _, r in found[n]), strict=True))
            for n in found
        }
        memory = {
            n: list(zip(place[n], (r.used.megabytes for _, r in found[n]), strict=True))
            for n in found
        }
        panels.append(Panel(title, across, "seconds", seconds, fits=fits))
        panels.append(Panel(title, across, "memory, MB", memory))
    return panels
