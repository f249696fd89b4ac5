"""Distinct samples: drawn once, for every process and for when a training goes on."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from selfsharp import __version__
from selfsharp.image import PhotoError
from selfsharp.output_file import atomic_output
from selfsharp.recipe import Recipe, as_method
from selfsharp.training.pool import Pool

Planes = dict[str, np.ndarray]
"""The planes of one sample by their names."""
READ = ("seed", "mix", "references", "corrected")
"""What of a recipe decides how a sample of some size and number is drawn."""
LOOKED_AT = 64
"""Every how many pixels photos are compared at to tell one pool from another."""


class KeptSamples:
    """Samples by their side and number, in half precision.

    They lie in files of their own, so that several processes share them and a stopped training
    finds them again; in memory where no folder is given, or where it cannot be written.

    Args:
        folder: where they lie; made when there is one to keep.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._here: dict[tuple[int, int], Planes] = {}

    def find(self, size: int, number: int, draw: Callable[[], Planes]) -> Planes:
        """The planes of a sample, as float32; drawn if they are not kept yet."""
        planes = self._here.get((size, number)) or self._read(size, number)
        if planes is None:
            planes = {name: plane.astype(np.float16) for name, plane in draw().items()}
            self._keep(size, number, planes)
        return {name: plane.astype(np.float32) for name, plane in planes.items()}

    def _file(self, folder: Path, size: int, number: int) -> Path:
        return folder / f"{size}-{number}.npz"

    def _read(self, size: int, number: int) -> Planes | None:
        if self._folder is None:
            return None
        try:
            with np.load(self._file(self._folder, size, number)) as kept:
                return dict(kept)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            return None  # Missing or not whole: it is drawn again.

    def _keep(self, size: int, number: int, planes: Planes) -> None:
        if self._folder is not None:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                file = self._file(self._folder, size, number)
                with atomic_output(file, overwrite=True) as temporary:
                    np.savez(temporary, allow_pickle=False, **planes)
            except (OSError, PhotoError):
                pass  # A full disc costs memory, not the training.
            else:
                return
        self._here[size, number] = planes


def kept_in(run: Path, pool: Pool, recipe: Recipe) -> KeptSamples:
    """The samples that a run draws of a pool, in a folder that no other recipe or pool uses."""
    kind = recipe.network if recipe.network in ("detector", "estimator") else "generator"
    method = as_method(recipe)
    drawn = {"version": __version__, "kind": kind} | {key: method[key] for key in READ}
    digest = hashlib.sha256(json.dumps(drawn, sort_keys=True).encode())
    for picture in (*pool.sharp, *pool.frames, *pool.cutouts, *pool.masked):
        digest.update(str(picture.shape).encode())
        digest.update(picture[::LOOKED_AT, ::LOOKED_AT].tobytes())
    for guess in pool.guesses:
        digest.update(f"{guess.place} {guess.reach} {guess.corner} {guess.size}".encode())
        digest.update(b"".join(psf.tobytes() for psf in guess.both))
    for clip in pool.clips:
        digest.update(f"{len(clip.frames)}".encode())
    return KeptSamples(run / f"samples-{digest.hexdigest()[:12]}")
