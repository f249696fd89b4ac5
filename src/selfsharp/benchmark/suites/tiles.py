"""Tiles against one whole pass: whether a photo shows where it was parted."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from selfsharp.benchmark.measure import Bench, Figures, Record
from selfsharp.benchmark.report import Report, figures_of, picked, timings_of
from selfsharp.benchmark.sheet import Strip, cut_strip, square_around
from selfsharp.benchmark.tables import Table
from selfsharp.blur.estimate import Quality
from selfsharp.blur.kinds import shake
from selfsharp.blur.psf import Psf
from selfsharp.blur.regions import everywhere
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import Image
from selfsharp.restore.restorer import ONE_PASS, STEP, Restorer

PICTURES = "a folder of sharp photos of several tiles, such as the sharp frames of gopro/test"
ROWS = ()
EXTENTS = (12.0, 16.0, 20.0, 24.0)
"""Extents of the hand shake in pixels; photos take turns."""
AMPLIFIED = 20
"""What differences are multiplied by to be seen."""
GREY_LEVEL = 1 / 255
ABOUT = f"""\
Every photo is blurred all over by a hand shake of 12 to 24 px, on the values as displayed, with
noise of sigma 1/255, at 8 bit, and restored twice: in tiles, and in one whole pass. `best` and
`fast` are told the PSF; `network alone` knows none. `largest`: difference of any channel of any
pixel, before rounding, in grey levels; 1 is what two neighbouring values of a file differ by.
`over 1`: share of pixels that differ by more. `tiles`: how many there were, in the mean. The sheet
shows where photos differ most, and differences {AMPLIFIED} times as large as they are."""


@dataclass(frozen=True)
class Way:
    """One way to restore a shaken photo, in tiles and in one pass.

    Attributes:
        name: what tables call it.
        tiles: restores in tiles.
        whole: restores in one pass.
        told: whether both are told the PSF.
    """

    name: str
    tiles: Restorer
    whole: Restorer
    told: bool


def run(bench: Bench) -> Report:
    """Restores every photo in both manners by every way of every model."""
    ways = [way for name in bench.settings.models for way in _ways(name, bench.settings.threads)]
    tasks = [
        partial(_measure, bench, ways, *photo, number)
        for number, photo in enumerate(bench.photos().items())
    ]
    for records, strip in bench.work(tasks):
        bench.records += records
        bench.strips.append(strip)
    worst = {
        photo: max(r.figures["largest"] for r in bench.records if r.photo == photo)
        for photo in bench.measured
    }
    strips = sorted(bench.strips, key=lambda strip: -worst[strip.photo])
    return Report(
        about=ABOUT,
        tables=[_table(bench.records)],
        details=[_by_photo(bench.records)],
        sheets={"": picked(strips, bench.settings.sheet)},
        figures=figures_of(bench),
        timings=timings_of(bench),
    )


def _ways(model: str, threads: int | None) -> list[Way]:
    """By both efforts where a PSF is told, and by the network alone."""

    def way(told: str, quality: Quality, *, alone: bool = False) -> Way:
        half = "network" if alone else None
        tiles, whole = (
            Restorer(model, threads, half, quality=quality, step=step) for step in (STEP, ONE_PASS)
        )
        return Way(f"{tiles.card.name}, {told}", tiles, whole, not alone)

    efforts = [way("best", "best"), way("fast", "fast")]
    # A model that undoes nothing has no use for a PSF.
    told = [one for one in efforts if one.tiles.undoes]
    return [*told, way("network alone", "best", alone=True)]


def _measure(
    bench: Bench, ways: Sequence[Way], photo: str, path: Path, number: int
) -> tuple[list[Record], Strip]:
    """What every way makes of one photo."""
    sharp, generator = bench.read(path), np.random.default_rng([bench.settings.seed, number])
    psf = shake.psf_of_extent(EXTENTS[number % len(EXTENTS)], generator)
    region = everywhere(*sharp.shape[:2])
    image = blur_region(sharp, psf, region, Camera("display", noise=1 / 255), generator).blurred
    records, panels, total = [], {"input": image}, np.zeros_like(image)
    for way in ways:
        start = time.perf_counter()
        figures, apart = differences(way, image, psf)
        seconds, megapixels = time.perf_counter() - start, sharp.shape[0] * sharp.shape[1] / 1e6
        records.append(Record("", photo, way.name, figures, seconds, megapixels))
        shown = np.clip(apart * np.float32(AMPLIFIED * GREY_LEVEL), 0, 1)
        panels[f"{way.name}: {AMPLIFIED} x"] = shown
        total += apart
    row, column = divmod(int(total.max(axis=2).argmax()), total.shape[1])
    window = square_around((slice(row, row), slice(column, column)), image)
    return records, cut_strip("", photo, image, window, panels)


def differences(way: Way, image: Image, psf: Psf) -> tuple[Figures, Image]:
    """How far tiles are from one pass, and where."""
    counts: list[int] = []
    mask, known = everywhere(*image.shape[:2]), psf if way.told else None
    tiled = way.tiles.restore(image, mask, progress=lambda _, all_: counts.append(all_), psf=known)
    apart = np.abs(tiled.image - way.whole.restore(image, mask, psf=known).image) / GREY_LEVEL
    figures = {
        "tiles": float(counts[0]),
        "largest": float(apart.max()),
        "over 1": float((apart.max(axis=2) > 1).mean()),
        "mean": float(apart.mean(dtype=np.float64)),
    }
    return figures, apart


def _table(records: Sequence[Record]) -> Table:
    """A line for each way: the largest of all photos, and means over them."""
    lines = []
    for row in dict.fromkeys(record.row for record in records):
        of_row = [record.figures for record in records if record.row == row]
        tiles, over, mean = (
            float(np.mean([figures[key] for figures in of_row]))
            for key in ("tiles", "over 1", "mean")
        )
        largest = sorted(figures["largest"] for figures in of_row)
        told = [f"{largest[-1]:.2f}", f"{np.median(largest):.2f}", f"{over:.4%}", f"{mean:.5f}"]
        lines.append([row, f"{tiles:.1f}", *told])
    return Table("", ["way", "tiles", "largest", "median photo", "over 1", "mean"], lines)


def _by_photo(records: Sequence[Record]) -> Table:
    """The largest difference in every photo."""
    ways = list(dict.fromkeys(record.row for record in records))
    found = {(record.photo, record.row): record.figures["largest"] for record in records}
    photos = dict.fromkeys(record.photo for record in records)
    lines = [[photo, *(f"{found[photo, way]:.2f}" for way in ways)] for photo in photos]
    return Table("Largest difference by photo, grey levels", ["photo", *ways], lines)
