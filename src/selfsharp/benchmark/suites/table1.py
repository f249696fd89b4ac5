"""Known blur in sharp photos: {partly, fully} blurred x {Gaussian, hand shake}."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Bool

from selfsharp.benchmark.measure import Bench, Caption, Figures, Scene
from selfsharp.benchmark.report import Report, figures_of, scores_of, telling, timings_of
from selfsharp.benchmark.row import Truth
from selfsharp.benchmark.statistics import gain
from selfsharp.benchmark.tables import (
    Column,
    by_cell,
    table_of_cells,
    table_of_means,
    table_of_photos,
)
from selfsharp.blur.kinds import shake
from selfsharp.blur.psf import Psf, normalised
from selfsharp.blur.regions import blob, dilated, everywhere
from selfsharp.blur.synthesis import Camera, Sample, blur_region
from selfsharp.image import Image
from selfsharp.metrics import identical, psnr, ssim

PICTURES = "a folder of sharp photos, such as Kodak's 24, or examples/photos/sharp for a try"
ROWS = (
    "nothing",
    "unsharp_mask",
    "blind",
    "model",
    "peer",
    "richardson_lucy",
    "wiener",
)
ABOUT = """\
Table 1 of A. Khmag and R. Ramlee, *Blur Removal in Natural Digital Images Using Self-Reference
Generative Networks*, made anew. Every photo is blurred on the values as displayed, **partly** (in
a blob of 30 % of its area) or **fully**, by a **Gaussian** of 71x71 px (sigma 11 px) or by a hand
**shake** (extent 10 to 26 px), with noise of sigma 1/255, and rounded to 8 bit. Region, noise and
path are the same in all four cells.

PSNR: RGB, 8 bit, peak 255, in dB. `gain`: over the input, in the blurred region, with the 95 %
interval of the mean over photos (bootstrap). `clear`: the rest of the photo. `worse`: share of
photos that lose over 0.005 dB as a whole. `far identical`: share of bit-identical pixels further
than 24 px from the true blur. `s/MP`: seconds per megapixel. Means leave infinite values out and
say so. The best of what is told nothing is in bold; what is told the true mask, or PSF and mask,
stands apart."""
FAR = 24
"""Pixels further than this from the true blur have to come back untouched."""
LOSS = 0.005
"""Loss in dB over the whole photo from which it counts as made worse."""
SIGMA = 11.0
"""Standard deviation of the Gaussian: what OpenCV takes for a window of 71 px."""
HALF = 35
"""Pixels on each side of the Gaussian's middle one."""
GAIN = Column("gain", "gain, blurred", "+z.2f", interval=True)
COLUMNS = (
    Column("clear PSNR", "clear dB"),
    Column("blurred PSNR", "blurred dB"),
    Column("whole PSNR", "whole dB"),
    GAIN,
    Column("whole gain", "gain, whole", "+z.2f"),
    Column("SSIM", "SSIM", ".4f"),
    Column("worse", "worse", ".0%", better="lower"),
    Column("far identical", "far identical", ".1%"),
)
Part = Literal["partly", "fully"]
Kind = Literal["Gaussian", "shake"]


def run(bench: Bench) -> Report:
    """Measures every row in the four cells."""
    bench.captioned = Caption("gain")
    bench.measure(_scenes(bench), score)
    seed, records, rows = bench.settings.seed, bench.records, bench.rows
    return Report(
        about=ABOUT,
        tables=[
            table_of_cells("Gain in the blurred region, dB", records, rows, GAIN, seed),
            *by_cell(records, lambda cell, found: table_of_means(cell, found, rows, COLUMNS, seed)),
        ],
        details=by_cell(
            records,
            lambda cell, found: table_of_photos(f"Gain by photo, {cell}", found, rows, GAIN),
        ),
        sheets=telling(bench, records, rows, "gain"),
        figures=figures_of(bench),
        timings=timings_of(bench),
        scores=scores_of(records, rows, COLUMNS),
    )


def _scenes(bench: Bench) -> list[Callable[[], Scene]]:
    parts: tuple[Part, ...] = ("partly", "fully")
    kinds: tuple[Kind, ...] = ("Gaussian", "shake")
    return [
        partial(_scene, bench, number, photo, path, part, kind)
        for part in parts
        for kind in kinds
        for number, (photo, path) in enumerate(bench.photos().items())
    ]


def _scene(bench: Bench, number: int, photo: str, path: Path, part: Part, kind: Kind) -> Scene:
    return make_scene(photo, bench.read(path), part, kind, [bench.settings.seed, number])


def make_scene(photo: str, sharp: Image, part: Part, kind: Kind, seed: list[int]) -> Scene:
    """A photo blurred as one cell of the table says.

    Raises:
        ValueError: the photo is too small to have anything far from the blur.
    """
    sample, psf = blurred(sharp, part, kind, seed)
    if part == "partly" and not _far_from(sample).any():
        size = f"{sharp.shape[1]} x {sharp.shape[0]}"
        raise ValueError(f"a photo of {size} has no pixel {FAR} px off the blur; give larger ones")
    return Scene(photo, sample.blurred, sharp, Truth(sample.mask, psf), f"{part} {kind}")


def shaken_blob(sharp: Image, seed: list[int]) -> Sample:
    """The photo of the cell `partly shake`."""
    return blurred(sharp, "partly", "shake", seed)[0]


def blurred(sharp: Image, part: Part, kind: Kind, seed: list[int]) -> tuple[Sample, Psf]:
    """A photo blurred as one cell of the table says, and its PSF.

    Path and blob are drawn in every cell, used or not, so that noise is the same in all.
    """
    generator = np.random.default_rng(seed)
    psf = shake.psf_of_extent(generator.uniform(10, 26), generator)
    height, width = sharp.shape[:2]
    region = blob(height, width, generator, share=0.3)
    if kind == "Gaussian":
        psf = gaussian_71()
    if part == "fully":
        region = everywhere(height, width)
    camera = Camera(light="display", noise=1 / 255)
    return blur_region(sharp, psf, region, camera, generator), psf


def gaussian_71() -> Psf:
    """The Gaussian of 71x71 px that OpenCV's GaussianBlur takes when it is told no sigma.

    The paper says 70x70; such windows have an odd side.
    """
    window = np.exp(-0.5 * (np.arange(-HALF, HALF + 1) / SIGMA) ** 2)
    return normalised(np.outer(window, window))


def score(scene: Scene, image: Image) -> Figures:
    """What the columns tell of one image."""
    assert scene.sharp is not None
    assert scene.truth is not None
    inside = scene.truth.mask > 0
    before = psnr.measure(scene.image, scene.sharp, inside)
    figures = {
        "blurred PSNR": psnr.measure(image, scene.sharp, inside),
        "whole PSNR": psnr.measure(image, scene.sharp),
        "SSIM": ssim.measure(image, scene.sharp),
    }
    figures["gain"] = gain(figures["blurred PSNR"], before)
    figures["whole gain"] = gain(figures["whole PSNR"], psnr.measure(scene.image, scene.sharp))
    figures["worse"] = float(figures["whole gain"] < -LOSS)
    if not inside.all():
        figures["clear PSNR"] = psnr.measure(image, scene.sharp, ~inside)
        far = np.invert(dilated(inside, FAR))
        figures["far identical"] = identical.measure(image, scene.image, far)
    return figures


def _far_from(sample: Sample) -> Bool[np.ndarray, "height width"]:
    return np.invert(dilated(sample.blur_map > 0, FAR))
