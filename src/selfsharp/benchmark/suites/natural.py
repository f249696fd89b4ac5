"""Photos partly blurred by nature, of which nobody has a sharp original."""

from functools import partial
from pathlib import Path

import numpy as np

from selfsharp.benchmark.measure import Bench, Caption, Figures, Scene
from selfsharp.benchmark.report import Report, figures_of, scores_of, telling, timings_of
from selfsharp.benchmark.row import Truth
from selfsharp.benchmark.tables import Column, table_of_means, table_of_photos
from selfsharp.datasets import MaskedPhoto, find_masked_photos
from selfsharp.image import Image, read_mask, read_photo
from selfsharp.metrics import identical, sharpness_gain

PICTURES = "a folder of partly blurred photos, or of photo/NAME and mask/NAME, such as CUHK's"
ROWS = ("nothing", "unsharp_mask", "blind", "model", "peer")
ABOUT = """\
Photos that are blurred in part as they were taken: there is no sharp original to compare with, so
the pictures are what counts. `sharpness gain`: how many dB more energy the fine gradients have
than in the input, noise left out, over the whole photo and, where masks made by hand are given,
in the blurred part; it tells how much sharper a photo looks, not whether that is right: halos and
ripples count as well. `clear identical`: share of bit-identical pixels in the part that the mask
calls clear. `mask given`: that mask."""
GAIN = Column("sharpness gain", "sharpness gain, dB", "+z.2f", better=None, interval=True)
COLUMNS = (
    GAIN,
    Column("blurred gain", "in the blurred part, dB", "+z.2f", better=None),
    Column("clear identical", "clear identical", ".1%", better=None),
)


def run(bench: Bench) -> Report:
    """Measures every row that needs no true PSF."""
    bench.captioned = Caption("sharpness gain")
    if (bench.folder / "photo").is_dir() and (bench.folder / "mask").is_dir():
        masked = find_masked_photos(bench.folder)[: bench.settings.limit]
        bench.measure([partial(_masked_scene, bench, photo) for photo in masked], score)
    else:
        photos = bench.photos().items()
        bench.measure([partial(_scene, bench, name, path) for name, path in photos], score)
    records, rows = bench.records, bench.rows
    columns = [c for c in COLUMNS if any(c.key in record.figures for record in records)]
    return Report(
        about=ABOUT,
        tables=[table_of_means("", records, rows, columns, bench.settings.seed)],
        details=[table_of_photos("Sharpness gain by photo, dB", records, rows, GAIN)],
        sheets=telling(bench, records, rows, "sharpness gain"),
        figures=figures_of(bench),
        timings=timings_of(bench),
        scores=scores_of(records, rows, columns),
    )


def _scene(bench: Bench, photo: str, path: Path) -> Scene:
    return Scene(photo, bench.read(path))


def _masked_scene(bench: Bench, photo: MaskedPhoto) -> Scene:
    image = read_photo(photo.photo).image
    mask = bench.cropped(read_mask(photo.mask, *image.shape[:2]))
    truth = Truth((mask > 0.5).astype(np.float32))
    return Scene(photo.photo.stem, bench.cropped(image), truth=truth)


def score(scene: Scene, image: Image) -> Figures:
    """What the columns tell of one image."""
    figures = {"sharpness gain": sharpness_gain.measure(image, scene.image)}
    if scene.truth is not None:
        inside = scene.truth.mask > 0
        if inside.any():
            figures["blurred gain"] = sharpness_gain.measure(image, scene.image, inside)
        if not inside.all():
            figures["clear identical"] = identical.measure(image, scene.image, ~inside)
    return figures
