"""Gain against blur radius, for every kind of blur."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from selfsharp.benchmark.measure import Bench, Caption, Figures, Record, Scene
from selfsharp.benchmark.plots import Panel
from selfsharp.benchmark.report import Report, figures_of, timings_of
from selfsharp.benchmark.row import Row, Truth
from selfsharp.benchmark.statistics import bootstrap_interval, gain, mean_of
from selfsharp.benchmark.tables import Table
from selfsharp.blur.kinds import KINDS
from selfsharp.blur.regions import blob
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import Image
from selfsharp.metrics import psnr

PICTURES = "a folder of sharp photos, such as Kodak's 24, or examples/photos/sharp for a try"
ROWS = ("model",)
RADII = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 12.0)
"""Blur radii in pixels."""
ABOUT = """\
Every photo is blurred in a blob of 30 % of its area, by every kind of blur and by radii from 0 to
12 px (RMS distance of the PSF from its centroid), on the values as displayed, with noise of sigma
1/255, at 8 bit. A photo has one blob, and for each kind one path or direction, at all radii.
Figures: mean gain over the input in the blob, PSNR on RGB at 8 bit, in dB; bands and brackets are
the 95 % interval of the mean over photos (bootstrap). At radius 0 nothing is blurred: what is
lost there is harm."""


def run(bench: Bench) -> Report:
    """Measures every row at every radius of every kind."""
    bench.captioned = Caption("gain")
    scenes = [
        partial(_scene, bench, number, photo, path, kind, radius)
        for kind in KINDS.names()
        for radius in RADII
        for number, (photo, path) in enumerate(bench.photos().items())
    ]
    bench.measure(scenes, score)
    seed = bench.settings.seed
    measured = [row for row in bench.rows if any(r.row == row.name for r in bench.records)]
    return Report(
        about=ABOUT,
        tables=[_table(row, bench.records, seed) for row in measured],
        panels=[_panel(row, bench.records, seed) for row in measured],
        figures=figures_of(bench),
        timings=timings_of(bench),
    )


def _scene(bench: Bench, number: int, photo: str, path: Path, kind: str, radius: float) -> Scene:
    return make_scene(photo, bench.read(path), kind, radius, [bench.settings.seed, number])


def make_scene(photo: str, sharp: Image, kind: str, radius: float, seed: list[int]) -> Scene:
    """A photo whose blob is blurred by a kind and radius; at 0 the blob is what is looked at."""
    height, width = sharp.shape[:2]
    region = blob(height, width, np.random.default_rng([*seed, 0]), share=0.3)
    psf = KINDS.load(kind).psf(radius, np.random.default_rng([*seed, 1]))
    camera = Camera(light="display", noise=1 / 255)
    sample = blur_region(sharp, psf, region, camera, np.random.default_rng([*seed, 2]))
    mask = (region > 0).astype(np.float32)
    return Scene(photo, sample.blurred, sharp, Truth(mask, psf), _cell(kind, radius))


def score(scene: Scene, image: Image) -> Figures:
    """Gain in the blob."""
    assert scene.sharp is not None
    assert scene.truth is not None
    inside = scene.truth.mask > 0
    after, before = (psnr.measure(each, scene.sharp, inside) for each in (image, scene.image))
    return {"gain": gain(after, before)}


def _cell(kind: str, radius: float) -> str:
    return f"{kind} {radius:g} px"


def _gains(row: Row, records: Sequence[Record], kind: str, radius: float) -> list[float]:
    of_cell = [r for r in records if (r.row, r.cell) == (row.name, _cell(kind, radius))]
    return [record.figures["gain"] for record in of_cell if record.figures]


def _table(row: Row, records: Sequence[Record], seed: int) -> Table:
    """A line for each radius, a column for each kind."""
    lines = []
    for radius in RADII:
        cells = []
        for kind in KINDS.names():
            gains = _gains(row, records, kind, radius)
            low, high = bootstrap_interval(gains, seed) if gains else (0.0, 0.0)
            told = f"{mean_of(gains).value:+z.2f} [{low:+z.2f}, {high:+z.2f}]" if gains else "-"
            cells.append(told)
        lines.append([f"{radius:g}", *cells])
    errors = dict.fromkeys(r.error for r in records if r.row == row.name and r.error)
    notes = [f"{row.name} failed on some photos: {'; '.join(errors)}."] if errors else []
    title = f"{row.name}: gain in dB by blur radius in px"
    return Table(title, ["radius", *KINDS.names()], lines, notes)


def _panel(row: Row, records: Sequence[Record], seed: int) -> Panel:
    """A curve for each kind."""
    lines, bands = {}, {}
    for kind in KINDS.names():
        gains = {radius: _gains(row, records, kind, radius) for radius in RADII}
        found = {radius: of_radius for radius, of_radius in gains.items() if of_radius}
        if found:
            lines[kind] = [(radius, mean_of(g).value) for radius, g in found.items()]
            bands[kind] = [(radius, *bootstrap_interval(g, seed)) for radius, g in found.items()]
    return Panel(row.name, "blur radius, px", "gain in the blob, dB", lines, bands)
