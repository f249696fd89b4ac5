"""Blur maps against masks made by hand."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float32

from selfsharp.benchmark.measure import Bench, Record
from selfsharp.benchmark.report import Report, figures_of, scores_of, telling, timings_of
from selfsharp.benchmark.row import Line
from selfsharp.benchmark.sheet import Strip, cut_strip
from selfsharp.benchmark.tables import Column, table_of_means, table_of_photos
from selfsharp.blur.patches import find_blurred_patches
from selfsharp.datasets import MaskedPhoto, find_masked_photos
from selfsharp.image import Image, Plane, read_mask, read_photo
from selfsharp.map_metrics import (
    f_beta,
    intersection_over_union,
    largest_f_beta,
    mean_absolute_error,
)
from selfsharp.restore.detect import enlarged
from selfsharp.restore.restorer import Restorer

Cells = Float32[np.ndarray, "rows columns"]
"""A plane of cells of 4x4 pixels."""
PICTURES = "a folder of photo/NAME and mask/NAME, white where blurred, such as CUHK's"
ROWS = ()
ABOUT = """\
Photos partly out of focus, with masks made by hand (such as J. Shi, L. Xu and J. Jia, CVPR 2014,
doi:10.1109/CVPR.2014.379). `F-beta`: F-measure with beta^2 = 0.3 of what is at least 0.5;
`largest`: at each photo's best threshold; `IoU`: intersection over union at 0.5; `MAE`: mean
absolute error. `seen` is what the detector says that a person would call blurred, by the place and
its surroundings, and `map` what `selfsharp map` makes of it, blurred or not. `probability` is what
restoring goes by: that it was blurred by accident, which a background out of focus was not; `part`
is what would be restored, after the partition. `patches` is a classifier of
patches without a network. `all blurred` is what costs nothing."""
COLUMNS = (
    Column("F-beta", "F-beta", ".3f"),
    Column("largest F-beta", "largest F-beta", ".3f"),
    Column("IoU", "IoU", ".3f"),
    Column("MAE", "MAE", ".3f", better="lower"),
)


@dataclass(frozen=True)
class Finder(Line):
    """Something that tells where an image is blurred.

    Attributes:
        find: the image to a map from 0 (sharp) to 1 (blurred), of its size.
    """

    find: Callable[[Image], Plane]


def run(bench: Bench) -> Report:
    """Measures every finder on every photo."""
    finders = choose_finders(bench.settings.models, bench.settings.threads)
    photos = find_masked_photos(bench.folder)[: bench.settings.limit]
    for records, strip in bench.work([partial(_measure, bench, finders, p) for p in photos]):
        bench.records += records
        bench.strips.append(strip)
    found, seed = bench.records, bench.settings.seed
    return Report(
        about=ABOUT,
        tables=[table_of_means("", found, finders, COLUMNS, seed)],
        details=[table_of_photos("F-beta by photo", found, finders, COLUMNS[0])],
        sheets=telling(bench, found, finders, "F-beta"),
        figures=figures_of(bench),
        timings=timings_of(bench),
        scores=scores_of(found, finders, COLUMNS),
    )


def choose_finders(models: Sequence[str], threads: int) -> list[Finder]:
    """All that finds blur: four of every model, and what a map that tells nothing scores."""
    finders = [
        Finder("all blurred", lambda image: np.ones(image.shape[:2], np.float32)),
        Finder("patches, no network", partial(_of_cells, find_blurred_patches)),
    ]
    for model in models:
        restorer = Restorer(model, threads)
        name = restorer.card.name
        for title, told in (("seen", _apparent), ("probability", _probability)):
            find = partial(_of_cells, partial(told, restorer))
            finders.append(Finder(f"{name}, {title}", find, model=model))
        finders.append(Finder(f"{name}, map", partial(_map, restorer), model=model))
        finders.append(Finder(f"{name}, part", partial(_part, restorer), model=model))
    return finders


def _apparent(restorer: Restorer, image: Image) -> Cells:
    return restorer.find_blur(image).apparent


def _probability(restorer: Restorer, image: Image) -> Cells:
    return restorer.find_blur(image).probability


def _of_cells(find: Callable[[Image], Cells], image: Image) -> Plane:
    """What is told of cells of 4x4 pixels, at the image's size."""
    return np.clip(enlarged(find(image), *image.shape[:2]), 0, 1)


def _map(restorer: Restorer, image: Image) -> Plane:
    return (restorer.map_blur(image)[0] > 0).astype(np.float32)


def _part(restorer: Restorer, image: Image) -> Plane:
    return (restorer.find_parts(image).gate > 0).astype(np.float32)


def _measure(
    bench: Bench, finders: Sequence[Finder], photo: MaskedPhoto
) -> tuple[list[Record], Strip]:
    """What every finder says of one photo."""
    whole = read_photo(photo.photo).image
    image = bench.cropped(whole)
    true = bench.cropped(read_mask(photo.mask, *whole.shape[:2])) > 0.5
    name, megapixels = photo.photo.stem, image.shape[0] * image.shape[1] / 1e6
    records, panels = [], {"photo": image, "mask by hand": _grey(true.astype(np.float32))}
    for finder in finders:
        start = time.perf_counter()
        found = finder.find(image)
        seconds = time.perf_counter() - start
        figures = {
            "F-beta": f_beta.measure(found, true),
            "largest F-beta": largest_f_beta.measure(found, true),
            "IoU": intersection_over_union.measure(found, true),
            "MAE": mean_absolute_error.measure(found, true),
        }
        records.append(Record("", name, finder.name, figures, seconds, megapixels))
        if found.min() < 1:  # What is white all over tells nothing.
            panels[f"{finder.name}: {figures['F-beta']:.2f}"] = _grey(found)
    side = min(image.shape[:2])
    window = [slice((length - side) // 2, (length + side) // 2) for length in image.shape[:2]]
    return records, cut_strip("", name, image, (window[0], window[1]), panels)


def _grey(plane: Plane) -> Image:
    return np.repeat(plane[:, :, None], 3, axis=2)
