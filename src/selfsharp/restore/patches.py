"""Patches as they are compared: means of squares, as fine as a blur lets structure be."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32

from selfsharp.blur.psf import Psf, blur_radius
from selfsharp.image import Image

Corners = Int32[np.ndarray, "patches 2"]
Patches = Float32[np.ndarray, "patches values"]

SAMPLES = 7
"""Samples along a patch's side that are compared, in each channel."""
FINE = 4.0
"""Samples per blur radius: what is blurred by it holds no finer structure."""
LEAST_SIDE = 9
"""Side of the smallest patch, in pixels."""


@dataclass(frozen=True)
class Layout:
    """How a patch is sampled: so many means of squares along its side.

    Attributes:
        samples: squares along the side.
        spacing: side of a square in pixels.
    """

    samples: int
    spacing: int

    @property
    def side(self) -> int:
        """Side of a patch in pixels."""
        return self.samples * self.spacing

    @classmethod
    def for_blur(cls, psf: Psf) -> "Layout":
        """As fine as the blur lets structure be."""
        spacing = max(1, round(blur_radius(psf) / FINE))
        return cls(max(SAMPLES, -(-LEAST_SIDE // spacing)), spacing)

    def patches(self, means: Image, corners: Corners) -> Patches:
        """Patches as vectors, each channel without its mean.

        Args:
            means: the mean of the square that begins at each pixel.
            corners: their first rows and columns.
        """
        grid = np.arange(self.samples) * self.spacing
        rows, columns = (corners[:, axis, None] + grid for axis in (0, 1))
        samples = means[rows[:, :, None], columns[:, None, :]].reshape(len(corners), -1, 3)
        return (samples - samples.mean(axis=1, keepdims=True)).reshape(len(corners), -1)

    def means(self, image: Image) -> Image:
        """The mean of the square that begins at each pixel; edges repeated."""
        if self.spacing == 1:
            return image
        fill = self.spacing - 1
        sums = np.pad(image, ((1, fill), (1, fill), (0, 0)), "edge").astype(np.float64)
        sums[0], sums[:, 0] = 0, 0
        sums = sums.cumsum(axis=0).cumsum(axis=1)
        far, wide = sums[self.spacing :], slice(self.spacing, None)
        near, narrow = sums[: -self.spacing], slice(None, -self.spacing)
        whole = far[:, wide] - far[:, narrow] - near[:, wide] + near[:, narrow]
        return (whole / self.spacing**2).astype(np.float32)
