"""What samples are made of: kinds of blur, regions, cameras and windows, all drawn by chance."""

import math

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.convolve import to_display, to_linear
from selfsharp.blur.kinds import KINDS, shake
from selfsharp.blur.psf import Psf
from selfsharp.blur.regions import blob, everywhere, half_plane
from selfsharp.blur.synthesis import Camera
from selfsharp.config import Mix
from selfsharp.image import Image, Plane
from selfsharp.training.pool import Pixels


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


def draw_camera(generator: np.random.Generator) -> Camera:
    """A camera: half in linear light, mostly clean, some clipped highlights, some JPEG."""
    return Camera(
        light="linear" if generator.uniform() < 0.4 else "display",
        noise=float(generator.choice([generator.uniform(0, 2.5), 1.0])) / 255,
        saturation=float(generator.uniform(1, 4)) if generator.uniform() < 0.15 else 1.0,
        jpeg_quality=int(generator.integers(60, 97)) if generator.uniform() < 0.2 else None,
    )


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


def averaged(burst: list[Pixels], *, linear: bool) -> Image:
    """The mean of frames, as displayed or in linear light."""
    frames = np.stack(burst).astype(np.float32) / np.float32(255)
    if not linear:
        return frames.mean(axis=0)
    width = frames.shape[2]
    return to_display(to_linear(frames.reshape(-1, width, 3)).reshape(frames.shape).mean(axis=0))
