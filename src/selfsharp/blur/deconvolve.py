"""Undoes a known blur in a part of an image."""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from selfsharp.blur.frame import Frame, Whole
from selfsharp.blur.psf import Psf
from selfsharp.blur.spectrum import (
    PowerSpectrum,
    Spectrum,
    back,
    bordered,
    centred_spectrum,
    derivatives,
    divergence,
    over,
    slope_power,
    transform,
)
from selfsharp.image import Image, Plane, grey_of

SPARSITY = 0.8
"""Exponent of the gradients' prior: 2 is Gaussian, under 1 keeps edges."""
FIDELITY = 500.0
"""Weight of the data beside the prior; more restores more, and trusts the PSF more."""
DAMPINGS = (0.01,)
"""Weight of the prior in each round of dividing the blur out."""
CONTRAST = 0.02
"""What the prior adds to the gradients' power, for the lowest frequencies."""


def deconvolve(image: Image, mask: Plane, psf: Psf, fidelity: float = FIDELITY) -> Image:
    """The image that, blurred by the PSF, explains the masked part of the given one.

    Outside the mask the given image is sharp already. There its re-blurred self takes its
    place, so that the whole is blurred evenly and nothing rings at the mask's border. The
    prior is sparse gradients by half-quadratic splitting (Krishnan and Fergus 2009, Fast
    image deconvolution using hyper-Laplacian priors, NIPS).

    Args:
        image: RGB in 0..1.
        mask: 1 where the image is blurred; only there is the result of use.
        psf: how it is blurred.
        fidelity: weight of the data beside the prior.
    """
    border, (height, width) = psf.shape[0], mask.shape
    inside = bordered(mask, border, mode="constant")
    shape = inside.shape
    blur, slopes = centred_spectrum(psf, shape), slope_power(shape)
    energy = np.abs(blur) ** 2
    result = np.empty_like(image)
    for channel in range(3):
        given = bordered(image[:, :, channel], border)
        data = np.conj(blur) * _evenly_blurred(given, given, inside, blur)
        latent = back(over(data, energy + 0.02 * slopes + 1e-5), shape)
        coupling = 1.0
        while coupling < 256:
            across, below = (_shrunk(slope, coupling) for slope in derivatives(latent))
            prior = transform(divergence(across, below))
            weight = coupling / fidelity
            latent = back(over(data + weight * prior, energy + weight * slopes), shape)
            coupling *= 2 * math.sqrt(2)
        result[:, :, channel] = latent[border : border + height, border : border + width]
    return np.clip(result, 0, 1)


def divide(image: Image, mask: Plane, psf: Psf, dampings: Sequence[float] = DAMPINGS) -> Image:
    """The image with the blur divided out in one step: quick, exact, and noisy.

    With H the spectrum of the PSF, D those of the derivatives, and a the damping, the evenly
    blurred image is multiplied by conj(H) / (|H|^2 + a (|D|^2 + CONTRAST)): the filter of N.
    Wiener (1949) with the power of a photo's gradients as its prior. Like :func:`deconvolve` it
    takes the surroundings of the mask for sharp. What lies beyond the photo's edges is unknown:
    first the photo mirrored, blurred again; then, from round to round, the last result is.

    Args:
        image: RGB in 0..1.
        mask: 1 where the image is blurred; only there is the result of use.
        psf: how it is blurred.
        dampings: weight of the prior in each round; less restores more, noise and errors
            included. More in the first ones keeps errors from feeding the next.
    """
    division, divided = _Division.of(mask, psf), np.empty((*mask.shape, 3), np.float32)
    inverses = division.inverses(dampings)
    for channel in range(3):
        divided[:, :, channel] = division.divided(image[:, :, channel], inverses)
    return divided


def divide_plane(
    plane: Plane, mask: Plane, psf: Psf, dampings: Sequence[float] = DAMPINGS
) -> Plane:
    """:func:`divide` for one channel."""
    division = _Division.of(mask, psf)
    return division.divided(plane, division.inverses(dampings))


