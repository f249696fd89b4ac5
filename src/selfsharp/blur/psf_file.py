"""PSFs on disk: arrays of NumPy, and grey pictures whose brightness is the weight."""

import warnings
from pathlib import Path

import numpy as np
import PIL.Image

from selfsharp.blur.psf import Psf, as_psf
from selfsharp.image import atomic_output

LONGEST = 2048
"""Longest side of a file, its empty frame included, in pixels."""
_INSTEAD = "give a .npy array, or a grey PNG or TIFF of 8, 16 or float bits"
_DEEP = {mode: mode for mode in ("I", "I;16", "I;16B", "F")}
_READ_AS = _DEEP | {"1": "L", "L": "L", "LA": "L", "P": "RGB", "RGB": "RGB", "RGBA": "RGB"}
"""Modes of Pillow that may hold a grey picture, and those in which they are read."""


def read_psf(path: Path) -> Psf:
    """Reads a PSF from a .npy file or a grey picture: normalised, on its centroid.

    Raises:
        ValueError: the file is missing or cannot be read, or holds no PSF.
    """
    if not path.is_file():
        raise ValueError(f"there is no file {path}; {_INSTEAD}")
    weights = _read_array(path) if path.suffix.lower() == ".npy" else _read_picture(path)
    try:
        return as_psf(weights)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def write_psf(psf: Psf, path: Path, *, overwrite: bool = False) -> None:
    """Writes a PSF as a .npy file of float32 that sums to 1, whole or not at all.

    Raises:
        ValueError: the file exists or cannot be written.
    """
    with atomic_output(path, overwrite=overwrite) as temporary, temporary.open("wb") as file:
        np.save(file, psf)


def _read_array(path: Path) -> np.ndarray:
    try:
        # Mapped, so that a header's word for its size costs no memory.
        weights = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception:  # Damaged files make NumPy raise nearly anything.
        raise ValueError(f"{path} holds no array of numbers; {_INSTEAD}") from None
    if not isinstance(weights, np.ndarray):
        raise ValueError(f"{path} holds several arrays; {_INSTEAD}")
    _check_sides(path, weights.shape)
    return np.array(weights)


def _read_picture(path: Path) -> np.ndarray:
    weights, mode = np.zeros((1, 1)), ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # A picture's size is checked here.
        try:
            with PIL.Image.open(path, formats=("PNG", "TIFF")) as picture:
                sides, mode = picture.size, picture.mode
                if max(sides) <= LONGEST and mode in _READ_AS:
                    weights = np.asarray(picture.convert(_READ_AS[mode]))
        except Exception:  # Damaged files make Pillow raise nearly anything.
            raise ValueError(f"{path} is no picture that can be read; {_INSTEAD}") from None
    _check_sides(path, sides)
    if mode not in _READ_AS or (weights.ndim == 3 and np.ptp(weights, axis=2).any()):
        raise ValueError(f"{path} is a picture in colour; {_INSTEAD}")
    return weights[:, :, 0] if weights.ndim == 3 else weights


def _check_sides(path: Path, sides: tuple[int, ...]) -> None:
    if max(sides, default=1) > LONGEST:
        told = " x ".join(map(str, sides))
        raise ValueError(f"{path} of {told} is larger than any PSF; give {LONGEST} px at most")
