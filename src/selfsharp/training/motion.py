"""Real motion: neighbouring frames of a fast camera or of footage, averaged as one exposure."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.camera import Camera, develop, expose, show, through_camera
from selfsharp.blur.convolve import to_display, to_linear
from selfsharp.blur.sharpness import radius_between
from selfsharp.blur.synthesis import Sample
from selfsharp.image import Image, Plane
from selfsharp.training.draws import at_least, choose_window, draw_whole_camera
from selfsharp.training.footage import Clip
from selfsharp.training.pool import Pixels

SHORTEST, LONGEST = 3.0, 24.0
"""Pixels that a clip moves on by, at least and at most, while it is averaged."""


def average_frames(
    frames: list[Pixels], size: int, generator: np.random.Generator, cameras: float = 0.0
) -> Sample:
    """Real motion blur: the mean of 3 to 15 neighbouring frames, the middle one sharp.

    Args:
        cameras: share of the samples that pass through a drawn camera.
    """
    reach = int(generator.integers(1, min(8, (len(frames) + 1) // 2)))
    middle = int(generator.integers(reach, len(frames) - reach))
    return average_burst(frames[middle - reach : middle + reach + 1], size, generator, cameras)


def average_clip(
    clips: Sequence[Clip], size: int, generator: np.random.Generator, cameras: float = 0.0
) -> Sample:
    """Real motion blur of slower footage; a clip is drawn by its length.

    Args:
        cameras: share of the samples that pass through a drawn camera.
    """
    weights = np.array([len(clip.frames) for clip in clips])
    clip = clips[generator.choice(len(clips), p=weights / weights.sum())]
    return average_burst(choose_burst(clip, generator), size, generator, cameras)


def choose_burst(clip: Clip, generator: np.random.Generator) -> list[Pixels]:
    """An odd number of neighbours, as many as it takes to move on far enough.

    Where a clip moves by less than a pixel from frame to frame, frames are left out between.
    """
    longest = (len(clip.frames) - 1) // 2
    step = min(longest, max(1, math.floor(1 / clip.speed)))
    low, high = np.log((SHORTEST, LONGEST))
    wanted = math.exp(generator.uniform(low, high)) / (2 * step * clip.speed)
    reach = step * min(max(1, round(wanted)), longest // step)
    middle = int(generator.integers(reach, len(clip.frames) - reach))
    return clip.frames[middle - reach : middle + reach + 1 : step]


def average_burst(
    burst: list[Pixels], size: int, generator: np.random.Generator, cameras: float = 0.0
) -> Sample:
    """A crop of the mean of an odd number of frames, the middle one sharp.

    Args:
        cameras: share of the samples that pass through a drawn camera.
    """
    burst = [at_least(frame, size) for frame in burst]
    middle = burst[len(burst) // 2]
    window = choose_window(middle, size, generator)
    windows = [frame[window] for frame in burst]
    if cameras and generator.uniform() < cameras:
        return _developed(windows, draw_whole_camera(generator), generator)
    mean = averaged(windows, linear=generator.uniform() < 0.3)
    sharp = middle[window].astype(np.float32) / np.float32(255)
    radius = _radius(sharp, mean)
    camera = Camera(noise=float(generator.uniform(0, 1.5 / 255)))
    return Sample(through_camera(mean, camera, generator), sharp, radius)


def _developed(windows: list[Pixels], camera: Camera, generator: np.random.Generator) -> Sample:
    """The photo that a camera takes of a burst: the mean of its light."""
    every = np.arange(256, dtype=np.float32).repeat(3).reshape(256, 1, 3) / np.float32(255)
    # What light a level stands for is the same in every frame, so it is looked up.
    light_of = expose(every, camera)[:, 0, 0]
    light = np.zeros(windows[0].shape, np.float32)
    for frame in windows:
        light += light_of[frame]
    light /= np.float32(len(windows))
    sharp = show(light_of[windows[len(windows) // 2]], camera)
    radius = _radius(sharp, show(light, camera))
    return Sample(develop(light, camera, generator), sharp, radius)


def _radius(sharp: Image, mean: Image) -> Plane:
    """The blur map of an average, measured against its middle."""
    # Half the size is enough to see the radius, and four times cheaper. All of the crop has
    # moved, even where it is too flat for its radius to show.
    radius = 2 * radius_between(_halved(sharp), _halved(mean), window=8.0)
    return np.repeat(np.repeat(np.maximum(radius, 0.3), 2, axis=0), 2, axis=1)


def averaged(burst: list[Pixels], *, linear: bool) -> Image:
    """The mean of frames, as displayed or in linear light."""
    frames = np.stack(burst).astype(np.float32) / np.float32(255)
    if not linear:
        return frames.mean(axis=0)
    width = frames.shape[2]
    return to_display(to_linear(frames.reshape(-1, width, 3)).reshape(frames.shape).mean(axis=0))


def _halved(image: Image) -> Float32[np.ndarray, "half_height half_width 3"]:
    """The image at half its size, the mean of every 2x2 pixels."""
    height, width = image.shape[0] // 2, image.shape[1] // 2
    return image.reshape(height, 2, width, 2, 3).mean(axis=(1, 3))
