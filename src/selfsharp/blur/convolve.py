"""Convolution of an image with a PSF, and the light it happens in."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Float64

from selfsharp.blur.psf import Psf
from selfsharp.blur.spectrum import back, fast_length, psf_spectrum, transform

Channels = Float32[np.ndarray, "height width channels"]


def convolve(image: Channels, psf: Psf) -> Channels:
    """The image blurred by the PSF; the photo is mirrored beyond its edges."""
    height, width = image.shape[:2]
    half = psf.shape[0] // 2
    if half == 0:
        return image * psf[0, 0]
    rows, columns = fast_length(height + 2 * half), fast_length(width + 2 * half)
    padded = mirror(image, half)
    response = transform(psf, (rows, columns))
    blurred = np.empty_like(image)
    for channel in range(image.shape[2]):
        spectrum = transform(padded[:, :, channel], (rows, columns))
        whole = back(spectrum * response, (rows, columns))
        # The PSF's centre lies `half` from its corner, the photo `half` inside its padding.
        blurred[:, :, channel] = whole[2 * half : 2 * half + height, 2 * half : 2 * half + width]
    return blurred


def convolve_inside(
    image: Channels, psfs: Sequence[Float32[np.ndarray, "_ _"]], margin: int
) -> list[Float32[np.ndarray, "inner_height inner_width channels"]]:
    """The image blurred by several PSFs of any sizes, without a margin that has to be wide enough.

    Raises:
        ValueError: a PSF reaches beyond the margin.
    """
    height, width = image.shape[:2]
    widest = max(psf.shape[0] for psf in psfs) // 2
    if widest > margin:
        raise ValueError(f"a PSF reaches {widest} px, the margin is {margin}; cut a wider one")
    rows, columns = fast_length(height), fast_length(width)
    inside = slice(margin, height - margin), slice(margin, width - margin)
    spectra = [transform(image[:, :, c], (rows, columns)) for c in range(image.shape[2])]
    results = []
    for psf in psfs:
        if psf.size == 1:
            results.append(image[inside] * psf[0, 0])
            continue
        # Centred, so that nothing shifts; what wraps round falls on the margin.
        response = psf_spectrum(psf, (rows, columns))
        planes = [back(one * response, (rows, columns))[inside] for one in spectra]
        results.append(np.stack(planes, axis=2))
    return results


def mirror(image: Channels, border: int) -> Float32[np.ndarray, "mirrored_h mirrored_w channels"]:
    """The image with a mirrored border, however small the image is."""
    return np.pad(image, ((border, border), (border, border), (0, 0)), "symmetric")


def to_linear(image: Channels) -> Channels:
    """Values as displayed (sRGB, 0..1) to linear light (IEC 61966-2-1)."""
    low = image / np.float32(12.92)
    high = ((np.maximum(image, 0) + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    return np.where(image <= 0.04045, low, high)


def to_display(light: Channels) -> Channels:
    """Linear light, 0..1, to values as displayed (sRGB) (IEC 61966-2-1)."""
    low = light * np.float32(12.92)
    root = np.maximum(light, np.float32(1e-6)) ** np.float32(1 / 2.4)
    return np.where(light <= 0.0031308, low, np.float32(1.055) * root - np.float32(0.055))


def filter_inside(
    plane: Float64[np.ndarray, "height width"],
    down: Float64[np.ndarray, " rows"],
    across: Float64[np.ndarray, " columns"],
) -> Float64[np.ndarray, "inner_height inner_width"]:
    """The plane filtered in both directions, exactly, where the whole filter lies on it.

    The filter is not turned round: value (0, 0) is the sum of down[r] across[c] plane[r, c].
    It loses rows - 1 rows and columns - 1 columns.
    """
    height, width = plane.shape[0] - len(down) + 1, plane.shape[1] - len(across) + 1
    filtered = np.zeros((height, plane.shape[1]))
    for row, weight in enumerate(down):
        filtered += weight * plane[row : row + height]
    inside = np.zeros((height, width))
    for column, weight in enumerate(across):
        inside += weight * filtered[:, column : column + width]
    return inside
