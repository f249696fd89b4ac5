"""A pool with every source of samples."""

import numpy as np
import pytest

from selfsharp.image import quantize
from selfsharp.training.footage import Clip
from selfsharp.training.pool import Pool


@pytest.fixture(scope="session")
def full_pool(photo) -> Pool:
    """Photos of different sizes, some smaller than a crop's surroundings, and all else."""
    pixels = quantize(photo)
    frames = [np.roll(pixels, 2 * number, axis=1) for number in range(16)]
    thing = np.zeros((30, 20, 4), np.uint8)
    thing[4:26, 3:17] = (250, 120, 30, 255)
    large = np.tile(pixels, (4, 4, 1))
    return Pool(
        sharp=[large, pixels[:50, :44], large[:, ::-1]],
        frames=frames,
        cutouts=[thing],
        clips=[Clip([np.roll(large, number, axis=0) for number in range(40)], 0.5)],
    )
