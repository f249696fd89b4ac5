"""Structural similarity with one window over the whole picture, RGB at 8 bit."""

import numpy as np

from selfsharp.image import Image, quantize
from selfsharp.region import Region, weights_of

REACH = 0
"""Pixels around a pixel that count with it."""
STEADY = ((0.01 * 255) ** 2, (0.03 * 255) ** 2)
"""What keeps the two fractions steady where there is no light and no contrast."""


def measure(restored: Image, sharp: Image, region: Region | None = None) -> float:
    """The mean over the three channels of SSIM of all pixels at once, up to 1 for equal ones.

    With means, variances and covariance over the region, C1 = (0.01 x 255)^2 and
    C2 = (0.03 x 255)^2:

    (2 mean_r mean_s + C1) (2 cov + C2) / ((mean_r^2 + mean_s^2 + C1) (var_r + var_s + C2))

    It sees no places: blur hardly lowers it while brightness and contrast stay, so it is far
    higher than `ssim` and not to be compared with it.

    Source: equation 9 of A. Khmag and R. Ramlee, *Blur Removal in Natural Digital Images
    Using Self-Reference Generative Networks*; the formula is that of Z. Wang, A. C. Bovik,
    H. R. Sheikh and E. P. Simoncelli, 2004, doi:10.1109/TIP.2003.819861.

    Args:
        restored: RGB in 0..1; both images are rounded to 8 bit first, as files are.
        region: the pixels that count, or their weights; all of them alike when None.

    Raises:
        ValueError: the region is empty, or a weight is negative or not finite.
    """
    weights = weights_of(region, sharp.shape[0], sharp.shape[1])[:, :, None]
    one, other = (quantize(image).astype(np.float64) for image in (restored, sharp))
    mean_one, mean_other = ((weights * image).sum(axis=(0, 1)) for image in (one, other))
    one, other = one - mean_one, other - mean_other
    spread = (weights * (one**2 + other**2)).sum(axis=(0, 1))
    shared = (weights * one * other).sum(axis=(0, 1))
    light = (2 * mean_one * mean_other + STEADY[0]) / (mean_one**2 + mean_other**2 + STEADY[0])
    return float((light * (2 * shared + STEADY[1]) / (spread + STEADY[1])).mean())
