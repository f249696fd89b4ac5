"""Structural similarity in windows of 11 px, RGB at 8 bit."""

import numpy as np
from jaxtyping import Float64

from selfsharp.blur.convolve import filter_inside
from selfsharp.image import Image, quantize
from selfsharp.region import Region, mean_over, pixels_of

REACH = 5
"""Pixels around a pixel that count with it: half a window."""
SIGMA = 1.5
"""Standard deviation of the Gaussian window, in pixels."""
STEADY = ((0.01 * 255) ** 2, (0.03 * 255) ** 2)
"""What keeps the two fractions steady where there is no light and no contrast."""


def measure(restored: Image, sharp: Image, region: Region | None = None) -> float:
    """The mean of SSIM over the picture and the three channels, up to 1, which equal ones have.

    Around each pixel, with means, variances and covariance weighed by a Gaussian of
    sigma 1.5 cut to 11 x 11, and C1 = (0.01 x 255)^2, C2 = (0.03 x 255)^2:

    (2 mean_r mean_s + C1) (2 cov + C2) / ((mean_r^2 + mean_s^2 + C1) (var_r + var_s + C2))

    Only pixels whose window lies on the picture count, so 5 px along the edge do not. A
    region weighs the values at its own pixels; their windows reach 5 px beyond it.

    Source: Z. Wang, A. C. Bovik, H. R. Sheikh and E. P. Simoncelli, 2004,
    doi:10.1109/TIP.2003.819861, there on grey images.

    Args:
        restored: RGB in 0..1; both images are rounded to 8 bit first, as files are.
        region: the pixels that count, or their weights; all of them alike when None.

    Raises:
        ValueError: the images are smaller than 11 px, the region is empty or lies within
            5 px of the edge alone, or a weight is negative or not finite.
    """
    height, width = sharp.shape[:2]
    if min(height, width) < 2 * REACH + 1:
        raise ValueError(
            f"images of {width} x {height} px are smaller than SSIM's window of 11 x 11; "
            "give larger ones, or take global_ssim"
        )
    one, other = (quantize(image).astype(np.float64) for image in (restored, sharp))
    channels = [_similarity(one[:, :, channel], other[:, :, channel]) for channel in range(3)]
    similarity = np.mean(channels, axis=0)
    if region is None:
        return mean_over(similarity)
    inside = slice(REACH, -REACH), slice(REACH, -REACH)
    if not pixels_of(region)[inside].any():
        raise ValueError(
            f"the region lies within {REACH} px of the edge, where SSIM has no whole window; "
            "give a larger region"
        )
    return mean_over(similarity, region[inside])


def _similarity(
    one: Float64[np.ndarray, "height width"], other: Float64[np.ndarray, "height width"]
) -> Float64[np.ndarray, "inner_height inner_width"]:
    """SSIM of every pixel whose window lies on the picture."""
    window = np.exp(-0.5 * (np.arange(-REACH, REACH + 1) / SIGMA) ** 2)
    window /= window.sum()

    def weighed(plane: np.ndarray) -> np.ndarray:
        return filter_inside(plane, window, window)

    mean_one, mean_other = weighed(one), weighed(other)
    spread_one = weighed(one * one) - mean_one**2
    spread_other = weighed(other * other) - mean_other**2
    shared = weighed(one * other) - mean_one * mean_other
    light = (2 * mean_one * mean_other + STEADY[0]) / (mean_one**2 + mean_other**2 + STEADY[0])
    return light * (2 * shared + STEADY[1]) / (spread_one + spread_other + STEADY[1])
