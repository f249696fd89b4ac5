"""Makes a blurred photo out of a sharp one: A = b * S + N, region by region."""

import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float32
from PIL import Image as PillowImage

from selfsharp.blur.convolve import convolve, to_display, to_linear
from selfsharp.blur.kinds import KINDS
from selfsharp.blur.psf import Psf, blur_radius
from selfsharp.blur.regions import blob, everywhere, half_plane
from selfsharp.config import BlurSettings
from selfsharp.image import Image, Plane, quantize, read_photo

Cutout = Float32[np.ndarray, "height width 4"]
"""An object and its alpha, RGBA in 0..1, on a canvas of the photo's size."""


@dataclass(frozen=True)
class Camera:
    """What the camera does to the light between the lens and the file."""

    light: Literal["display", "linear"] = "display"
    """Blur sRGB values as displayed (as published comparisons do) or linear light."""
    noise: float = 1 / 255
    """Standard deviation of the noise, on the 0..1 scale of the file."""
    saturation: float = 1.0
    """How many times brighter than white the clipped highlights really are; 1 or more."""
    jpeg_quality: int | None = None
    """Pass the photo through a JPEG of this quality, 1 to 95; not at all when not given."""
    rounded: bool = True
    """Round to 8 bit at the end, as a file does."""


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
    light = _exposed(sharp, camera)
    alpha = region[:, :, None]
    mixed = light + alpha * (convolve(light, psf) - light)
    blur_map = np.sqrt(region) * np.float32(blur_radius(psf))
    return Sample(_developed(mixed, camera, generator), _shown(light, camera), blur_map)


def blur_cutout(
    background: Image, cutout: Cutout, psf: Psf, camera: Camera, generator: np.random.Generator
) -> Sample:
    """A blurred object before a sharp background.

    Object and alpha are blurred together and composed over the background, so that the
    background shines through the object's smeared edge as it does in a photo.
    """
    alpha = cutout[:, :, 3:]
    thing = _exposed(cutout[:, :, :3], camera) * alpha
    smeared = convolve(np.concatenate([thing, alpha], axis=2), psf)
    smeared_alpha = np.clip(smeared[:, :, 3:], 0, 1)
    behind = _exposed(background, camera)
    light = smeared[:, :, :3] + (1 - smeared_alpha) * behind
    sharp = _shown(thing + (1 - alpha) * behind, camera)
    # Under half a grey level of the object, the background is what it was.
    change = np.abs(_shown(light, camera) - _shown(behind, camera))
    touched = np.maximum(smeared_alpha, change).max(axis=2) > 0.5 / 255
    blur_map = touched * np.float32(blur_radius(psf))
    return Sample(_developed(light, camera, generator), sharp, blur_map)


def blur_photo(sharp: Image, settings: BlurSettings) -> Sample:
    """Blurs a photo as the command ``selfsharp blur`` is told to.

    Raises:
        ValueError: a setting is out of its range, or the cut-out is missing.
    """
    _check(settings)
    generator = np.random.default_rng(settings.seed)
    psf = KINDS.load(settings.kind).psf(settings.radius, generator)
    camera = Camera(settings.light, settings.noise, settings.saturation, settings.jpeg_quality)
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


def through_camera(image: Image, camera: Camera, generator: np.random.Generator) -> Image:
    """The image with the camera's noise, JPEG and rounding, and no blur."""
    return _developed(_exposed(image, camera), camera, generator)


def _check(settings: BlurSettings) -> None:
    """Refuses settings out of their range."""
    limits = {
        "radius": (settings.radius, 0, 100),
        "noise": (settings.noise, 0, 1),
        "saturation": (settings.saturation, 1, 100),
        "jpeg-quality": (95 if settings.jpeg_quality is None else settings.jpeg_quality, 1, 95),
        "seed": (settings.seed, 0, math.inf),
    }
    for name, (value, low, high) in limits.items():
        if not low <= value <= high:
            raise ValueError(f"--{name} {value:g} is out of range; give {low} to {high}")


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


def _exposed(image: Image, camera: Camera) -> Image:
    """The light that reaches the sensor: clipped highlights get their true strength back."""
    light = to_linear(image) if camera.light == "linear" else image
    if camera.saturation > 1:
        near_white = np.clip((image.max(axis=2, keepdims=True) - 0.96) / 0.04, 0, 1)
        light = light * (1 + near_white * np.float32(camera.saturation - 1))
    return light


def _shown(light: Image, camera: Camera) -> Image:
    """The light as displayed: clipped, and without noise."""
    light = np.clip(light, 0, 1)
    return to_display(light) if camera.light == "linear" else light


def _developed(light: Image, camera: Camera, generator: np.random.Generator) -> Image:
    """The file that the camera makes of the light."""
    image = _shown(light, camera)
    if camera.noise > 0:
        noise = generator.standard_normal(image.shape, dtype=np.float32)
        image = image + np.float32(camera.noise) * noise
    image = np.clip(image, 0, 1)
    if camera.jpeg_quality is not None:
        return _through_jpeg(image, camera.jpeg_quality)
    return quantize(image).astype(np.float32) / np.float32(255) if camera.rounded else image


def _through_jpeg(image: Image, quality: int) -> Image:
    """What a JPEG of this quality keeps of the image."""
    file = io.BytesIO()
    PillowImage.fromarray(quantize(image)).save(file, "JPEG", quality=quality)
    return np.asarray(PillowImage.open(file), np.float32) / np.float32(255)
