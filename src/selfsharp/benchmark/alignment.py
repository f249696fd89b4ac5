"""Aligns one image to another by the best shift of the whole, to fractions of a pixel."""

import numpy as np
from jaxtyping import Complex64, Float32

from selfsharp.blur.convolve import mirror
from selfsharp.image import Image

BORDER = 12
"""Pixels along the edges that an aligned image is not to be judged by."""
FARTHEST = 4.0
"""Longest shift in pixels, down and across, that is believed."""
STEPS = 12
"""Most steps of the search; it ends as soon as a step is under `CLOSE`."""
CLOSE = 0.002
"""Step in pixels that ends the search."""


def align(image: Image, sharp: Image) -> tuple[Image, tuple[float, float]]:
    """The image shifted as a whole so that it comes closest to the sharp one.

    The shift with the least squared error off the border, found by Gauss and Newton's steps
    from none (B. D. Lucas and T. Kanade, 1981) and done by the shift theorem of the Fourier
    transform, which softens nothing; beyond its edges the image is mirrored.

    Returns:
        The shifted image, and how far it was moved down and to the right, in pixels. Where
        no shift up to 4 px comes closer, the image as it is.
    """
    inner = (slice(BORDER, -BORDER),) * 2
    grey, wanted = (each.mean(axis=2, keepdims=True) for each in (image, sharp))
    spectrum = _spectrum(grey)
    shift = np.zeros(2)
    for _ in range(STEPS):
        moved = _moved(spectrum, shift, grey.shape)
        down, right = np.gradient(moved[:, :, 0])
        slopes = np.stack([-down[inner].ravel(), -right[inner].ravel()], axis=1)
        missing = (wanted - moved)[inner].ravel()
        step = np.linalg.lstsq(
            (slopes.T @ slopes).astype(np.float64), (slopes.T @ missing).astype(np.float64)
        )[0]
        shift += step
        if np.abs(shift).max() > FARTHEST or np.abs(step).max() < CLOSE:
            break
    moved = np.clip(_moved(_spectrum(image), shift, image.shape), 0, 1)
    errors = [float(((each - sharp)[inner] ** 2).mean()) for each in (moved, image)]
    if np.abs(shift).max() > FARTHEST or errors[0] >= errors[1]:
        return image, (0.0, 0.0)
    return moved, (float(shift[0]), float(shift[1]))


def _spectrum(
    image: Float32[np.ndarray, "height width channels"],
) -> Complex64[np.ndarray, "rows frequencies channels"]:
    return np.fft.rfft2(mirror(image, BORDER), axes=(0, 1))


def _moved(
    spectrum: Complex64[np.ndarray, "rows frequencies channels"],
    shift: np.ndarray,
    shape: tuple[int, ...],
) -> Float32[np.ndarray, "height width channels"]:
    """The image of a spectrum, moved down and to the right."""
    height, width = (side + 2 * BORDER for side in shape[:2])
    turns = shift[0] * np.fft.fftfreq(height)[:, None] + shift[1] * np.fft.rfftfreq(width)[None]
    turned = spectrum * np.exp(-2j * np.pi * turns).astype(np.complex64)[:, :, None]
    whole = np.fft.irfft2(turned, (height, width), axes=(0, 1))
    return whole[BORDER:-BORDER, BORDER:-BORDER]
