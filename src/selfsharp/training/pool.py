"""The photos that samples are cut from, decoded once and kept in memory."""

from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image as PillowImage
from rich.progress import track

from selfsharp.blur.psf import Psf
from selfsharp.datasets import MaskedPhoto, find_masked_photos, find_photos, held_out
from selfsharp.recipe import Recipe
from selfsharp.training.footage import Clip, load_clips, split_by_time

Pixels = UInt8[np.ndarray, "_ _ _"]  # Photos of a pool differ in size.

MASKED_HELD_OUT = 8
"""One in so many photos with masks validates: a detector is judged by them."""


@dataclass(frozen=True)
class Guess:
    """A window of a training photo, how it was blurred, and what the estimate makes of it.

    Attributes:
        place: index of the photo, or of the frame in the middle of a burst.
        reach: frames of the burst before and after the middle one; 0 for a photo.
        corner: first row and column of the window.
        size: height and width of the window.
        psf: how the photo was blurred; None where it was not, or by a burst.
        both: the two estimates; points where they would not be shown to a generator.
    """

    place: int
    reach: int
    corner: tuple[int, int]
    size: tuple[int, int]
    psf: Float32[np.ndarray, "true_size true_size"] | None
    both: tuple[Psf, Psf]

    @property
    def is_round(self) -> bool:
        """Whether the estimate is a Gaussian or a disc, of which there are not two."""
        return np.array_equal(*self.both)

    @property
    def is_shown(self) -> bool:
        """Whether the estimate has passed the check, so that there are proposals."""
        return self.both[0].size > 1

    def window(self, photo: Pixels) -> Pixels:
        """The window of a photo that the estimate has seen."""
        (row, column), (height, width) = self.corner, self.size
        return photo[row : row + height, column : column + width]


@dataclass
class Pool:
    """Decoded photos, 8 bit, shared by the processes that make samples.

    Attributes:
        sharp: sharp photos.
        frames: consecutive frames of a fast camera, in order.
        cutouts: objects with alpha.
        masked: photos with a fourth channel, the mask of their blurred part.
        guesses: estimates of PSFs from blurred windows of these photos and frames.
        clips: footage of slow camera movements.
    """

    sharp: list[Pixels]
    frames: list[Pixels] = field(default_factory=list)
    cutouts: list[Pixels] = field(default_factory=list)
    masked: list[Pixels] = field(default_factory=list)
    guesses: list[Guess] = field(default_factory=list)
    clips: list[Clip] = field(default_factory=list)


def load_pools(recipe: Recipe, left_out: Collection[Path] = ()) -> tuple[Pool, Pool]:
    """The pools for training and for validation; no photo is in both.

    Photos are parted by their names, frames by time: the last tenth validates.

    Args:
        left_out: sharp photos that are not to be used.

    Raises:
        ValueError: a folder is missing or empty, or the photos are too few to part.
    """
    found = [path for folder in recipe.pictures for path in find_photos(folder)]
    paths = [path for path in found if path not in left_out]
    if not paths:
        raise ValueError("the recipe names no pictures; give a folder of sharp photos")
    kept = [path for path in paths if held_out(path)] or paths[-1:]
    used = [path for path in paths if path not in set(kept)] or paths
    frames = find_photos(recipe.frames) if recipe.frames else []
    first_kept = len(frames) - len(frames) // 10
    cutouts = _decoded(find_photos(recipe.cutouts), _rgba, "objects") if recipe.cutouts else []
    masked = find_masked_photos(recipe.masked) if recipe.masked else []
    train = Pool(
        _decoded(used, _rgb, "photos"),
        _decoded(frames[:first_kept], _rgb, "frames"),
        cutouts,
        _decoded(
            [pair for pair in masked if not held_out(pair.photo, MASKED_HELD_OUT)],
            _masked,
            "masked photos",
        ),
    )
    validate = Pool(
        _decoded(kept, _rgb, "validation photos"),
        _decoded(frames[first_kept:], _rgb, "validation frames"),
        cutouts,
        _decoded(
            [pair for pair in masked if held_out(pair.photo, MASKED_HELD_OUT)],
            _masked,
            "validation masks",
        ),
    )
    if recipe.footage:
        train.clips, validate.clips = split_by_time(load_clips(recipe.footage, recipe.clips))
    return train, validate


def _decoded(sources: Sequence[Any], decode: Callable[[Any], Pixels], noun: str) -> list[Pixels]:
    """Everything decoded, on two threads, under a progress bar."""
    if not sources:
        return []
    with ThreadPoolExecutor(2) as threads:
        results: Iterable[Pixels] = threads.map(decode, sources)
        return list(track(results, f"reading {noun}", total=len(sources), transient=True))


def _rgb(path: Path) -> Pixels:
    return np.asarray(PillowImage.open(path).convert("RGB"))


def _rgba(path: Path) -> Pixels:
    return np.asarray(PillowImage.open(path).convert("RGBA"))


def _masked(pair: MaskedPhoto) -> Pixels:
    photo = PillowImage.open(pair.photo).convert("RGB")
    mask = PillowImage.open(pair.mask).convert("L").resize(photo.size)
    return np.dstack([np.asarray(photo), np.asarray(mask)])
