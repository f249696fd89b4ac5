"""What a photo of a hundred megapixels takes: above all, how much memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from selfsharp.benchmark.inputs import mirrored, sides_of, write_both
from selfsharp.benchmark.measure import Bench
from selfsharp.benchmark.programs import PHOTO, Program, Used, meter
from selfsharp.benchmark.tables import Table
from selfsharp.blur.kinds import shake
from selfsharp.blur.regions import blob, everywhere
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import Image, StoredPhoto, quantize
from selfsharp.photo_metadata import Metadata
from selfsharp.raster import Layout, Raster
from selfsharp.raster_image import RasterImage

MEGAPIXELS = 100.0
"""Size of the photo."""
SHARE, EXTENT = 0.2, 18.0
"""Share of it that is blurred, and extent in pixels of the hand shake that does."""
COARSE = 8
"""Side in pixels of the squares that the blurred part is made of: a finer outline of it would take
the benchmark itself gigabytes."""


@dataclass(frozen=True)
class LargeReading:
    """What a program took for the large photo."""

    program: Program
    used: Used


def read_large(
    bench: Bench,
    image: Image,
    programs: Sequence[Program],
    folder: Path,
    advance: Callable[[], None],
) -> list[LargeReading]:
    """Runs each of the programs that are asked once on a large photo.

    Args:
        image: is mirrored to the size.
        folder: where photos are written.
        advance: called before each reading.
    """
    write_large(image, bench.settings.seed, folder)
    readings = []
    for program in asked(programs):
        advance()
        used = meter(program, folder, 1, bench.settings.peer_timeout, warm_up=False)
        readings.append(LargeReading(program, used))
    return readings


def asked(programs: Sequence[Program]) -> list[Program]:
    """Those of ours that use most threads: outside programs restore all of a photo."""
    most = max((program.threads or 0 for program in programs), default=0)
    return [program for program in programs if program.threads and program.threads == most]


def write_large(image: Image, seed: int, folder: Path) -> None:
    """Writes the large photo, blurred in a blob, and its mask, both as samples of 8 bits."""
    generator = np.random.default_rng(seed)
    psf, whole = shake.psf_of_extent(EXTENT, generator), everywhere(*image.shape[:2])
    blurred = blur_region(image, psf, whole, Camera(light="display"), generator).blurred
    height, width = sides_of(MEGAPIXELS)
    coarse = blob(-(-height // COARSE), -(-width // COARSE), generator, SHARE) > 0.5
    inside = coarse.repeat(COARSE, axis=0).repeat(COARSE, axis=1)[:height, :width]

    samples = mirrored(quantize(image), height, width)
    samples[inside] = mirrored(quantize(blurred), height, width)[inside]
    raster = Raster(samples, Layout())
    photo = StoredPhoto(RasterImage(raster), folder / PHOTO, Metadata())
    write_both(photo, inside.astype(np.uint8) * np.uint8(255), folder)


def table_of_large(readings: Sequence[LargeReading]) -> Table:
    """A line for each program."""
    lines = []
    for one in readings:
        used = one.used
        figures = [f"{used.seconds:.1f}", f"{used.megabytes:.0f}"]
        lines.append([one.program.title, *([used.error, "-"] if used.error else figures)])
    notes = [f"{MEGAPIXELS:g} megapixels, {SHARE:.0%} blurred, one run each."]
    return Table("A large photo", ["program", "seconds", "memory, MB"], lines, notes)
