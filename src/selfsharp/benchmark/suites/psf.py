"""Estimated PSFs against the true ones, and whether the trust in them is earned."""

import math
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np

from selfsharp.benchmark.measure import Bench, Figures, Record
from selfsharp.benchmark.plots import Panel
from selfsharp.benchmark.report import Report, figures_of, timings_of
from selfsharp.benchmark.tables import Table
from selfsharp.blur.estimate import Estimate
from selfsharp.blur.kinds import shake
from selfsharp.blur.psf import Psf, similarity
from selfsharp.blur.regions import everywhere
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import Image, Plane
from selfsharp.metrics import psnr
from selfsharp.restore.partition import Partition
from selfsharp.restore.proposal import propose
from selfsharp.restore.restorer import Restorer

PICTURES = "a folder of sharp photos, such as Kodak's 24, or examples/photos/sharp for a try"
ROWS = ()
SIDES = (64, 96, 128, 192, 256, 384, 0)
"""Sides of the blurred square in pixels; 0 is the whole photo."""
EXTENTS = (6.0, 10.0, 16.0, 24.0, 32.0, 40.0)
"""Extents of the hand shake in pixels."""
BINS = (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
"""Borders between which predictions are counted together."""
PREDICTIONS = {
    "trust, mask found": ("trust", "found gain"),
    "confidence": ("confidence", "unchecked gain"),
}
"""What is predicted, by its title: names of the prediction and of the gain it tells of."""
ABOUT = """\
Every photo is blurred by hand shakes, on the values as displayed, with noise of sigma 1/255, at
8 bit, in a square at a random place or as a whole; extents take turns from photo to photo and side
to side, so that six photos have every side with every extent once, and 24 four times. The mask is
given and the PSF estimated from it. `similarity`: largest normalised correlation with the true PSF
over all shifts, to a quarter pixel (Hu and Yang 2012). `gain`: what undoing the estimate, with no
network after it, gains over the input in the square, PSNR on RGB at 8 bit, in dB. Medians, and
quartiles in brackets, are of the cases with an estimate; `no estimate` is the share of those
without: too small a part, or an estimate that is rather wrong, or fits only some places of the
part. `seconds`: median time of the estimate on one core, whatever else runs there.

Predictions: `confidence` is told of every estimate by how little learnt rounds change it, and by
how it gathers gradients, as the probability that a generator that is shown it gains more than one
that is not; under .55 it is refused, but counts here. `trust` is what the check says before
anything is restored, where the part was found: how probably it was blurred by a movement, and is
not soft by nature. All of it takes about ten minutes for 24 photos on two cores."""


@dataclass(frozen=True)
class Case:
    """A photo with a square of it blurred by a known PSF."""

    image: Image
    sharp: Image
    mask: Plane
    psf: Psf


def run(bench: Bench) -> Report:
    """Estimates the PSF of every case with every model's detector, and undoes it."""
    restorers = [Restorer(name, bench.settings.threads) for name in bench.settings.models]
    photos = list(bench.photos().items())
    tasks = [
        partial(_measure, bench, restorers, photo, number, place)
        for number, photo in enumerate(photos)
        for place in range(len(SIDES))
    ]
    for records in bench.work(tasks):
        bench.records += records
    largest = make_case(bench.read(photos[0][1]), 0, EXTENTS[-1], [bench.settings.seed])
    memory = (
        "Arrays of an estimate from a whole photo, networks left out, at most: "
        f"{_peak(restorers[0], largest)} MB."
    )
    tables, panels = [], []
    for name in dict.fromkeys(record.row for record in bench.records):
        found = [record for record in bench.records if record.row == name]
        sides, extents = (_by(key, found) for key in ("side", "extent"))
        tables += [
            _table(f"{name}: by side of the square, px", sides, [memory]),
            _table(f"{name}: by extent of the shake, px", extents),
            _grid(f"{name}: median similarity, side by extent, px", found),
            _predictions(f"{name}: predicted, and how often it is so", found),
        ]
        panels += [
            _similarities(f"{name}: similarity by side", "side of the square, px", found, "side"),
            _similarities(f"{name}: similarity by extent", "extent, px", found, "extent"),
            _reliability(f"{name}: calibration, with counts", found),
        ]
    return Report(
        about=ABOUT,
        tables=tables,
        panels=panels,
        figures=figures_of(bench),
        timings=timings_of(bench),
    )


def make_case(sharp: Image, side: int, extent: float, seed: list[int]) -> Case:
    """A photo with a square of a side, or all of it where that is 0, blurred by a hand shake."""
    generator = np.random.default_rng(seed)
    psf = shake.psf_of_extent(extent, generator)
    height, width = sharp.shape[:2]
    region = everywhere(height, width)
    if side:
        row, column = (int(generator.integers(length - side + 1)) for length in (height, width))
        region = np.zeros_like(region)
        region[row : row + side, column : column + side] = 1
    sample = blur_region(sharp, psf, region, Camera("display", noise=1 / 255), generator)
    return Case(sample.blurred, sharp, region, psf)


def measure_case(restorer: Restorer, case: Case) -> tuple[Figures, float]:
    """Figures of one case, and how many seconds of one core the estimate took."""
    figures: Figures = {}
    parts = restorer.find_parts(case.image, case.mask)
    start = time.thread_time()
    estimate = restorer.judge(case.image, parts).estimate
    seconds = time.thread_time() - start
    if estimate:
        figures["similarity"] = similarity(estimate.psf, case.psf)
        figures["gain"] = _gain(case, parts, estimate)
    # Whether confidence is earned is told by those that are refused, too.
    unchecked = estimate or restorer.estimate(case.image, parts)
    if unchecked:
        figures["confidence"] = unchecked.confidence
        figures["unchecked gain"] = _gain(case, parts, unchecked)
    judged = restorer.decide(case.image).judged
    if judged.estimate:
        figures["trust"] = judged.trust
        figures["found gain"] = _gain(case, parts, judged.estimate)
    return figures, seconds


def _measure(
    bench: Bench, restorers: Sequence[Restorer], photo: tuple[str, Path], number: int, place: int
) -> list[Record]:
    """What the estimates of every model are worth on one case; nothing where it does not fit."""
    sharp, side = bench.read(photo[1]), SIDES[place]
    if side > min(sharp.shape[:2]):
        return []
    extent = EXTENTS[(number + place) % len(EXTENTS)]
    case = make_case(sharp, side, extent, [bench.settings.seed, number, place])
    cell = f"{_told(side)}, {extent:g} px"
    area = float(case.mask.sum())
    records = []
    for restorer in restorers:
        measured, seconds = measure_case(restorer, case)
        figures = {"side": float(side), "root of area": math.sqrt(area), "extent": extent}
        name = restorer.card.name
        records.append(Record(cell, photo[0], name, figures | measured, seconds, area / 1e6))
    return records


def _gain(case: Case, parts: Partition, estimate: Estimate) -> float:
    """What undoing an estimate gains in the square, in dB: the mean of its two proposals."""
    first, second = np.split(propose(case.image, parts.gate, estimate.both), 2, axis=2)
    gate = parts.gate[:, :, None]
    restored = case.image + gate * ((first + second) / 2 - case.image)
    inside = case.mask > 0
    before, after = (psnr.measure(each, case.sharp, inside) for each in (case.image, restored))
    return after - before


def _peak(restorer: Restorer, case: Case) -> int:
    """Megabytes of the arrays that live at a time while a PSF is estimated."""
    parts = restorer.find_parts(case.image, case.mask)
    tracemalloc.start()
    try:
        restorer.judge(case.image, parts)
        return round(tracemalloc.get_traced_memory()[1] / 1e6)
    finally:
        tracemalloc.stop()


def _told(value: int | float) -> str:
    return f"{value:g}" if value else "whole"


def _by(key: str, records: Sequence[Record]) -> dict[str, list[Record]]:
    """The records by side or extent, in the order of the settings."""
    order = SIDES if key == "side" else EXTENTS
    found = {
        _told(value): [record for record in records if record.figures[key] == value]
        for value in order
    }
    return {title: of_value for title, of_value in found.items() if of_value}


def _values(records: Sequence[Record], key: str) -> list[float]:
    return [record.figures[key] for record in records if key in record.figures]


def _median(values: Sequence[float], form: str) -> str:
    """Median, and quartiles in brackets."""
    if not values:
        return "-"
    low, middle, high = (format(q, form) for q in np.quantile(values, (0.25, 0.5, 0.75)))
    return f"{middle} [{low}, {high}]"


def _table(title: str, parts: dict[str, list[Record]], notes: Sequence[str] = ()) -> Table:
    """A line for each part of the records, and one for all of them."""
    heads = ["", "cases", "no estimate", "similarity", "gain, dB", "gains", "seconds"]
    lines = []
    for name, found in {**parts, "all": list(chain(*parts.values()))}.items():
        gains = _values(found, "gain")
        lines.append(
            [
                name,
                str(len(found)),
                f"{1 - len(gains) / len(found):.0%}",
                _median(_values(found, "similarity"), ".2f"),
                _median(gains, "+z.2f"),
                f"{np.mean([gain > 0 for gain in gains]):.0%}" if gains else "-",
                f"{np.median([record.seconds for record in found]):.2f}",
            ]
        )
    return Table(title, heads, lines, notes)


def _grid(title: str, records: Sequence[Record]) -> Table:
    """Median similarity: a line for each side, a column for each extent."""
    columns = _by("extent", records)
    lines = []
    for name, found in _by("side", records).items():
        cells = []
        for of_extent in columns.values():
            values = _values([record for record in of_extent if record in found], "similarity")
            cells.append(f"{np.median(values):.2f}" if values else "-")
        lines.append([name, *cells])
    return Table(title, ["side", *columns], lines)


def _binned(records: Sequence[Record], keys: tuple[str, str]) -> list[tuple[float, float, int]]:
    """Mean prediction, share of cases that really gain, and number of cases, bin by bin."""
    predicted, gain = keys
    cases = [record.figures for record in records if predicted in record.figures]
    places = np.digitize([figures[predicted] for figures in cases], BINS[1:-1])
    binned = []
    for place in range(len(BINS) - 1):
        inside = [figures for figures, at in zip(cases, places, strict=True) if at == place]
        if inside:
            mean = float(np.mean([figures[predicted] for figures in inside]))
            share = float(np.mean([figures[gain] > 0 for figures in inside]))
            binned.append((mean, share, len(inside)))
    return binned


def _predictions(title: str, records: Sequence[Record]) -> Table:
    heads = ["prediction", "mean", "really gains", "cases"]
    lines = [
        [name, f"{mean:.2f}", f"{share:.0%}", str(count)]
        for name, keys in PREDICTIONS.items()
        for mean, share, count in _binned(records, keys)
    ]
    return Table(title, heads, lines)


def _reliability(title: str, records: Sequence[Record]) -> Panel:
    lines, labels = {}, {}
    for name, keys in PREDICTIONS.items():
        if binned := _binned(records, keys):
            lines[name] = [(mean, share) for mean, share, _ in binned]
            labels[name] = [str(count) for *_, count in binned]
    return Panel(title, "predicted", "share that really gains", lines, labels=labels, diagonal=True)


def _similarities(title: str, across: str, records: Sequence[Record], key: str) -> Panel:
    """Median and quartiles of the similarity along one axis, two steps of the other together."""
    other, along = ("extent", "root of area") if key == "side" else ("side", "extent")
    groups = list(_by(other, records).items())
    lines, bands = {}, {}
    for pair in (groups[start : start + 2] for start in range(0, len(groups), 2)):
        name = f"{other} {' and '.join(title for title, _ in pair)}"
        points, quartiles = [], []
        for found in _by(key, list(chain(*(of_group for _, of_group in pair)))).values():
            if values := _values(found, "similarity"):
                low, middle, high = (float(q) for q in np.quantile(values, (0.25, 0.5, 0.75)))
                place = float(np.median(_values(found, along)))
                points.append((place, middle))
                quartiles.append((place, low, high))
        if points:
            lines[name], bands[name] = points, quartiles
    return Panel(title, across, "similarity to the true PSF", lines, bands)
