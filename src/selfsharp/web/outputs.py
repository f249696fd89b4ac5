"""What can be asked for, and how it is written: an output is a name, an ending, a function."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from selfsharp.blur.psf import Psf
from selfsharp.blur.sharpness import CELL, means_of_cells
from selfsharp.image import Image, Photo, Plane, output_path, quantize, write_plane
from selfsharp.picture import blur_picture, compare, write_picture
from selfsharp.restore.matches import Matches
from selfsharp.restore.photo_file import write_restored
from selfsharp.restore.provenance import Provenance, draw, trace


@dataclass(frozen=True)
class Made:
    """All that outputs are written from; a map has its photo's image as it was.

    Attributes:
        photo: as it was read.
        image: restored.
        blur_map: blur radius in pixels, 0 where sharp.
        gate: how much of the restoration is blended in, or would be, 0..1.
        psf: the PSF that was undone; None where there is none.
        matches: what the blurred part was told of the sharp one; None where it was told nothing.
    """

    photo: Photo
    image: Image
    blur_map: Plane
    gate: Plane
    psf: Psf | None = None
    matches: Matches | None = None

    @cached_property
    def provenance(self) -> Provenance:
        """Where each restored pixel's references lie."""
        return trace(self.matches, self.gate)


@dataclass(frozen=True)
class Output:
    """One thing that can be asked for.

    Attributes:
        told: what it is, in a line.
        ending: of its file's name, behind the photo's; None for that of the photo itself.
        write: writes it; does nothing where there is nothing to write.
    """

    told: str
    ending: str | None
    write: Callable[[Made, Path], None]


def _photo(made: Made, path: Path) -> None:
    write_restored(made.photo, made.image, path)


def _before(made: Made, path: Path) -> None:
    write_picture(quantize(made.photo.image), path)


def _after(made: Made, path: Path) -> None:
    write_picture(quantize(made.image), path)


def _blur_map(made: Made, path: Path) -> None:
    write_plane(made.blur_map, path)


def _blur_picture(made: Made, path: Path) -> None:
    write_picture(blur_picture(made.photo.image, made.blur_map), path)


def _gate(made: Made, path: Path) -> None:
    _write_grey(made.gate, path)


def _cells(made: Made, path: Path) -> None:
    most = max(float(made.blur_map.max()), 1e-6)
    strength = made.provenance.strength if made.matches else np.zeros_like(made.gate)
    planes = [made.blur_map / most, made.gate, strength]
    cells = np.stack([means_of_cells(plane) for plane in planes], axis=2)
    write_picture(quantize(cells.astype(np.float32)), path)


def _origins(made: Made, path: Path) -> None:
    if made.matches is None:
        return
    height, width = made.gate.shape
    middles = [
        np.minimum(np.arange(0, side, CELL) + CELL // 2, side - 1) for side in (height, width)
    ]
    source = made.provenance.source[np.ix_(*middles)] // CELL
    number = source[:, :, 0] * len(middles[1]) + source[:, :, 1]
    digits = np.stack([number >> 16, number >> 8 & 255, number & 255], axis=2)
    write_picture(digits.astype(np.uint8), path)


def _references(made: Made, path: Path) -> None:
    if made.matches is not None:
        write_picture(draw(made.photo.image, made.provenance), path)


def _comparison(made: Made, path: Path) -> None:
    panels = {"input": made.photo.image, "restored": made.image}
    write_picture(compare(panels, made.blur_map), path)


def _psf(made: Made, path: Path) -> None:
    if made.psf is not None:
        _write_grey(made.psf / made.psf.max(), path)


def _write_grey(plane: Plane, path: Path) -> None:
    write_picture(quantize(np.repeat(plane[:, :, None], 3, axis=2)), path)


OUTPUTS = {
    "photo": Output("the restored photo, as the command writes it", None, _photo),
    "blur_map": Output("blur radius in pixels, a TIFF of floats", "blurmap.tif", _blur_map),
    "blur_picture": Output("the blur map in colours", "blurmap.png", _blur_picture),
    "gate": Output("white where the photo was restored", "gate.png", _gate),
    "comparison": Output("input, blur map, restored, and details", "compare.png", _comparison),
    "psf": Output("how light was spread, where one blur was undone", "psf.png", _psf),
    "cells": Output(
        "a pixel for every 4x4: red is the radius in shares of the largest, green the gate,"
        " blue how like the sharp place is that it was told of",
        "cells.png",
        _cells,
    ),
    "origins": Output(
        "a pixel for every 4x4: the number, row by row, of the sharp ones that it was told of,"
        " red its highest digit of 256; for models that refer to the sharp part",
        "origins.png",
        _origins,
    ),
    "references": Output(
        "where references came from, in colours; for models that refer to the sharp part",
        "references.png",
        _references,
    ),
    "before": Output("the photo as a JPEG to look at", "before.jpg", _before),
    "after": Output("the restored photo as a JPEG to look at", "after.jpg", _after),
}
"""Every output by its name."""

OF_A_MAP = ("blur_picture", "blur_map", "cells")
"""The outputs that a map has."""


def shown_name(output: str, shown: str) -> str:
    """The name under which an output of a photo is offered for saving."""
    ending = OUTPUTS[output].ending
    return output_path(shown).name if ending is None else f"{Path(shown).stem}-{ending}"


def write_outputs(made: Made, wanted: tuple[str, ...], folder: Path) -> dict[str, str]:
    """Writes what is wanted into a folder; file names by output, less what there is not."""
    assert made.photo.path is not None
    files = {}
    for name in dict.fromkeys(wanted):
        ending = OUTPUTS[name].ending
        path = folder / (f"restored{made.photo.path.suffix}" if ending is None else ending)
        OUTPUTS[name].write(made, path)
        if path.exists():
            files[name] = path.name
    return files
