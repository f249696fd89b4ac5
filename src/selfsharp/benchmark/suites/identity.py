"""Sharp photos as they are: how much of them comes back bit for bit."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from selfsharp.benchmark.measure import Bench, Caption, Figures, Record, Scene
from selfsharp.benchmark.report import Report, figures_of, scores_of, telling, timings_of
from selfsharp.benchmark.tables import Column, Table, table_of_means, table_of_photos
from selfsharp.image import Image
from selfsharp.metrics import identical, largest_change, psnr

PICTURES = "a folder of sharp photos, such as Kodak's 24, or examples/photos/sharp for a try"
ROWS = ("unsharp_mask", "blind", "model", "peer")
ABOUT = """\
Sharp photos go in as they are, and should come back so. `identical`: share of bit-identical
pixels. `untouched`: share of photos that are identical throughout. `PSNR`: against the photo
itself, RGB, 8 bit, peak 255, in dB; it is infinite when they are equal, means leave that out and
say so. `worse`: share of photos under 45 dB. `largest change`: of any channel of any pixel, in
grey levels. The rows told a mask have no place here."""
VISIBLE = 45.0
"""PSNR in dB against itself under which a photo counts as made worse."""
PSNR = Column("PSNR", "PSNR, dB")
COLUMNS = (
    Column("identical", "identical", ".2%"),
    Column("untouched", "untouched", ".0%"),
    PSNR,
    Column("worse", "worse", ".0%", better="lower"),
    Column("largest change", "largest change", ".1f", better="lower"),
)


def run(bench: Bench) -> Report:
    """Measures every row that needs to be told nothing."""
    bench.captioned = Caption("PSNR", ".1f")
    bench.measure([partial(_scene, bench, *photo) for photo in bench.photos().items()], score)
    records, rows = bench.records, bench.rows
    return Report(
        about=ABOUT,
        tables=[
            table_of_means("", records, rows, COLUMNS, bench.settings.seed),
            _worst(records),
        ],
        details=[table_of_photos("PSNR by photo, dB", records, rows, PSNR)],
        sheets=telling(bench, records, rows, "PSNR"),
        figures=figures_of(bench),
        timings=timings_of(bench),
        scores=scores_of(records, rows, COLUMNS),
    )


def _scene(bench: Bench, photo: str, path: Path) -> Scene:
    image = bench.read(path)
    return Scene(photo, image, sharp=image)


def score(scene: Scene, image: Image) -> Figures:
    """What the columns tell of one image."""
    same = identical.measure(image, scene.image)
    itself = psnr.measure(image, scene.image)
    return {
        "identical": same,
        "untouched": float(same == 1),
        "PSNR": itself,
        "worse": float(itself < VISIBLE),
        "largest change": largest_change.measure(image, scene.image),
    }


def _worst(records: Sequence[Record]) -> Table:
    """The photo that each row changes most."""
    lines = []
    for row in dict.fromkeys(record.row for record in records if record.figures):
        of_row = [record for record in records if record.row == row and record.figures]
        worst = min(of_row, key=lambda record: record.figures["PSNR"])
        share = f"{worst.figures['identical']:.2%}"
        lines.append([row, worst.photo, f"{worst.figures['PSNR']:.2f}", share])
    return Table("The worst photo", ["row", "photo", "PSNR, dB", "identical"], lines)
