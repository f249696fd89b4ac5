"""Makes a blurred photo out of a sharp one: A = b * S + N, region by region."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.camera import Camera, Curve, develop, expose, show
from selfsharp.blur.convolve import convolve
from selfsharp.blur.kinds import KINDS
from selfsharp.blur.psf import Psf, blur_radius
from selfsharp.blur.regions import blob, everywhere, half_plane
from selfsharp.config import BlurSettings
from selfsharp.image import Image, Plane, read_photo

Cutout = Float32[np.ndarray, "height width 4"]
"""An object and its alpha, RGBA in 0..1, on a canvas of the photo's size."""


@dataclass(frozen=True)
class Sample:
    """A photo before and after blur, and the truth about the blur.

    Attributes:
        blurred: the image as the camera saves it.
        sharp: what it would be without blur and without noise.
        blur_map: true blur radius in pixels, 0 where sharp.
    """

    blurred: Image
    sharp: Image
    blur_map: Plane

    @property
    def mask(self) -> Plane:
        """1 where the photo is blurred at all, else 0."""
        return (self.blur_map > 0).astype(np.float32)


def blur_region(
    sharp: Image, psf: Psf, region: Plane, camera: Camera, generator: np.random.Generator
) -> Sample:
    """Blurs a region of a photo by one PSF.

    Where the region's alpha is between 0 and 1 the blurred and the sharp image are mixed,
    which is blur by the PSF (1 - a) delta + a p; its radius is sqrt(a) times the PSF's.

    Args:
        region: alpha of the blurred part in 0..1.
        camera: light, noise, saturation, JPEG and rounding.
    """
    light = expose(sharp, camera)
    alpha = region[:, :, None]
    mixed = light + alpha * (convolve(light, psf) - light)
    blur_map = np.sqrt(region) * np.float32(blur_radius(psf))
    return Sample(develop(mixed, camera, generator), show(light, camera), blur_map)


def blur_cutout(
    background: Image, cutout: Cutout, psf: Psf, camera: Camera, generator: np.random.Generator
) -> Sample:
    """A blurred object before a sharp background.

    Object and alpha are blurred together and composed over the background, so that the
    background shines through the object's smeared edge as it does in a photo.
    """
    alpha = cutout[:, :, 3:]
    thing = expose(cutout[:, :, :3], camera) * alpha
    smeared = convolve(np.concatenate([thing, alpha], axis=2), psf)
    smeared_alpha = np.clip(smeared[:, :, 3:], 0, 1)
    behind = expose(background, camera)
    light = smeared[:, :, :3] + (1 - smeared_alpha) * behind
    sharp = show(thing + (1 - alpha) * behind, camera)
    # Under half a grey level of the object, the background is what it was.
    change = np.abs(show(light, camera) - show(behind, camera))
    touched = np.maximum(smeared_alpha, change).max(axis=2) > 0.5 / 255
    blur_map = touched * np.float32(blur_radius(psf))
    return Sample(develop(light, camera, generator), sharp, blur_map)


def blur_photo(sharp: Image, settings: BlurSettings) -> Sample:
    """Blurs a photo as the command ``selfsharp blur`` is told to.

    Raises:
        ValueError: a setting is out of its range, or the cut-out is missing.
    """
    _check(settings)
    generator = np.random.default_rng(settings.seed)
    psf = KINDS.load(settings.kind).psf(settings.radius, generator)
    camera = _camera(settings)
    height, width = sharp.shape[:2]
    if settings.region == "cutout":
        cutout = _read_cutout(settings.cutout, height, width)
        return blur_cutout(sharp, cutout, psf, camera, generator)
    region = {
        "everywhere": lambda: everywhere(height, width),
        "blob": lambda: blob(height, width, generator, settings.share),
        "half-plane": lambda: half_plane(height, width, generator),
    }[settings.region]()
    return blur_region(sharp, psf, region, camera, generator)


def _check(settings: BlurSettings) -> None:
    """Refuses settings out of their range."""
    limits = {
        "radius": (settings.radius, 0, 100),
        "noise": (settings.noise, 0, 1),
        "saturation": (settings.saturation, 1, 100),
        "exposure": (settings.exposure, -8, 8),
        "shot-noise": (settings.shot_noise, 0, 1),
        "read-noise": (settings.read_noise, 0, 1),
        "chroma-blur": (settings.chroma_blur, 0, 10),
        "jpeg-quality": (95 if settings.jpeg_quality is None else settings.jpeg_quality, 1, 95),
        "seed": (settings.seed, 0, math.inf),
    }
    for name, (value, low, high) in limits.items():
        if not low <= value <= high:
            raise ValueError(f"--{name} {value:g} is out of range; give {low} to {high}")


def _camera(settings: BlurSettings) -> Camera:
    """The camera that the command's flags describe."""
    return Camera(
        light=settings.light,
        noise=settings.noise,
        saturation=settings.saturation,
        jpeg_quality=settings.jpeg_quality,
        curve=Curve(settings.gamma, settings.contrast),
        exposure=settings.exposure,
        shot_noise=settings.shot_noise,
        read_noise=settings.read_noise,
        chroma_blur=settings.chroma_blur,
        chroma_subsampling=settings.chroma_subsampling,
    )


def _read_cutout(path: Path | None, height: int, width: int) -> Cutout:
    """An object with alpha from a file, in the middle of a canvas of the photo's size."""
    if path is None:
        raise ValueError("--region cutout needs an object; give --cutout FILE, a PNG with alpha")
    photo = read_photo(path)
    if photo.alpha is None:
        raise ValueError(f"{path} has no alpha channel; give a PNG or WebP of an object with one")
    thing = np.dstack([photo.image, photo.alpha])[:height, :width]
    canvas = np.zeros((height, width, 4), np.float32)
    row, column = (height - thing.shape[0]) // 2, (width - thing.shape[1]) // 2
    canvas[row : row + thing.shape[0], column : column + thing.shape[1]] = thing
    return canvas
