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
    read_mask,
    write_photo,
)
from selfsharp.restore.memory import give_back
from selfsharp.restore.restoration import Maps
from selfsharp.restore.restorer import Restorer


@dataclass(frozen=True)
class RestoredFile:
    """What became of a photo's file.

    Attributes:
        photo: as it was read.
        image: what restoring has made of its image; that very image where nothing was done.
        share: the share of the photo in its blurred part, 0..1.
        lost: what the file had and the restored one lacks, each as a line.
        maps: what tells what was done; None unless it was asked for.
    """

    photo: StoredPhoto
    image: AnyImage
    share: float
    lost: tuple[str, ...]
    maps: Maps | None = None

    @property
    def changed(self) -> bool:
        """Whether anything was restored."""
        return self.image is not self.photo.image


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
    keep_maps: bool = False,
) -> RestoredFile:
    """Reads, restores and writes a photo; one that nothing was done to is copied byte for byte.

    Maps of a large photo are large, and gone by the time that it is written, unless they are kept.

    Raises:
        ValueError: the photo or the mask cannot be read, or the result cannot be written.
    """
    photo = open_photo(path, max_megapixels=max_megapixels)
    size = photo.image.shape[:2]
    masks = [read_mask(mask, *size, max_megapixels=max_megapixels)] if mask else []
    # A mask is handed over, and not kept: restoring has a use for the 48 MB of 12 megapixels.
    change = restorer.change(photo.image, masks.pop() if masks else None, strength, progress, psf)
    share, maps = change.maps.share, change.maps if keep_maps else None
    added, window = change.added, change.window
    del change
    give_back()
    image = photo.image if added is None else photo.image.plus(added, window)
    del added  # Samples hold what has changed.
    give_back()
    lost = write_restored(photo, image, out, overwrite=overwrite)
    return RestoredFile(photo, image, share, lost, maps)


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
