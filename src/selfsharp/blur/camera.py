"""What a camera does to the light between the lens and the file, and how it is undone."""

import io
import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float64
from PIL import Image as PillowImage

from selfsharp.blur.convolve import filter_inside, to_display, to_linear
from selfsharp.image import Image, quantize

ChromaSubsampling = Literal["4:4:4", "4:2:2", "4:2:0"]


@dataclass(frozen=True)
class Curve:
    """How bright a file shows an amount of light: a power or sRGB's own, then an S-curve.

    The S-curve mixes a line and a smooth step, y = (1 - c) x + c (3 x^2 - 2 x^3); that is a
    cubic with one root in 0..1, so it is undone exactly.

    Raises:
        ValueError: the gamma is not 1 to 4, or the contrast not from 0 up to 0.9.
    """

    gamma: float | None = None
    """Shown value = light ** (1 / gamma); sRGB's curve when not given."""
    contrast: float = 0.0
    """Strength of the S-curve, 0 to 0.9: shadows darker, highlights brighter."""

    def __post_init__(self) -> None:
        """Refuses curves that are flat somewhere or turn back."""
        if self.gamma is not None and not 1 <= self.gamma <= 4:
            raise ValueError(
                f"gamma {self.gamma:g} is out of range; give 1 to 4, sRGB is about 2.2"
            )
        if not 0 <= self.contrast <= 0.9:
            raise ValueError(f"contrast {self.contrast:g} is out of range; give 0 to 0.9")

    def to_light(self, image: Image) -> Image:
        """Values as displayed, 0..1, to linear light, 0..1."""
        if self.contrast:
            c = self.contrast
            reach = math.sqrt((1 + c / 2) / (6 * c))
            third = np.arcsin((image - np.float32(0.5)) * np.float32(1.5 / (reach * (1 + c / 2))))
            image = np.float32(2 * reach) * np.sin(third / np.float32(3)) + np.float32(0.5)
        if self.gamma is None:
            return to_linear(image)
        return np.maximum(image, 0) ** np.float32(self.gamma)

    def to_shown(self, light: Image) -> Image:
        """Linear light, 0..1, to values as displayed, 0..1."""
        if self.gamma is None:
            image = to_display(light)
        else:
            image = np.maximum(light, 0) ** np.float32(1 / self.gamma)
        if self.contrast:
            step = image * image * (np.float32(3) - np.float32(2) * image)
            image = image + np.float32(self.contrast) * (step - image)
        return image


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
    curve: Curve = field(default_factory=Curve)
    """The curve between light and file, where light is linear."""
    exposure: float = 0.0
    """Stops by which the scene is exposed more than the photo was; what clips stays known."""
    shot_noise: float = 0.0
    """Standard deviation, at white, of the light's own noise; its variance grows with light."""
    read_noise: float = 0.0
    """Standard deviation of the sensor's noise in light, the same in shadow and sun."""
    chroma_blur: float = 0.0
    """Sigma in pixels by which demosaicing smooths colour differences; green stays as it is."""
    chroma_subsampling: ChromaSubsampling = "4:2:0"
    """How coarsely the JPEG keeps colour."""


def through_camera(image: Image, camera: Camera, generator: np.random.Generator) -> Image:
    """The image with the camera's exposure, noise, JPEG and rounding, and no blur."""
    return develop(expose(image, camera), camera, generator)


def expose(image: Image, camera: Camera) -> Image:
    """The light that reaches the sensor: clipped highlights get their true strength back.

    Args:
        image: a photo, 0..1.

    Returns:
        Light from 0 up, 1 where the sensor saturates.
    """
    light = camera.curve.to_light(image) if camera.light == "linear" else image
    if camera.saturation > 1:
        near_white = np.clip((image.max(axis=2, keepdims=True) - 0.96) / 0.04, 0, 1)
        light = light * (1 + near_white * np.float32(camera.saturation - 1))
    return light * np.float32(2**camera.exposure) if camera.exposure else light


def show(light: Image, camera: Camera) -> Image:
    """The light as displayed: clipped, and without noise."""
    light = np.clip(light, 0, 1)
    return camera.curve.to_shown(light) if camera.light == "linear" else light


@dataclass(frozen=True)
class Noise:
    """The draws of a camera's noise, of deviation 1; None where the camera has none.

    Attributes:
        of_sensor: what shot and read noise are made of.
        of_file: what the noise of the file is made of.
    """

    of_sensor: Image | None
    of_file: Image | None


def draw_noise(shape: tuple[int, ...], camera: Camera, generator: np.random.Generator) -> Noise:
    """The noise of one photo of the given shape."""

    def draw(wanted: float) -> Image | None:
        return generator.standard_normal(shape, dtype=np.float32) if wanted > 0 else None

    of_sensor = draw(max(camera.shot_noise, camera.read_noise))
    return Noise(of_sensor, draw(camera.noise))


def develop(light: Image, camera: Camera, generator: np.random.Generator) -> Image:
    """The file that the camera makes of the light.

    The sensor's noise is Poissonian-Gaussian: its variance is shot_noise^2 x light +
    read_noise^2, drawn as a Gaussian, which a Poisson count is from some ten photons up.
    After A. Foi, M. Trimeche, V. Katkovnik and K. Egiazarian, Practical Poissonian-Gaussian
    noise modeling and fitting for single-image raw-data, 2008, doi:10.1109/TIP.2008.2001399.
    """
    noise = draw_noise(light.shape, camera, generator)
    image = show(_sensed(light, camera, noise.of_sensor), camera)
    if noise.of_file is not None:
        image = image + np.float32(camera.noise) * noise.of_file
    image = np.clip(image, 0, 1)
    if camera.jpeg_quality is not None:
        return _through_jpeg(image, camera.jpeg_quality, camera.chroma_subsampling)
    return quantize(image).astype(np.float32) / np.float32(255) if camera.rounded else image


def _sensed(light: Image, camera: Camera, noise: Image | None) -> Image:
    """The light as the sensor counts it and demosaicing fills it in."""
    if noise is not None:
        variance = np.float32(camera.shot_noise**2) * np.maximum(light, 0)
        deviation = np.sqrt(variance + np.float32(camera.read_noise**2))
        light = light + deviation * noise
    if camera.chroma_blur:
        light = smooth_chroma(np.clip(light, 0, 1), camera.chroma_blur)
    return light


def smooth_chroma(light: Image, sigma: float) -> Image:
    """The light with red and blue's differences from green smoothed by a Gaussian.

    A mosaic sensor sees green at every other pixel and red and blue at every fourth; what is
    filled in between is mainly the difference from green, which is smooth in most scenes.

    Args:
        sigma: standard deviation in pixels, over 0.
    """
    taps = chroma_taps(sigma)
    reach = len(taps) // 2
    green = light[:, :, 1]
    smooth = light.copy()
    for channel in (0, 2):
        padded = np.pad(light[:, :, channel] - green, reach, "edge").astype(np.float64)
        smooth[:, :, channel] = green + filter_inside(padded, taps, taps)
    return smooth


def chroma_taps(sigma: float) -> Float64[np.ndarray, " taps"]:
    """A Gaussian of sigma in pixels, cut at three of them, summing to 1."""
    reach = math.ceil(3 * sigma)
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return taps / taps.sum()


def _through_jpeg(image: Image, quality: int, subsampling: ChromaSubsampling) -> Image:
    """What a JPEG of this quality keeps of the image."""
    file = io.BytesIO()
    picture = PillowImage.fromarray(quantize(image))
    picture.save(file, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(PillowImage.open(file), np.float32) / np.float32(255)
