"""What a restored image still lacks, told by blurring it again.

Blurred by the PSF that was estimated, it should be the image that was given.
"""

import numpy as np

from selfsharp.blur.deconvolve import CONTRAST
from selfsharp.blur.psf import Psf
from selfsharp.blur.spectrum import back, bordered, centred_spectrum, slope_power, transform
from selfsharp.image import Plane


def lacking(restored: Plane, given: Plane, mask: Plane, psf: Psf, damping: float) -> Plane:
    """What is to be added to a restored plane so that it explains the given one.

    It is the x that makes |psf * (restored + x) - given|^2 + damping |x|^2 least, where the last
    is weighed by the root of the gradients' power: a restored image errs most at low frequencies,
    and of those a PSF tells most. The filter of N. Wiener (1949), around the restored plane.

    Args:
        restored: what was made of the given plane.
        given: blurred in the mask, and sharp beside it.
        mask: 1 where it is blurred.
        psf: how.
        damping: how little the PSF is trusted beside the restored plane; more changes less.
    """
    border, (height, width) = psf.shape[0], mask.shape
    photo = slice(border, border + height), slice(border, border + width)
    # Beyond the plane's edges nothing is known, and so nothing is lacking: the mask is 0 there.
    inside = bordered(mask, border, mode="constant")
    blur = centred_spectrum(psf, inside.shape)
    again = back(blur * transform(bordered(restored, border)), inside.shape)
    left = inside * (bordered(given, border) - again)
    prior = np.float32(damping) * np.sqrt(slope_power(inside.shape) + np.float32(CONTRAST))
    filtered = transform(left) * (np.conj(blur) / (np.abs(blur) ** 2 + prior))
    return back(filtered, inside.shape)[photo]
