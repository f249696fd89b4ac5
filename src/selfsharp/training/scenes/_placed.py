"""Objects on canvases of a crop's size."""

import numpy as np

from selfsharp.training.pool import Pixels


def place(thing: Pixels, size: int, generator: np.random.Generator) -> np.ndarray:
    """An object on an empty square canvas, scaled to cover a good part of it."""
    scale = max(1, round(max(thing.shape[:2]) / (size * generator.uniform(0.6, 1.4))))
    thing = thing[::scale, ::scale].astype(np.float32) / np.float32(255)
    canvas = np.zeros((size, size, 4), np.float32)
    height, width = min(size, thing.shape[0]), min(size, thing.shape[1])
    row = generator.integers(size - height + 1)
    column = generator.integers(size - width + 1)
    canvas[row : row + height, column : column + width] = thing[:height, :width]
    return canvas
