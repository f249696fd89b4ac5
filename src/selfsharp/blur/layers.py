"""A scene in layers that move on their own during an exposure, averaged as a sensor does.

A layer is a piece of the scene at one depth, with its alpha and its path. At every moment of
the exposure the layers are warped and laid over one another; the blurred picture is the mean
of all moments, the sharp one is the middle moment. What is behind an object's smeared edge
shines through just as long as it is seen.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from PIL import Image as PillowImage

from selfsharp.blur.convolve import convolve
from selfsharp.blur.path import Path
from selfsharp.blur.psf import Psf, blur_radius
from selfsharp.image import Image, Plane

Planes = Float32[np.ndarray, "_ height width"]
"""Light times alpha in three planes, and alpha in a fourth where the layer has one."""


@dataclass(frozen=True)
class Layer:
    """A piece of the scene.

    Attributes:
        light: linear light, from 0 up, on a canvas that all layers share.
        path: how it moves during the exposure.
        alpha: where it is, 0..1; everywhere when None.
        psf: how the lens blurs it; sharp when None.
    """

    light: Image
    path: Path
    alpha: Plane | None = None
    psf: Psf | None = None

    def planes(self, *, blurred: bool) -> Planes:
        """Light times alpha, and alpha where there is one, channels first."""
        whole = self.light
        if self.alpha is not None:
            alpha = self.alpha[:, :, None]
            whole = np.concatenate([whole * alpha, alpha], axis=2)
        if blurred and self.psf is not None:
            whole = convolve(whole, self.psf)
        return np.ascontiguousarray(whole.transpose(2, 0, 1))


@dataclass(frozen=True)
class Exposure:
    """What the sensor gets.

    Attributes:
        blurred: mean light of all moments.
        sharp: light of the middle moment, without the lens's blur.
        blur_map: RMS radius, in pixels, of what each pixel's light was gathered from.
    """

    blurred: Image
    sharp: Image
    blur_map: Plane


def average_moments(layers: list[Layer], margin: int) -> Exposure:
    """The exposure of a scene, without a margin that its paths may reach into.

    Where layers are mixed, so are their squared radii, as long as each is seen.

    Args:
        layers: from the furthest, which has no alpha, to the nearest; equally long paths.
        margin: rows and columns to leave out on each side.

    Raises:
        ValueError: the layers do not fit one another, or the margin leaves nothing.
    """
    moments = len(layers[0].path)
    size = layers[0].light.shape[:2]
    if any(layer.light.shape[:2] != size or len(layer.path) != moments for layer in layers):
        raise ValueError("layers of one scene differ in size or in moments; give them alike")
    if 2 * margin >= min(size):
        raise ValueError(f"a margin of {margin} leaves nothing of {size[0]} x {size[1]} pixels")
    within = slice(margin, size[0] - margin), slice(margin, size[1] - margin)
    films = [_Film(layer, margin) for layer in layers]
    total = np.zeros((3, size[0] - 2 * margin, size[1] - 2 * margin), np.float32)
    for moment in range(moments):
        total += _laid_over([film.at(moment) for film in films])
    sharp = _laid_over([layer.planes(blurred=False)[(slice(None), *within)] for layer in layers])
    squares = films[0].squares()
    for film in films[1:]:
        squares = squares + film.mean_alpha() * (film.squares() - squares)
    return Exposure(_image(total / np.float32(moments)), _image(sharp), np.sqrt(squares))


class _Film:
    """A layer as each moment shows it, with an account of how long it is seen."""

    def __init__(self, layer: Layer, margin: int) -> None:
        height, width = (side - 2 * margin for side in layer.light.shape[:2])
        self.layer, self.margin, self.shape = layer, margin, (height, width)
        # Paths that reach further than the margin see the edge repeated.
        self.frame = max(0, math.ceil(layer.path.reach(*layer.light.shape[:2])) + 2 - margin)
        planes = layer.planes(blurred=True)
        frame = (self.frame, self.frame)
        self.pictures = [
            PillowImage.fromarray(np.pad(plane, (frame, frame), "edge")) for plane in planes
        ]
        self.weights = layer.path.affine()
        inside = slice(margin, margin + height), slice(margin, margin + width)
        self.resting = planes[(slice(None), *inside)] if layer.path.still else None
        self.alphas = np.zeros((height, width), np.float32)

    def at(self, moment: int) -> Planes:
        """The layer at a moment, without the margin."""
        shown = self.resting
        if shown is None:
            shown = self._warped(self.weights[moment])
        if len(shown) > 3:
            self.alphas += shown[3]
        return shown

    def _warped(self, weights: Float[np.ndarray, "2 3"]) -> Planes:
        """The planes seen at the places of a moment, bilinearly."""
        (row, row_down, row_across), (column, column_down, column_across) = weights
        # Pillow counts from the corner of a pixel, we from its centre, and of the layer's.
        corner = self.margin - 0.5
        data = (
            column_across,
            column_down,
            column + self.frame + 0.5 + corner * (column_across + column_down),
            row_across,
            row_down,
            row + self.frame + 0.5 + corner * (row_across + row_down),
        )
        height, width = self.shape
        how = PillowImage.Transform.AFFINE, data, PillowImage.Resampling.BILINEAR
        return np.stack([np.asarray(one.transform((width, height), *how)) for one in self.pictures])

    def mean_alpha(self) -> Plane:
        """How long the layer is seen at each pixel, as a share of the exposure."""
        return self.alphas / np.float32(len(self.layer.path))

    def squares(self) -> Plane:
        """The squared radius in pixels^2 of what each pixel's light was gathered from."""
        path = self.layer.path
        by_lens = 0.0 if self.layer.psf is None else blur_radius(self.layer.psf) ** 2
        moved = path.variance(*self.shape, self.margin) + np.float32(by_lens)
        return moved if path.still else moved + self._between()

    def _between(self) -> Plane:
        """What interpolation adds to the squared radius: f (1 - f) where it mixes 1 - f and f."""
        row = np.arange(self.margin, self.margin + self.shape[0])[:, None]
        column = np.arange(self.margin, self.margin + self.shape[1])[None]
        added = np.zeros(self.shape, np.float32)
        for base, down, across in self.weights.reshape(-1, 3):
            share = (base + down * row).astype(np.float32) + (across * column).astype(np.float32)
            share -= np.floor(share)
            added += share * (1 - share)
        return added / np.float32(len(self.weights))


def _laid_over(shown: list[Planes]) -> Float32[np.ndarray, "3 height width"]:
    """The light of layers, from the furthest to the nearest, one over the other."""
    scene = shown[0]
    for layer in shown[1:]:
        scene = layer[:3] + (1 - layer[3]) * scene
    return scene


def _image(planes: Float32[np.ndarray, "3 height width"]) -> Image:
    return np.ascontiguousarray(planes.transpose(1, 2, 0))
