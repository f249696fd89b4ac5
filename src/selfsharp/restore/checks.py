"""Refuses what a restorer cannot work with: one clear line says what, which value, what to give."""

import numpy as np

from selfsharp.blur.psf import Psf
from selfsharp.image import AnyImage, Plane
from selfsharp.raster_image import RasterImage
from selfsharp.restore.windows import Weights

LARGEST_PSF = 255
"""Largest side of a PSF that somebody gives, in pixels."""


def check_image(image: AnyImage) -> None:
    """Refuses what is not an image.

    Raises:
        ValueError: wrong type, shape or range.
    """
    if isinstance(image, RasterImage) and image.size:
        return  # Samples are in range.
    if not (isinstance(image, np.ndarray) and image.ndim == 3 and image.shape[2] == 3):
        shape = getattr(image, "shape", type(image).__name__)
        raise ValueError(f"image has shape {shape}; give an array of (height, width, 3)")
    if image.dtype != np.float32:
        raise ValueError(f"image has type {image.dtype}; give float32 in 0..1")
    if image.size == 0:
        raise ValueError(f"image of shape {image.shape} is empty; give at least one pixel")
    low, high = float(image.min()), float(image.max())
    if not (low >= 0 and high <= 1):
        raise ValueError(f"image has values from {low:g} to {high:g}; scale them to 0..1")


def check_size(mask: Weights | None, image: AnyImage) -> None:
    """Refuses a mask, or what was made of one, that has not the image's size.

    Raises:
        ValueError: wrong shape, or the image is none.
    """
    check_image(image)
    shape = getattr(mask, "shape", type(mask).__name__)
    if mask is not None and shape != image.shape[:2]:
        raise ValueError(
            f"mask has shape {shape} but the image {image.shape}; give a mask of its size"
        )


def check_mask(mask: Plane | None, image: AnyImage) -> None:
    """Refuses a mask that does not fit the image.

    Raises:
        ValueError: wrong type, shape or range.
    """
    check_size(mask, image)
    if mask is None:
        return
    if mask.dtype != np.float32:
        raise ValueError(f"mask has type {mask.dtype}; give float32, 1 where blurred and else 0")
    low, high = float(mask.min()), float(mask.max())
    if not (low >= 0 and high <= 1):
        raise ValueError(f"mask has values from {low:g} to {high:g}; scale them to 0..1")


def check_psf(psf: Psf, image: AnyImage) -> None:
    """Refuses a PSF that is too large to be undone.

    Raises:
        ValueError: it is larger than the image, or than `LARGEST_PSF`.
    """
    check_image(image)
    side, most = psf.shape[0], min(LARGEST_PSF, *image.shape[:2])
    if side > most:
        raise ValueError(f"psf of {side} x {side} px is too large; give {most} px at most")


def check_strength(strength: float) -> None:
    """Refuses a strength out of range.

    Raises:
        ValueError: not in 0..1.
    """
    if not 0 <= strength <= 1:
        raise ValueError(f"strength {strength:g} is out of range; give 0 to 1")
