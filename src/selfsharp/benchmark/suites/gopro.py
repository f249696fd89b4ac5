"""Real pairs of blurred and sharp frames, as they are and aligned."""

from functools import partial

import numpy as np

from selfsharp.benchmark.alignment import BORDER, align
from selfsharp.benchmark.measure import Bench, Caption, Figures, Scene
from selfsharp.benchmark.report import Report, figures_of, scores_of, telling, timings_of
from selfsharp.benchmark.row import Truth
from selfsharp.benchmark.statistics import gain
from selfsharp.benchmark.tables import Column, table_of_means, table_of_photos
from selfsharp.datasets import Pair, find_pairs
from selfsharp.image import Image, read_photo
from selfsharp.metrics import psnr, ssim, vgg_distance

PICTURES = "a folder of blurred/NAME and sharp/NAME, or of GoPro's SCENE/blur and SCENE/sharp"
ROWS = ("nothing", "unsharp_mask", "blind", "network_alone", "model", "peer")
ABOUT = """\
Real blur of a moving camera and of moving people: means of 7 to 13 frames taken at 240 frames a
second (S. Nah, T. H. Kim and K. M. Lee, CVPR 2017, doi:10.1109/CVPR.2017.35) against one of them.
PSNR: RGB, 8 bit, peak 255, in dB. That frame can be up to a pixel off the middle of the exposure,
which costs a good restoration more than a blurred one. So `aligned` is measured after each
picture, the input's as well, was shifted as a whole to where it comes closest to the sharp one
(fractions of a pixel, 12 px of border left out). `gain`: over the input, measured alike, with the
95 % interval of the mean over pairs (bootstrap). `mask given`: the whole photo, as by somebody
who sees that all of it is blurred. `VGG distance`: squared distance in the features of VGG16
over their energy, unaligned; 0 for equal pictures, and no LPIPS. Nobody knows the true PSFs, so
there is no oracle."""
COLUMNS = (
    Column("PSNR", "PSNR, dB"),
    Column("gain", "gain", "+z.2f", interval=True),
    Column("aligned PSNR", "aligned, dB"),
    Column("aligned gain", "gain, aligned", "+z.2f", interval=True),
    Column("SSIM", "SSIM", ".4f"),
    Column("VGG distance", "VGG distance", ".4f", better="lower"),
)
ALIGNED = COLUMNS[3]


def run(bench: Bench) -> Report:
    """Measures every row on all pairs; those of scenes that were not trained on also apart."""
    bench.captioned = Caption("aligned gain")
    pairs = find_pairs(bench.folder)[: bench.settings.limit]
    bench.measure([partial(_scene, bench, pair) for pair in pairs], score)
    seed, records, rows = bench.settings.seed, bench.records, bench.rows
    seen = bench.settings.seen
    unseen = [record for record in records if not any(part in record.photo for part in seen)]
    tables = [table_of_means("All pairs", records, rows, COLUMNS, seed)]
    if 0 < len(unseen) < len(records):
        title = f"Pairs of scenes that no model here was trained on (without {', '.join(seen)})"
        tables.append(table_of_means(title, unseen, rows, COLUMNS, seed))
    return Report(
        about=ABOUT,
        tables=tables,
        details=[table_of_photos("Gain by pair, aligned, dB", records, rows, ALIGNED)],
        sheets=telling(bench, records, rows, "aligned gain"),
        figures=figures_of(bench),
        timings=timings_of(bench),
        scores=scores_of(records, rows, COLUMNS),
    )


def _scene(bench: Bench, pair: Pair) -> Scene:
    blurred, sharp = read_photo(pair.blurred).image, read_photo(pair.sharp).image
    if blurred.shape != sharp.shape:
        raise ValueError(f"{pair.blurred} and {pair.sharp} differ in size; give pairs of one size")
    image = bench.cropped(blurred)
    everywhere = np.ones(image.shape[:2], np.float32)
    return Scene(pair.name, image, bench.cropped(sharp), Truth(everywhere))


def score(scene: Scene, image: Image) -> Figures:
    """What the columns tell of one image."""
    assert scene.sharp is not None
    figures = {
        "PSNR": psnr.measure(image, scene.sharp),
        "aligned PSNR": aligned_psnr(image, scene.sharp),
        "SSIM": ssim.measure(image, scene.sharp),
        "VGG distance": vgg_distance.measure(image, scene.sharp),
    }
    before = psnr.measure(scene.image, scene.sharp), aligned_psnr(scene.image, scene.sharp)
    figures["gain"] = gain(figures["PSNR"], before[0])
    figures["aligned gain"] = gain(figures["aligned PSNR"], before[1])
    return figures


def aligned_psnr(image: Image, sharp: Image) -> float:
    """PSNR of the image shifted to where it comes closest to the sharp one, off the border.

    Raises:
        ValueError: the images are too small to have anything off the border.
    """
    if min(sharp.shape[:2]) <= 4 * BORDER:
        raise ValueError(f"images of {sharp.shape[1]} x {sharp.shape[0]} px are too small to align")
    inner = (slice(BORDER, -BORDER),) * 2
    return psnr.measure(align(image, sharp)[0][inner], sharp[inner])
