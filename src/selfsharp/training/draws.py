"""What samples are made of: kinds of blur, regions, cameras and windows, all drawn by chance."""

import math

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.camera import Camera, ChromaSubsampling, Curve
from selfsharp.blur.kinds import KINDS, shake
from selfsharp.blur.psf import Psf
from selfsharp.blur.regions import blob, everywhere, half_plane
from selfsharp.blur.synthesis import Sample
from selfsharp.image import Plane
from selfsharp.recipe import Mix
from selfsharp.training.pool import Pixels

GRID = 8
"""Side of a JPEG's blocks: samples are cut at any place of their grid, as tiles of a photo are."""


def draw_psf(mix: Mix, generator: np.random.Generator) -> Psf:
    """A PSF of a kind and radius drawn from the mix."""
    kind = pick(mix.kinds, generator)
    if generator.uniform() < mix.light:
        radius = generator.uniform(0.25, 1.0)
    elif kind == "shake":
        return shake.psf_of_extent(generator.uniform(6, 28), generator)
    else:
        low, high = np.log(mix.radius)
        radius = math.exp(generator.uniform(low, high))
    return KINDS.load(kind).psf(radius, generator)


def draw_radius(mix: Mix, generator: np.random.Generator) -> float:
    """A blur radius in pixels drawn from the mix."""
    if generator.uniform() < mix.light:
        return generator.uniform(0.25, 1.0)
    low, high = np.log(mix.radius)
    return math.exp(generator.uniform(low, high))


def draw_camera(generator: np.random.Generator, whole: float = 0.0) -> Camera:
    """A camera: half in linear light, mostly clean, some clipped highlights, some JPEG.

    Args:
        whole: share of cameras that do all that a camera does to light instead.
    """
    if whole and generator.uniform() < whole:
        return draw_whole_camera(generator)
    return Camera(
        light="linear" if generator.uniform() < 0.4 else "display",
        noise=float(generator.choice([generator.uniform(0, 2.5), 1.0])) / 255,
        saturation=float(generator.uniform(1, 4)) if generator.uniform() < 0.15 else 1.0,
        jpeg_quality=int(generator.integers(60, 97)) if generator.uniform() < 0.2 else None,
    )


def draw_whole_camera(generator: np.random.Generator) -> Camera:
    """A camera with a curve, exposure, shot and read noise, demosaicing and mostly a JPEG."""
    gamma = None if generator.uniform() < 0.4 else float(generator.uniform(1.8, 2.6))
    contrast = float(generator.uniform(0.1, 0.6)) if generator.uniform() < 0.5 else 0.0
    shot_noise = math.exp(generator.uniform(math.log(0.002), math.log(0.03)))
    return Camera(
        light="linear",
        noise=0.0,
        saturation=float(generator.uniform(1, 6)) if generator.uniform() < 0.4 else 1.0,
        jpeg_quality=int(generator.integers(72, 96)) if generator.uniform() < 0.6 else None,
        curve=Curve(gamma, contrast),
        exposure=float(generator.uniform(-1.2, 0.7)) if generator.uniform() < 0.5 else 0.0,
        shot_noise=shot_noise,
        read_noise=shot_noise * generator.uniform(0.02, 0.1),
        chroma_blur=float(generator.uniform(0.4, 1.0)) if generator.uniform() < 0.7 else 0.0,
        chroma_subsampling=SUBSAMPLINGS[generator.choice(3, p=(0.6, 0.2, 0.2))],
    )


SUBSAMPLINGS: tuple[ChromaSubsampling, ...] = ("4:2:0", "4:2:2", "4:4:4")


def draw_region(shape: str, size: int, generator: np.random.Generator) -> Plane:
    """Alpha of a blurred part of the given shape."""
    if shape == "blob":
        share, edge = generator.uniform(0.15, 0.85), generator.uniform(1, 12)
        return blob(size, size, generator, share, edge)
    if shape == "half-plane":
        return half_plane(size, size, generator)
    return everywhere(size, size)


def cut(
    photo: Pixels, size: int, generator: np.random.Generator
) -> Float32[np.ndarray, "size size channels"]:
    """A square crop of a photo, mirrored beyond its edges where the photo is smaller."""
    photo = at_least(photo, size)
    crop = photo[choose_window(photo, size, generator)]
    return crop.astype(np.float32) / np.float32(255)


def off_grid(sample: Sample, size: int, generator: np.random.Generator) -> Sample:
    """A square of the sample, at a place of the JPEG's grid drawn by chance."""
    row, column = generator.integers(0, np.array(sample.blur_map.shape) - size + 1)
    inner = slice(row, row + size), slice(column, column + size)
    return Sample(sample.blurred[inner], sample.sharp[inner], sample.blur_map[inner])


def at_least(photo: Pixels, size: int) -> Pixels:
    """The photo, mirrored beyond its edges where it is smaller than a square of that size."""
    pad = [(0, max(0, size - side)) for side in photo.shape[:2]]
    return np.pad(photo, [*pad, (0, 0)], "symmetric") if any(map(any, pad)) else photo


def choose_window(photo: Pixels, size: int, generator: np.random.Generator) -> tuple[slice, slice]:
    """The busier of two random windows: flat sky and walls teach little."""
    height, width = photo.shape[:2]
    best, most = (slice(0, size), slice(0, size)), -1.0
    for _ in range(2):
        row, column = generator.integers(height - size + 1), generator.integers(width - size + 1)
        window = (slice(row, row + size), slice(column, column + size))
        # Every eighth row of one channel is enough to tell.
        lines = photo[window][::8, :, 1].astype(np.int16)
        busy = float(np.abs(np.diff(lines, axis=1)).mean())
        if busy > most:
            best, most = window, busy
    return best


def pick(shares: dict[str, float], generator: np.random.Generator) -> str:
    """A name drawn by its share."""
    weights = np.array(list(shares.values()))
    return str(generator.choice(list(shares), p=weights / weights.sum()))
