"""The path that a picture takes during an exposure: how it shifts and turns, moment by moment."""

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from selfsharp.blur.kinds import shake
from selfsharp.image import Plane

LEAST_MOMENTS, MOST_MOMENTS = 9, 31


@dataclass(frozen=True)
class Path:
    """Where the picture stands at each moment of an exposure, against the middle one.

    Attributes:
        shifts: rows and columns in pixels by which it is shifted at each moment.
        turns: radians by which it is turned at each moment.
        centre: row and column of the point that it turns around.
    """

    shifts: Float[np.ndarray, "moments 2"]
    turns: Float[np.ndarray, " moments"]
    centre: tuple[float, float] = (0.0, 0.0)

    def __len__(self) -> int:
        return len(self.turns)

    def scaled(self, factor: float) -> "Path":
        """The path of something nearer (over 1) or further (under 1): it shifts more or less.

        A turn of the camera moves everything alike, however far away.
        """
        return replace(self, shifts=self.shifts * factor)

    def inset(self, margin: int) -> "Path":
        """The same path in a picture that has a margin around it."""
        return replace(self, centre=(self.centre[0] + margin, self.centre[1] + margin))

    @property
    def still(self) -> bool:
        """Whether nothing moves."""
        return not (self.shifts.any() or self.turns.any())

    def affine(self) -> Float[np.ndarray, "moments 2 3"]:
        """Row and column that a pixel's light comes from, as weights of (1, row, column)."""
        cos, sin = np.cos(self.turns), np.sin(self.turns)
        row, column = self.centre
        weights = np.empty((len(self), 2, 3))
        weights[:, 0, 1], weights[:, 0, 2] = cos, -sin
        weights[:, 1, 1], weights[:, 1, 2] = sin, cos
        weights[:, 0, 0] = row - cos * row + sin * column + self.shifts[:, 0]
        weights[:, 1, 0] = column - sin * row - cos * column + self.shifts[:, 1]
        return weights

    def reach(self, height: int, width: int) -> float:
        """How far, in pixels, a pixel of a picture of that size comes at most along an axis."""
        corners = np.array([[1, 0, 0], [1, height, 0], [1, 0, width], [1, height, width]])
        # A pixel moves by an affine map, so the furthest one is a corner.
        return float(np.abs((self.affine() - _HERE) @ corners.T).max())

    def variance(self, height: int, width: int, margin: int = 0) -> Plane:
        """The mean squared distance of each pixel's path from its centroid, in pixels^2.

        Args:
            height: rows of the plane.
            width: columns of the plane.
            margin: rows and columns of the picture before the plane's first.
        """
        moves = self.affine() - _HERE
        moves = moves - moves.mean(axis=0)
        spread = np.einsum("tai,taj->ij", moves, moves) / len(self)
        rows = np.arange(margin, margin + height)[:, None]
        columns = np.arange(margin, margin + width)[None]
        total = spread[0, 0] + 2 * spread[0, 1] * rows + 2 * spread[0, 2] * columns
        total = total + spread[1, 1] * rows**2 + spread[2, 2] * columns**2
        total = total + 2 * spread[1, 2] * rows * columns
        return np.maximum(total, 0).astype(np.float32)


_HERE = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])


def rest(moments: int) -> Path:
    """The path of something that does not move."""
    return Path(np.zeros((moments, 2)), np.zeros(moments))


def draw_path(
    radius: float,
    turning: float,
    height: int,
    width: int,
    centre: tuple[float, float],
    generator: np.random.Generator,
) -> Path:
    """A hand's path: a random trajectory, and a random turn around a point.

    The middle moment is where the path starts from, and its centroid too, so that the sharp
    picture of the middle lies in the middle of the blur.

    Args:
        radius: RMS blur radius in pixels, over all pixels of the picture.
        turning: share of the turn in the mean squared displacement, 0 to 1.
        height: rows of the picture.
        width: columns of the picture.
        centre: row and column that it turns around; may lie outside of the picture.

    Raises:
        ValueError: the radius is not a number over 0, or the share is not in 0..1.
    """
    if not (math.isfinite(radius) and radius > 0):
        raise ValueError(f"blur radius {radius} of a path is not over 0; give 0.5 to 10, say")
    if not 0 <= turning <= 1:
        raise ValueError(f"share {turning} of the turn is out of range; give 0 to 1")
    time = np.linspace(-1, 1, shake.STEPS | 1)
    shifts = shake.trajectory(generator)
    shifts = _pinned(np.concatenate([shifts, shifts[-1:]]), time)
    turns = _pinned(
        np.stack([time, time**2, time**3], axis=1) @ generator.normal(size=(3, 1)), time
    )
    # Mean squared distance of the picture's pixels from the point that it turns around.
    row, column = centre[0] - (height - 1) / 2, centre[1] - (width - 1) / 2
    distance = math.hypot(row, column, height / math.sqrt(12), width / math.sqrt(12))
    aims = radius * math.sqrt(1 - turning), radius * math.sqrt(turning) / distance
    shifts, turns = shifts * (aims[0] / _spread(shifts)), turns * (aims[1] / _spread(turns))
    length = np.hypot(*np.diff(shifts, axis=0).T).sum()
    length += distance * np.abs(np.diff(turns, axis=0)).sum()
    chosen = np.linspace(0, len(time) - 1, _moments(length)).round().astype(int)
    shifts, turns = (_pinned(values[chosen], time[chosen]) for values in (shifts, turns))
    drawn = Path(shifts, turns[:, 0], centre)
    # Turn and shift may go together or against each other.
    factor = radius / math.sqrt(float(drawn.variance(height, width).mean()))
    return Path(shifts * factor, turns[:, 0] * factor, centre)


def draw_line(radius: float, generator: np.random.Generator) -> Path:
    """An even movement along a straight line, as of a car or of a panning camera.

    Args:
        radius: RMS blur radius in pixels; the line is radius * sqrt(12) long.
    """
    length = radius * math.sqrt(12)
    moments = _moments(length)
    angle = generator.uniform(0, 2 * math.pi)
    # The moments stand in the middle of equal spans of time.
    along = (np.arange(moments) - moments // 2) * (length / moments)
    return Path(along[:, None] * np.array([math.sin(angle), math.cos(angle)]), np.zeros(moments))


def _moments(length: float) -> int:
    """An odd number of moments, one for every pixel and a half of a path, within limits."""
    return min(MOST_MOMENTS, max(LEAST_MOMENTS, math.ceil(length / 1.5) | 1))


def _pinned(
    values: Float[np.ndarray, "moments axes"], time: Float[np.ndarray, " moments"]
) -> Float[np.ndarray, "moments axes"]:
    """The path with both its middle and its centroid at 0, by a bend that is smooth in time."""
    values = values - values[len(values) // 2]
    bend = (time**2)[:, None]
    return values - values.mean(axis=0) * bend / bend.mean()


def _spread(values: Float[np.ndarray, "moments axes"]) -> float:
    """The RMS distance of the moments from 0."""
    return max(1e-9, math.sqrt(float((values**2).sum(axis=1).mean())))
