"""Finds data sets on disk: folders of photos, bursts of frames, photos with masks."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"})


@dataclass(frozen=True)
class MaskedPhoto:
    """A photo and a hand-made mask of its blurred part (white = blurred)."""

    photo: Path
    mask: Path


@dataclass(frozen=True)
class Pair:
    """One blurred photo and the sharp one of the same moment.

    Attributes:
        name: of the pair, its scene included.
    """

    name: str
    blurred: Path
    sharp: Path


def find_photos(folder: Path) -> list[Path]:
    """The photos in a folder and its sub-folders, in the order of their names.

    Raises:
        ValueError: the folder is missing, or holds no photo.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder; name a folder of photos")
    found = sorted(
        path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()
    )
    if not found:
        raise ValueError(f"no photo in {folder}; name a folder with JPEG, PNG, WebP or TIFF files")
    return found


def find_masked_photos(folder: Path) -> list[MaskedPhoto]:
    """Pairs of FOLDER/photo/NAME.* and FOLDER/mask/NAME.*, in the order of their names.

    Raises:
        ValueError: a sub-folder is missing, or no name stands in both.
    """
    masks = {path.stem: path for path in find_photos(folder / "mask")}
    pairs = [
        MaskedPhoto(photo, masks[photo.stem])
        for photo in find_photos(folder / "photo")
        if photo.stem in masks
    ]
    if not pairs:
        raise ValueError(f"no photo in {folder}/photo has a mask of its name in {folder}/mask")
    return pairs


def find_pairs(folder: Path) -> list[Pair]:
    """Blurred and sharp photos of equal names, in the order of their names.

    Either FOLDER/blurred/NAME.* and FOLDER/sharp/NAME.*, or, as the GoPro data set comes,
    FOLDER/SCENE/blur/NAME.* and FOLDER/SCENE/sharp/NAME.* for every scene.

    Raises:
        ValueError: the folder is missing, or is laid out in neither way.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder; name a folder of blurred and sharp photos")
    pairs = []
    for blurred in sorted([folder / "blurred", *folder.glob("*/blur")]):
        sharp = blurred.with_name("sharp")
        if not (blurred.is_dir() and sharp.is_dir()):
            continue
        originals = {path.stem: path for path in find_photos(sharp)}
        scene = "" if blurred.parent == folder else f"{blurred.parent.name}/"
        pairs += [
            Pair(scene + path.stem, path, originals[path.stem])
            for path in find_photos(blurred)
            if path.stem in originals
        ]
    if not pairs:
        raise ValueError(
            f"no pairs in {folder}; lay them out as blurred/NAME and sharp/NAME, or as "
            "SCENE/blur/NAME and SCENE/sharp/NAME"
        )
    return pairs


def held_out(path: Path, one_in: int = 32) -> bool:
    """Whether a training photo is kept for validation: decided by its name alone.

    The choice stays the same when photos are added or a folder moves.
    """
    digest = hashlib.sha256(path.name.encode()).digest()
    return int.from_bytes(digest[:4], "big") % one_in == 0
