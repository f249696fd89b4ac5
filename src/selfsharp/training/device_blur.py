"""Blurs a batch of crops where the network is: PSFs, paths, curves and noise in PyTorch.

The same arithmetic as `selfsharp.blur`, sample by sample, for a GPU that would else wait for
the processor. JPEG stays with the processor: it needs a file's own encoder.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Float32, Int
from torch import Tensor

from selfsharp.blur.camera import Camera, chroma_taps
from selfsharp.blur.camera import Noise as SampleNoise
from selfsharp.blur.path import Path
from selfsharp.blur.spectrum import fast_length

Batch = Float[Tensor, "batch 3 height width"]
Psfs = Float[Tensor, "batch size size"]
Setting = Float[Tensor, "batch 1 1 1"]
Noise = tuple[Float[Tensor, "batch 3 rows columns"], Float[Tensor, "batch 3 rows columns"]]
"""Of the sensor and of the file, of deviation 1."""


@dataclass(frozen=True)
class Cameras:
    """The settings of a camera for each sample of a batch, as `selfsharp.blur.camera.Camera`.

    Attributes:
        linear: whether light is linear, 1 or 0.
        gamma: exponent of the curve; 0 for sRGB's own.
        contrast: strength of the S-curve.
        gain: 2 to the power of the exposure.
        saturation: true strength of clipped highlights.
        noise: deviation of the noise of the file.
        shot_noise: deviation, at white, of the light's own noise.
        read_noise: deviation of the sensor's noise.
        taps: Gaussian that smooths chroma; a single 1 in its middle where nothing does.
        rounded: which samples are rounded to 8 bit.
    """

    linear: Setting
    gamma: Setting
    contrast: Setting
    gain: Setting
    saturation: Setting
    noise: Setting
    shot_noise: Setting
    read_noise: Setting
    taps: Float[Tensor, "batch taps"]
    rounded: Bool[Tensor, "batch 1 1 1"]


def stack_cameras(cameras: Sequence[Camera], device: torch.device | str = "cpu") -> Cameras:
    """The cameras of a batch on a device.

    Raises:
        ValueError: a camera saves a JPEG, which only the processor does.
    """
    for camera in cameras:
        if camera.jpeg_quality is not None:
            raise ValueError(
                f"a JPEG of quality {camera.jpeg_quality} cannot be made on the device; "
                "leave jpeg_quality out, or blur with selfsharp.blur"
            )

    def setting(values: Sequence[float]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=device)[:, None, None, None]

    ones = np.ones(1)
    kernels = [chroma_taps(one.chroma_blur) if one.chroma_blur else ones for one in cameras]
    longest = max(map(len, kernels)) // 2
    taps = [np.pad(kernel, longest - len(kernel) // 2) for kernel in kernels]
    return Cameras(
        linear=setting([float(one.light == "linear") for one in cameras]),
        gamma=setting([one.curve.gamma or 0.0 for one in cameras]),
        contrast=setting([one.curve.contrast for one in cameras]),
        gain=setting([2.0**one.exposure for one in cameras]),
        saturation=setting([one.saturation for one in cameras]),
        noise=setting([one.noise for one in cameras]),
        shot_noise=setting([one.shot_noise for one in cameras]),
        read_noise=setting([one.read_noise for one in cameras]),
        taps=torch.tensor(np.stack(taps), dtype=torch.float32, device=device),
        rounded=setting([float(one.rounded) for one in cameras]) > 0,
    )


def blur_regions(
    sharp: Batch,
    psfs: Psfs,
    radii: Setting,
    regions: Float[Tensor, "batch 1 height width"],
    cameras: Cameras,
    noise: Noise,
) -> tuple[Batch, Batch, Float[Tensor, "batch 1 height width"]]:
    """Blurs a region of each sample by a PSF of its own, as `selfsharp.blur.blur_region` does.

    Args:
        sharp: crops as displayed, 0..1.
        psfs: one for each sample, by `stack_psfs`.
        radii: their blur radii in pixels.
        regions: alpha of the blurred parts, 0..1.

    Returns:
        The blurred crops, the sharp ones as the cameras show them, and the blur maps.
    """
    light = expose(sharp, cameras)
    mixed = light + regions * (convolve(light, psfs) - light)
    return develop(mixed, cameras, noise), show(light, cameras), regions.sqrt() * radii


def blur_by_paths(
    scenes: Batch, paths: Sequence[Path], margin: int, cameras: Cameras, noise: Noise
) -> tuple[Float[Tensor, "batch 3 rows columns"], Float[Tensor, "batch 3 rows columns"]]:
    """Blurs each sample along a path of its own, as `selfsharp.blur.blur_by_path` does.

    Args:
        scenes: sharp photos with a margin that the paths may reach into.
        paths: one for each sample, in any number of moments.
        margin: rows and columns that are left out on each side.
        noise: of the size without the margin.

    Returns:
        The blurred crops, and the sharp ones as the cameras show them.
    """
    light = expose(scenes, cameras)
    height, width = scenes.shape[2:]
    inside = slice(margin, height - margin), slice(margin, width - margin)
    blurred = average_warps(light, paths, margin)
    sharp = light[:, :, inside[0], inside[1]]
    return develop(blurred, cameras, noise), show(sharp, cameras)


def average_warps(
    light: Batch, paths: Sequence[Path], margin: int
) -> Float[Tensor, "batch 3 rows columns"]:
    """The mean of the warps of each sample along its path, without the margin."""
    height, width = light.shape[2:]
    longest = max(map(len, paths))
    affine = np.zeros((len(paths), longest, 2, 3))
    shares = np.zeros((len(paths), longest))
    for into, share, path in zip(affine, shares, paths, strict=True):
        into[: len(path)], share[: len(path)] = path.affine(), 1 / len(path)
    moments = torch.tensor(affine, dtype=torch.float32, device=light.device)
    weights = torch.tensor(shares, dtype=torch.float32, device=light.device)
    rows = torch.arange(margin, height - margin, device=light.device, dtype=torch.float32)
    columns = torch.arange(margin, width - margin, device=light.device, dtype=torch.float32)
    row, column = torch.meshgrid(rows, columns, indexing="ij")
    at = torch.stack([torch.ones_like(row), row, column], dim=-1)
    # From pixels to the -1..1 that grid_sample counts in, columns first.
    scale = torch.tensor([2 / (width - 1), 2 / (height - 1)], device=light.device)
    total = torch.zeros(len(paths), 3, len(rows), len(columns), device=light.device)
    for moment in range(longest):
        places = (at[None, :, :, None] * moments[:, None, None, moment]).sum(dim=-1)
        grid = places.flip(-1) * scale - 1
        warped = F.grid_sample(light, grid, "bilinear", "border", align_corners=True)
        total += weights[:, moment, None, None, None] * warped
    return total


def stack_psfs(psfs: Sequence[Float32[np.ndarray, "_ _"]], device: torch.device | str) -> Psfs:
    """PSFs of any odd sizes in the middle of squares of one size."""
    half = max(psf.shape[0] for psf in psfs) // 2
    padded = [np.pad(psf, half - psf.shape[0] // 2) for psf in psfs]
    return torch.tensor(np.stack(padded), device=device)


def convolve(light: Batch, psfs: Psfs) -> Batch:
    """Each sample blurred by its PSF, by FFT; mirrored beyond its edges."""
    height, width = light.shape[2:]
    half = psfs.shape[-1] // 2
    size = fast_length(height + 2 * half), fast_length(width + 2 * half)
    padded = light[:, :, _mirrored(height, half, light)][:, :, :, _mirrored(width, half, light)]
    spectrum = torch.fft.rfft2(padded, s=size) * torch.fft.rfft2(psfs, s=size)[:, None]
    whole = torch.fft.irfft2(spectrum, s=size)
    return whole[:, :, 2 * half : 2 * half + height, 2 * half : 2 * half + width]


def expose(images: Batch, cameras: Cameras) -> Batch:
    """The light that reaches the sensor, as `selfsharp.blur.camera.expose`."""
    c = cameras.contrast.clamp_min(1e-3)
    reach = torch.sqrt((1 + c / 2) / (6 * c))
    third = torch.asin(((images - 0.5) * (1.5 / (reach * (1 + c / 2)))).clamp(-1, 1)) / 3
    straight = torch.where(cameras.contrast > 0, 2 * reach * torch.sin(third) + 0.5, images)
    low, high = straight / 12.92, ((straight.clamp_min(0) + 0.055) / 1.055) ** 2.4
    by_srgb = torch.where(straight <= 0.04045, low, high)
    by_power = straight.clamp_min(0) ** cameras.gamma.clamp_min(1)
    linear = torch.where(cameras.gamma > 0, by_power, by_srgb)
    light = torch.where(cameras.linear > 0, linear, images)
    near_white = ((images.amax(dim=1, keepdim=True) - 0.96) / 0.04).clamp(0, 1)
    return light * (1 + near_white * (cameras.saturation - 1)) * cameras.gain


def show(light: Batch, cameras: Cameras) -> Batch:
    """The light as displayed, as `selfsharp.blur.camera.show`."""
    light = light.clamp(0, 1)
    root = 1.055 * light.clamp_min(1e-6) ** (1 / 2.4) - 0.055
    by_srgb = torch.where(light <= 0.0031308, light * 12.92, root)
    by_power = light ** (1 / cameras.gamma.clamp_min(1))
    shown = torch.where(cameras.gamma > 0, by_power, by_srgb)
    shown = shown + cameras.contrast * (shown * shown * (3 - 2 * shown) - shown)
    return torch.where(cameras.linear > 0, shown, light)


def stack_noise(
    noise: Sequence[SampleNoise], shape: tuple[int, ...], device: torch.device | str = "cpu"
) -> Noise:
    """The noise of the sensor, and that of the file, of each sample; 0 where there is none.

    Args:
        shape: of a sample: height, width, 3.
    """
    none = np.zeros(shape, np.float32)

    def stack(planes: Sequence[np.ndarray | None]) -> Tensor:
        whole = np.stack([none if plane is None else plane for plane in planes])
        return torch.from_numpy(whole).permute(0, 3, 1, 2).to(device)

    return stack([one.of_sensor for one in noise]), stack([one.of_file for one in noise])


def develop(light: Batch, cameras: Cameras, noise: Noise) -> Batch:
    """The file that each camera makes of the light, as `selfsharp.blur.camera.develop`.

    Args:
        noise: draws of deviation 1 for the sensor and for the file.
    """
    of_sensor, of_file = noise
    variance = cameras.shot_noise**2 * light.clamp_min(0) + cameras.read_noise**2
    light = light + variance.sqrt() * of_sensor
    image = show(_smooth_chroma(light.clamp(0, 1), cameras.taps), cameras)
    image = (image + cameras.noise * of_file).clamp(0, 1)
    return torch.where(cameras.rounded, torch.floor(image * 255 + 0.5) / 255, image)


def _smooth_chroma(light: Batch, taps: Float[Tensor, "batch taps"]) -> Batch:
    """Red and blue's differences from green, smoothed by each sample's Gaussian."""
    reach = taps.shape[1] // 2
    if reach == 0:
        return light
    height, width = light.shape[2:]
    green = light[:, 1:2]
    padded = F.pad(light[:, ::2] - green, (reach,) * 4, mode="replicate")
    # Sums of shifts and no convolution, which a GPU may round to ten bits.
    weights = taps.T[:, :, None, None, None]
    down = torch.zeros_like(padded[:, :, :height])
    for row, weight in enumerate(weights):
        down += weight * padded[:, :, row : row + height]
    both = torch.zeros_like(down[:, :, :, :width])
    for column, weight in enumerate(weights):
        both += weight * down[:, :, :, column : column + width]
    return green + torch.cat([both[:, :1], torch.zeros_like(green), both[:, 1:]], dim=1)


def _mirrored(length: int, border: int, like: Tensor) -> Int[Tensor, " places"]:
    """Where a mirrored border takes its pixels from, however wide it is."""
    places = torch.arange(-border, length + border, device=like.device) % (2 * length)
    return torch.minimum(places, 2 * length - 1 - places)
