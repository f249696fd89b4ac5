"""Blur that differs from place to place: a camera that turns, things that move, depth."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.camera import Camera, develop, expose, show
from selfsharp.blur.convolve import convolve_inside
from selfsharp.blur.kinds import defocus
from selfsharp.blur.layers import Layer, average_moments
from selfsharp.blur.path import Path, rest
from selfsharp.blur.psf import Psf, blur_radius
from selfsharp.blur.synthesis import Cutout, Sample
from selfsharp.image import Image, Plane

LEVELS = 5
"""Discs that a picture is blurred with, of which each pixel mixes the two nearest."""


def blur_by_path(
    scene: Image,
    path: Path,
    margin: int,
    camera: Camera,
    generator: np.random.Generator,
    nearer: Sequence[tuple[Plane, float]] = (),
) -> Sample:
    """A photo taken by a camera that shifts and turns: the mean of warps along its path.

    Args:
        scene: the sharp photo with a margin that its paths may reach into.
        path: how the picture moves; its middle moment is the sharp picture.
        margin: rows and columns of the scene that are left out on each side.
        nearer: alpha of nearer parts, and how many times as far as the rest they shift.
    """
    light = expose(scene, camera)
    layers = [Layer(light, path)]
    layers += [Layer(light, path.scaled(nearness), alpha) for alpha, nearness in nearer]
    return _taken(layers, margin, camera, generator)


def blur_object(
    background: Image,
    cutout: Cutout,
    path: Path,
    margin: int,
    camera: Camera,
    generator: np.random.Generator,
    *,
    behind: Path | None = None,
    background_psf: Psf | None = None,
) -> Sample:
    """An object that moves before a background that rests, moves, or is out of focus.

    Args:
        background: the sharp photo, with a margin.
        cutout: the object and its alpha, with the same margin.
        path: how the object moves.
        margin: rows and columns that are left out on each side.
        behind: how the background moves, in as many moments; not at all when None.
        background_psf: how the lens blurs the background; sharp when None.
    """
    moving = behind or rest(len(path))
    layers = [
        Layer(expose(background, camera), moving, psf=background_psf),
        Layer(expose(cutout[:, :, :3], camera), path, cutout[:, :, 3]),
    ]
    return _taken(layers, margin, camera, generator)


def blur_by_depth(
    scene: Image,
    radius: Float32[np.ndarray, "inner_height inner_width"],
    camera: Camera,
    generator: np.random.Generator,
) -> Sample:
    """A photo whose focus lies at one depth: each pixel is blurred by a disc of its own radius.

    The photo is blurred by a few discs; a pixel mixes the two nearest of them so that its
    squared radius is just what is wanted.

    Args:
        scene: the sharp photo with an even margin around the plane, wide enough for the
            widest disc: `margin_of(radius.max())`.
        radius: wanted RMS blur radius of every pixel, 0 where sharp.
    """
    margin = (scene.shape[0] - radius.shape[0]) // 2
    light = expose(scene, camera)
    softness = int(generator.integers(2**32))
    psfs = [
        defocus.psf(float(level), np.random.default_rng(softness))
        for level in np.linspace(0, float(radius.max()), LEVELS + 1)
    ]
    steps = convolve_inside(light, psfs, margin)
    squares = np.array([blur_radius(psf) for psf in psfs]) ** 2
    wanted = np.minimum(radius.astype(np.float64) ** 2, squares[-1])
    lower = np.clip(np.searchsorted(squares, wanted, side="right") - 1, 0, LEVELS - 1)
    share = (wanted - squares[lower]) / np.maximum(squares[lower + 1] - squares[lower], 1e-9)
    share = np.clip(share, 0, 1).astype(np.float32)[:, :, None]
    blurred = np.empty_like(steps[0])
    for level in range(LEVELS):
        here = lower == level
        part = share[here]
        blurred[here] = (1 - part) * steps[level][here] + part * steps[level + 1][here]
    inner = slice(margin, margin + radius.shape[0]), slice(margin, margin + radius.shape[1])
    sharp = show(light[inner], camera)
    return Sample(develop(blurred, camera, generator), sharp, np.sqrt(wanted).astype(np.float32))


def margin_of(radius: float) -> int:
    """The margin in pixels that a disc of an RMS radius needs."""
    return math.ceil(radius * math.sqrt(2)) + 3


def _taken(
    layers: list[Layer], margin: int, camera: Camera, generator: np.random.Generator
) -> Sample:
    """The photo that a camera takes of a scene in layers."""
    exposure = average_moments(layers, margin)
    blurred = develop(exposure.blurred, camera, generator)
    return Sample(blurred, show(exposure.sharp, camera), exposure.blur_map)