def divide_twice(
    image: Image,
    mask: Plane,
    psf: Psf,
    dampings: tuple[Sequence[float], Sequence[float]],
    threads: int = 1,
) -> tuple[Image, Plane]:
    """:func:`divide` by one set of dampings, and :func:`divide_plane` of the grey image by another.

    Filters serve both, and threads share the planes evenly.

    Args:
        image: RGB in 0..1.
        mask: 1 where the image is blurred; only there are the results of use.
        psf: how it is blurred.
        dampings: those of the colours, and those of brightness.
        threads: more than one work on channels side by side.
    """
    division, divided = _Division.of(mask, psf), np.empty((*mask.shape, 3), np.float32)
    careful, bold = (division.inverses(some) for some in dampings)
    # Brightness first: it takes longest.
    planes = [grey_of(image), *(image[:, :, channel] for channel in range(3))]
    with ThreadPoolExecutor(threads) as pool:
        each = pool.map if threads > 1 else map
        results = each(division.divided, planes, [bold, careful, careful, careful])
        brightness = next(results)
        for channel, plane in enumerate(results):
            divided[:, :, channel] = plane
    return divided, brightness


@dataclass(frozen=True, eq=False)
class _Division:
    """What all planes have in common that one PSF is divided out of, in one mask."""

    mask: Plane
    border: int
    inside: Whole
    blur: Spectrum
    power: PowerSpectrum
    prior: PowerSpectrum
    frame: Frame | None

    @staticmethod
    def of(mask: Plane, psf: Psf) -> "_Division":
        border = psf.shape[0]
        inside = bordered(mask, border, mode="constant")
        blur = centred_spectrum(psf, inside.shape)
        prior = slope_power(inside.shape) + np.float32(CONTRAST)
        frame = Frame.around(mask, border, inside.shape, psf)
        return _Division(mask, border, inside, blur, np.abs(blur) ** 2, prior, frame)

    @property
    def photo(self) -> tuple[slice, slice]:
        """Where the plane lies within its border."""
        rows, columns = (slice(self.border, self.border + side) for side in self.mask.shape)
        return rows, columns

    def inverses(self, dampings: Sequence[float]) -> list[Spectrum]:
        """The filter of each round, by the weight of the prior in it."""
        cross = np.conj(self.blur)
        return [over(cross, self.power + damping * self.prior) for damping in dampings]

    def divided(self, plane: Plane, inverses: Sequence[Spectrum]) -> Plane:
        """The plane with the blur divided out, round by round.

        Args:
            plane: blurred in the mask.
            inverses: filters that :meth:`inverses` has made.
        """
        photo = self.photo
        given = sharp = bordered(plane, self.border)
        latent = plane
        for number, inverse in enumerate(inverses):
            if number:
                inner = np.where(self.mask > 0, np.clip(latent, 0, 1), plane)
                sharp = bordered(inner, self.border)
            if self.frame:
                evenly = transform(self.frame.filled(given, sharp))
            else:
                evenly = _evenly_blurred(given, sharp, self.inside, self.blur)
            latent = back(inverse * evenly, self.inside.shape)[photo]
        return np.clip(latent, 0, 1)


def _evenly_blurred(given: Whole, sharp: Whole, inside: Whole, blur: Spectrum) -> Spectrum:
    """The spectrum of a plane whose surroundings are those of a sharp one, blurred alike."""
    again = back(blur * transform(sharp), given.shape)
    return transform(inside * given + (1 - inside) * again)


def _shrunk(slope: Plane, coupling: float) -> Plane:
    """Gradients moved towards 0 by the prior, one step of its fixed point."""
    size = np.abs(slope)
    step = SPARSITY / coupling * np.maximum(size, np.float32(1e-3)) ** (SPARSITY - 1)
    return np.sign(slope) * np.maximum(size - step, 0)
