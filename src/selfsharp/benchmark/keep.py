"""Keeps what rows restore, so that a long run goes on from where it was stopped.

Pictures are kept at 8 bit, which is all that is ever measured of them, each in a PNG of its own
that tells its seconds. A kept picture stands for the row only as long as everything that it was
made of is the same: the image, what the row is told, the row's own version, and our code as far as
rows run it.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image as PillowImage
from PIL.PngImagePlugin import PngInfo

from selfsharp.benchmark.row import Row, Truth
from selfsharp.image import Image, atomic_output, quantize

Pixels = UInt8[np.ndarray, "height width 3"]
PACKAGE = Path(__file__).parents[1]
SECONDS = "seconds"
"""Name of the PNG's text that tells how long the row took."""
APART = {
    *("cli.py", "command_files.py", "folder_command.py", "restore_command.py"),
    *("formats", "map_metrics", "metrics", "networks", "training", "web"),
}
"""Our code that no row runs: its changes leave kept pictures as they are."""


@dataclass(frozen=True)
class Keep:
    """A folder of pictures that rows have restored.

    Args:
        folder: is made when the first picture is kept.
        threads: threads that rows were told to use, on which their seconds depend.
    """

    folder: Path
    threads: int

    def find(self, row: Row, image: Image, truth: Truth | None) -> tuple[Image, float] | None:
        """What the row made of the image, and its seconds; None if that is not here whole."""
        try:
            with PillowImage.open(self._path(row, image, truth)) as picture:
                seconds = float(picture.info[SECONDS])
                pixels = np.asarray(picture)
        except (OSError, KeyError, ValueError):
            return None
        if pixels.shape != image.shape or pixels.dtype != np.uint8:
            return None
        return as_values(pixels), seconds

    def add(
        self, row: Row, image: Image, truth: Truth | None, restored: Image, seconds: float
    ) -> None:
        """Keeps what a row has made of an image."""
        about = PngInfo()
        about.add_text(SECONDS, repr(seconds))
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_output(self._path(row, image, truth), overwrite=True) as temporary:
            PillowImage.fromarray(quantize(restored)).save(temporary, pnginfo=about)

    def _path(self, row: Row, image: Image, truth: Truth | None) -> Path:
        told = {"nothing": (), "mask": ("mask",), "blur": ("mask", "psf")}[row.told]
        planes = [image, *(getattr(truth, name) for name in told)]
        digest = hashlib.sha256(f"{row.name}\n{row.version}\n{self.threads}\n{code()}".encode())
        for plane in planes:
            digest.update(f"{plane.shape} {plane.dtype}".encode() + plane.tobytes())
        words = re.sub(r"[^a-z0-9]+", "-", row.name.lower()).strip("-")
        return self.folder / f"{words}-{digest.hexdigest()[:24]}.png"


def as_in_file(image: Image) -> Image:
    """The image as a file of 8 bit holds it, which is what is measured of it."""
    return as_values(quantize(image))


def as_values(pixels: Pixels) -> Image:
    """Pixels of 8 bit as values in 0..1."""
    return pixels.astype(np.float32) / np.float32(255)


@cache
def code() -> str:
    """A checksum of the package's own source, without what lies `APART`."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        inside = path.relative_to(PACKAGE)
        if inside.parts[0] not in APART:
            digest.update(inside.as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
