"""How far a plane's gradients are scattered: blur spreads them, and so does what rings."""

import numpy as np

from selfsharp.blur.deconvolve import divide_plane
from selfsharp.blur.psf import Psf
from selfsharp.blur.spectrum import derivatives
from selfsharp.image import Plane

CAREFUL = (0.02, 0.01)
"""Weight of the prior where estimates are compared by what undoing them leaves."""


def diffuseness(grey: Plane, mask: Plane, psf: Psf) -> float:
    """How little gradients are gathered in few places once a PSF is undone; less is better.

    Blur spreads gradients, and so does the ringing of a wrong PSF.

    Args:
        grey: mean of the channels, 0..1.
        mask: 1 where blurred.
        psf: how it may be blurred.
    """
    sharp = divide_plane(grey, mask, psf, CAREFUL)
    rim = max(4, psf.shape[0] // 3)
    inner = slice(rim, -rim), slice(rim, -rim)
    size = np.hypot(*derivatives(sharp))[inner][mask[inner] > 0.5]
    if not size.any():
        return 0.0
    return scatter(size)


def scatter(slopes: np.ndarray) -> float:
    """How little gradients are gathered in few places: log of their mean over their RMS.

    No contrast changes it. After D. Krishnan, T. Tay and R. Fergus, Blind deconvolution using a
    normalized sparsity measure, 2011, doi:10.1109/CVPR.2011.5995521.

    Args:
        slopes: sizes of gradients, not all of them 0.
    """
    return float(np.log(slopes.mean() / np.sqrt((slopes**2).mean())))
