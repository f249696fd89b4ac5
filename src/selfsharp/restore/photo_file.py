"""Restores one photo from file to file."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from selfsharp.image import (
    MAX_MEGAPIXELS,
    AnyImage,
    Photo,
    StoredPhoto,
    atomic_output,
    open_photo,
    open_with_mask,
    write_photo,
)
from selfsharp.restore.memory import give_back
from selfsharp.restore.partition import marked
from selfsharp.restore.restoration import Maps
from selfsharp.restore.restorer import Restorer


@dataclass(frozen=True)
class Shown:
    """What there is to be shown of a restored photo.

    Attributes:
        before: the image as it was read.
        after: as it was restored.
        maps: what tells what was done.
    """

    before: AnyImage
    after: AnyImage
    maps: Maps


@dataclass(frozen=True)
class RestoredFile:
    """What became of a photo's file.

    Attributes:
        changed: whether anything was restored.
        share: the share of the photo in its blurred part, 0..1.
        lost: what the file had and the restored one lacks, each as a line.
        shown: what there is to be shown; None unless it was asked for.
    """

    changed: bool
    share: float
    lost: tuple[str, ...]
    shown: Shown | None = None


def restore_file(
    restorer: Restorer,
    path: Path,
    out: Path,
    *,
    mask: Path | None = None,
    psf: np.ndarray | None = None,
    strength: float = 1.0,
    overwrite: bool = False,
    max_megapixels: float = MAX_MEGAPIXELS,
    progress: Callable[[int, int], None] | None = None,
    keep_shown: bool = False,
) -> RestoredFile:
    """Reads, restores and writes a photo; one that nothing was done to is copied byte for byte.

    Of a large photo all that is no longer needed is gone by the time that it is written, unless it
    is kept to be shown.

    Raises:
        ValueError: the photo or the mask cannot be read, or the result cannot be written.
    """
    given = []
    if mask is None:
        photo = open_photo(path, max_megapixels=max_megapixels)
    else:
        photo, parts = open_with_mask(path, mask, marked, max_megapixels=max_megapixels)
        given.append(parts)
        del parts
    # Handed over, and not kept: restoring has a use for the 60 MB of 12 megapixels.
    change = restorer.change(photo.image, given.pop() if given else None, strength, progress, psf)
    share, added, window = change.maps.share, change.added, change.window
    kept = (photo.image, change.maps.precise) if keep_shown else None
    del change
    give_back()
    changed = added is not None
    if changed:
        photo = replace(photo, image=photo.image.plus(added, window))
        del added  # Samples hold what has changed.
        give_back()
        lost = write_photo(photo, out, overwrite=overwrite)
    else:
        lost = write_restored(photo, photo.image, out, overwrite=overwrite)
    shown = Shown(kept[0], photo.image, kept[1]) if kept else None
    return RestoredFile(changed, share, lost, shown)


def write_restored(
    photo: Photo | StoredPhoto, image: AnyImage, out: Path, *, overwrite: bool = False
) -> tuple[str, ...]:
    """Writes the restored photo; one that nothing was done to is copied byte for byte.

    Args:
        photo: as it was read from its file.
        image: what restoring has made of its image; the very array where that is nothing.
        out: a file that ends in one of the known extensions.
        overwrite: whether to replace a file that is there already.

    Returns:
        What the file had and the restored one lacks, each as a line.

    Raises:
        PhotoError: the file exists, cannot be written, or cannot hold the photo.
    """
    source = photo.path
    same_format = source is not None and out.suffix.lower() == source.suffix.lower()
    if image is not photo.image or source is None or not same_format:
        return write_photo(replace(photo, image=image), out, overwrite=overwrite)
    if out.resolve() != source.resolve():
        with atomic_output(out, overwrite=overwrite) as temporary:
            shutil.copyfile(source, temporary)
    return ()
