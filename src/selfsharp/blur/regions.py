"""Where a photo is blurred: shapes of the blurred part, as an alpha from 0 to 1."""

import math

import numpy as np
from jaxtyping import Bool, Float, Int
from PIL import Image as PillowImage
from PIL import ImageFilter

from selfsharp.image import Plane


def everywhere(height: int, width: int) -> Plane:
    """Alpha of a photo that is blurred all over."""
    return np.ones((height, width), np.float32)


def blob(
    height: int, width: int, generator: np.random.Generator, share: float = 0.3, edge: float = 4.0
) -> Plane:
    """Alpha of a round, uneven patch that covers a given share of the area.

    Args:
        share: covered share of the area, over 0 and at most 1.
        edge: width of the soft edge in pixels.

    Raises:
        ValueError: the share is not in (0, 1].
    """
    if not 0 < share <= 1:
        raise ValueError(f"share {share} of a blob is not over 0 and at most 1; try 0.3")
    scale = math.sqrt(height * width)
    row = generator.uniform(0.25, 0.75) * height
    column = generator.uniform(0.25, 0.75) * width
    rows, columns = np.mgrid[:height, :width]
    rows, columns = (rows - row) / scale, (columns - column) / scale
    angle = np.arctan2(rows, columns)
    outline = np.ones((height, width))
    for waves in range(1, 6):
        size, phase = generator.normal() * 0.22 / waves, generator.uniform(0, 2 * math.pi)
        outline += size * np.cos(waves * angle + phase)
    # Distance from the centre in units of the outline: its quantile has the wanted area.
    reach = np.hypot(rows, columns) / np.maximum(outline, 0.3)
    limit = float(np.quantile(reach, share))
    return _soft(limit - reach, edge / scale)


def half_plane(
    height: int, width: int, generator: np.random.Generator, ramp: float | None = None
) -> Plane:
    """Alpha that rises across a straight line in a random direction, as depth does.

    Args:
        ramp: width of the rise in pixels; drawn between a sharp edge and half the photo
            when not given.
    """
    angle = generator.uniform(0, 2 * math.pi)
    rows, columns = np.mgrid[:height, :width]
    along = (rows - height / 2) * math.sin(angle) + (columns - width / 2) * math.cos(angle)
    reach = float(np.abs(along).max())
    if ramp is None:
        ramp = float(generator.uniform(0.02, 0.5)) * min(height, width)
    return _soft(along - generator.uniform(-0.5, 0.5) * reach, ramp)


def _soft(inside: Float[np.ndarray, "height width"], width: float) -> Plane:
    """A smooth step over `width` around 0 of a signed distance, positive inside."""
    rise = np.clip(inside / max(width, 1e-6) + 0.5, 0, 1)
    return (rise * rise * (3 - 2 * rise)).astype(np.float32)


def eroded(inside: Bool[np.ndarray, "h w"], reach: int) -> Bool[np.ndarray, "h w"]:
    """A region without its rim: the pixels all of whose square of 2 * reach + 1 lie inside.

    Beyond the edges it goes on as at them.
    """
    for _ in range(2):
        rows = np.pad(inside, ((reach, reach), (0, 0)), "edge")
        seen = 1  # Rows that each has been joined from; they double from step to step.
        while seen < 2 * reach + 1:
            step = min(seen, 2 * reach + 1 - seen)
            rows = rows[:-step] & rows[step:]
            seen += step
        inside = rows.T
    return inside


def softened(inside: Bool[np.ndarray, "h w"], *reaches: int) -> Plane:
    """A region with a soft edge: means of squares of 2 * reach + 1, one after the other.

    Exactly 0 further out than the reaches together.
    """
    picture = PillowImage.fromarray(inside.astype(np.uint8) * 255)
    for reach in reaches:
        picture = picture.filter(ImageFilter.BoxBlur(reach))
    softened = np.asarray(picture, np.float32)
    softened /= 255
    return softened


def dilated(inside: Bool[np.ndarray, "h w"], reach: int) -> Bool[np.ndarray, "h w"]:
    """A region with a rim: the pixels in whose square of 2 * reach + 1 any lies inside."""
    return ~eroded(~inside, reach)


def labelled(inside: Bool[np.ndarray, "h w"]) -> Int[np.ndarray, "h w"]:
    """The pieces of a region that hang together, corners included: a number for each, 0 outside."""
    numbers = np.arange(1, inside.size + 1).reshape(inside.shape) * inside
    rows, columns = inside.shape
    while True:
        around = np.pad(numbers, 1)
        near = [around[y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
        spread = np.max(near, axis=0) * inside
        # A number names a place; what that place has taken meanwhile, its namesakes take at once.
        spread = np.concatenate([[0], spread.ravel()])[spread]
        if (spread == numbers).all():
            return numbers
        numbers = spread
