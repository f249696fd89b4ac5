"""Looks through the photos of a training for files that are broken, or blurred themselves."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from rich.console import Console
from rich.markup import escape
from rich.progress import track

from selfsharp.blur.sharpness import BLURRED, softness
from selfsharp.datasets import find_photos
from selfsharp.image import atomic_output
from selfsharp.recipe import Recipe

LISTING = "pictures.txt"
MEASURED = "pictures.json"
"""What was measured of each photo, so that a resumed training need not look again."""

_words = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


@dataclass
class Survey:
    """What was found among the photos of a training.

    Attributes:
        photos: how many there are.
        broken: files that cannot be decoded, and why.
        blurred: files that are nowhere sharp, and their softness.
    """

    photos: int = 0
    broken: dict[Path, str] = field(default_factory=dict)
    blurred: dict[Path, float] = field(default_factory=dict)

    def listing(self) -> str:
        """Every photo found, one a line, with the reason."""
        lines = [f"# of {self.photos} photos, {len(self.broken)} are broken:"]
        lines += [f"{path}: {reason}" for path, reason in self.broken.items()]
        lines += [f"# and {len(self.blurred)} are blurred themselves (softness {BLURRED} or more):"]
        softest = sorted(self.blurred.items(), key=lambda item: -item[1])
        lines += [f"{path}: softness {value:.2f}" for path, value in softest]
        return "\n".join(lines) + "\n"


def left_out(recipe: Recipe, folder: Path, *, told: bool = True) -> set[Path]:
    """The photos that a training does without: broken ones, and blurred ones if so wished.

    Lists them in the run folder.

    Args:
        told: also say on the terminal how many there are.

    Raises:
        ValueError: there is no photo that can be used.
    """
    paths = [path for place in recipe.pictures for path in find_photos(place)]
    found = look_through(paths, folder / MEASURED)
    without = {*found.broken, *(found.blurred if recipe.blurred == "leave-out" else ())}
    if paths and len(without) == len(paths):
        path, reason = next(iter(found.broken.items()), (paths[0], "blurred itself"))
        raise ValueError(f"none of {len(paths)} photos can be used; {path}: {reason}")
    with atomic_output(folder / LISTING, overwrite=True) as temporary:
        temporary.write_text(found.listing(), encoding="utf-8")
    if told and (found.broken or found.blurred):
        listing = escape(str(folder / LISTING))
        _words.print(
            f"of {len(paths)} photos {len(found.broken)} cannot be read and are left out, "
            f"{len(found.blurred)} look blurred themselves and are "
            f"{'left out' if recipe.blurred == 'leave-out' else 'kept'}: {listing}"
        )
    return without


def look_through(paths: Sequence[Path], measured: Path) -> Survey:
    """Measures every photo, or takes what is known of it from a file of earlier measurements."""
    known = _read(measured)
    survey, facts = Survey(len(paths)), {}
    with ThreadPoolExecutor(2) as threads:
        results = threads.map(lambda path: known.get(_key(path)) or _measure(path), paths)
        note = "looking through photos"
        for path, fact in track(
            zip(paths, results, strict=True), note, total=len(paths), transient=True
        ):
            facts[_key(path)] = fact
            if isinstance(fact, str):
                survey.broken[path] = fact
            elif fact >= BLURRED:
                survey.blurred[path] = fact
    with atomic_output(measured, overwrite=True) as temporary:
        temporary.write_text(json.dumps(facts), encoding="utf-8")
    return survey


def _measure(path: Path) -> float | str:
    """A photo's softness, or why it cannot be decoded."""
    try:
        with PillowImage.open(path) as photo:
            pixels = np.asarray(photo.convert("RGB"), np.float32) / np.float32(255)
    except Exception as error:  # Decoders fail in ways of their own.
        reason = " ".join(str(error).split()) or type(error).__name__
        return f"cannot be decoded: {reason}"
    return round(softness(pixels), 4)


def _key(path: Path) -> str:
    """What tells a photo from another, and from an earlier one of its name."""
    facts = path.stat()
    return f"{path.resolve()}|{facts.st_size}|{facts.st_mtime_ns}"


def _read(measured: Path) -> dict[str, float | str]:
    try:
        return json.loads(measured.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return {}
