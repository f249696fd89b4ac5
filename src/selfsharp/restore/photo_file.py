"""Restores one photo from file to file."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from selfsharp.image import (
    MAX_MEGAPIXELS,
    Image,
    Photo,
    atomic_output,
    read_masked,
    read_photo,
    write_photo,
)
from selfsharp.restore.restoration import Restoration
from selfsharp.restore.restorer import Restorer


@dataclass(frozen=True)
class RestoredFile:
    """What became of a photo's file.

    Attributes:
        photo: as it was read.
        restoration: of its image.
        lost: what the file had and the restored one lacks, each as a line.
    """

    photo: Photo
    restoration: Restoration
    lost: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Whether anything was restored."""
        return self.restoration.image is not self.photo.image


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
) -> RestoredFile:
    """Reads, restores and writes a photo; one that nothing was done to is copied byte for byte.

    Raises:
        ValueError: the photo or the mask cannot be read, or the result cannot be written.
    """
    if mask:
        photo, *masks = read_masked(path, mask, max_megapixels=max_megapixels)
    else:
        photo, masks = read_photo(path, max_megapixels=max_megapixels), []
    # A mask is handed over, and not kept: restoring has a use for the 48 MB of 12 megapixels.
    restoration = restorer.restore(
        photo.image, masks.pop() if masks else None, strength, progress, psf
    )
    lost = write_restored(photo, restoration.image, out, overwrite=overwrite)
    return RestoredFile(photo, restoration, lost)


def write_restored(
    photo: Photo, image: Image, out: Path, *, overwrite: bool = False
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
