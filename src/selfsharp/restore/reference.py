"""Self-reference: what the sharp part of a photo knows of its blurred part.

Blurred like the blurred part, sharp places look like what they would have become there. So
keys are sharp patches *re-blurred* by the estimated PSF, queries are blurred patches as they
are, and what is carried over from the best key is the detail that re-blurring took from it.
Every pixel's detail is voted on by all matched patches that cover it, and told together with how
well those matched and how far they agree: where nothing matches, both are 0.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32

from selfsharp.blur.convolve import convolve
from selfsharp.blur.psf import Psf, blur_radius
from selfsharp.blur.regions import dilated
from selfsharp.blur.sharpness import CELL, mean_around, means_of_cells
from selfsharp.image import Image, Plane
from selfsharp.restore.tiles import Window

Codes = Float32[np.ndarray, "patches dimensions"]
Corners = Int32[np.ndarray, "patches 2"]
Patches = Float32[np.ndarray, "patches values"]

SAMPLES = 7
"""Samples along a patch's side that are compared, in each channel."""
FINE = 4.0
"""Samples per blur radius: what is blurred by it holds no finer structure."""
LEAST_SIDE = 9
"""Side of the smallest patch, in pixels."""
DIMENSIONS = 40
"""Numbers that patches are searched by; the best are then compared in full."""
MOST = 60_000
"""Keys at most: where there would be more, they lie further apart, and only the best one's
neighbourhood is then searched pixel by pixel."""
OVERLAP, NEAREST = 4, 3
"""Queries along a patch's side, and their distance in pixels at least."""
REACH = 1024
"""Side in pixels of the part of a photo that is referred to: where most is sharp and close by."""
CLOSE_BY = 256
"""Pixels from the blurred part within which sharp places count as close by."""
FEW = 50
"""Keys under which there is nothing to refer to."""
SHARE = 0.6
"""Share of a query that has to be blurred."""
NOISE = 2 / 255
"""Contrast that a patch's error is always measured against: that of noise."""
CLOSE = 0.05
"""Error, as a share of a patch's contrast, at which a match counts a third."""
AGREED = 9
"""Side in pixels of the square over which votes are compared."""
CHANNELS = 5
"""Of what is told of every pixel: detail in three channels, likeness and agreement."""


@dataclass(frozen=True)
class References:
    """The reference part of a photo, encoded once for all of its tiles.

    Attributes:
        origin: first row and column of the window of the photo that was encoded.
        detail: what re-blurring takes from that window, and the mean of its squares.
        means: for each pixel of it, the re-blurred mean of the square that begins there.
        keys: first row and column of every key, in the window.
        codes: the keys as they are searched by.
        basis: what a patch is multiplied by to be searched.
        layout: how a patch is sampled.
        step: distance of keys in pixels.
    """

    origin: tuple[int, int]
    detail: Float32[np.ndarray, "rows columns 4"]
    means: Image
    keys: Corners
    codes: Codes
    basis: Float32[np.ndarray, "values dimensions"]
    layout: "Layout"
    step: int


@dataclass(frozen=True)
class Layout:
    """How a patch is sampled: so many means of squares along its side.

    Attributes:
        samples: squares along the side.
        spacing: side of a square in pixels.
    """

    samples: int
    spacing: int

    @property
    def side(self) -> int:
        """Side of a patch in pixels."""
        return self.samples * self.spacing

    @classmethod
    def for_blur(cls, psf: Psf) -> "Layout":
        """As fine as the blur lets structure be."""
        spacing = max(1, round(blur_radius(psf) / FINE))
        return cls(max(SAMPLES, -(-LEAST_SIDE // spacing)), spacing)

    def patches(self, means: Image, corners: Corners) -> Patches:
        """Patches as vectors, each channel without its mean.

        Args:
            means: the mean of the square that begins at each pixel.
            corners: their first rows and columns.
        """
        grid = np.arange(self.samples) * self.spacing
        rows, columns = (corners[:, axis, None] + grid for axis in (0, 1))
        samples = means[rows[:, :, None], columns[:, None, :]].reshape(len(corners), -1, 3)
        return (samples - samples.mean(axis=1, keepdims=True)).reshape(len(corners), -1)

    def means(self, image: Image) -> Image:
        """The mean of the square that begins at each pixel; edges repeated."""
        if self.spacing == 1:
            return image
        fill = self.spacing - 1
        sums = np.pad(image, ((1, fill), (1, fill), (0, 0)), "edge").astype(np.float64)
        sums[0], sums[:, 0] = 0, 0
        sums = sums.cumsum(axis=0).cumsum(axis=1)
        far, wide = sums[self.spacing :], slice(self.spacing, None)
        near, narrow = sums[: -self.spacing], slice(None, -self.spacing)
        whole = far[:, wide] - far[:, narrow] - near[:, wide] + near[:, narrow]
        return (whole / self.spacing**2).astype(np.float32)


@dataclass(frozen=True)
class Matches:
    """For patches of the blurred part, the place of the reference part that is most like each.

    Attributes:
        queries: first row and column of the blurred patch, in the photo.
        keys: first row and column of the sharp one, in the photo.
        errors: mean squared difference of the two, as a share of the query's contrast.
        side: of a patch, in pixels.
    """

    queries: Corners
    keys: Corners
    errors: Float32[np.ndarray, " patches"]
    side: int


Referred = tuple[References, Matches]
"""The encoded reference part, and what of it is like the blurred part."""


def refer(image: Image, gate: Plane, psf: Psf) -> Referred | None:
    """What the reference part of a photo has that is like its blurred part; None if it has none.

    Args:
        image: RGB in 0..1.
        gate: 0 in the reference part.
        psf: how the blurred part is blurred.
    """
    references = encode(image, gate, psf)
    return (references, find(image, gate, references)) if references else None


def encode(image: Image, gate: Plane, psf: Psf) -> References | None:
    """Encodes the reference part of a photo; None where there is next to none.

    Args:
        image: RGB in 0..1.
        gate: 0 in the reference part.
        psf: how the blurred part is blurred.
    """
    layout, reach = Layout.for_blur(psf), psf.shape[0] // 2
    window = _closest(gate)
    within, sharp = image[window], gate[window] == 0
    if min(sharp.shape) < layout.side + 2 * reach:
        return None
    keys, step = _keys(sharp, layout.side, reach)
    if len(keys) < FEW:
        return None
    again = convolve(within, psf)
    means = layout.means(again)
    patches = layout.patches(means, keys[:: max(1, len(keys) // 4000)])
    # Where keys differ most: the principal axes, the last ones of the products' matrix.
    basis = np.linalg.eigh(patches.T @ patches)[1][:, -DIMENSIONS:]
    codes = np.concatenate(
        [layout.patches(means, keys[at : at + 8192]) @ basis for at in range(0, len(keys), 8192)]
    )
    origin = window[0].start, window[1].start
    detail = within - again
    detail = np.concatenate([detail, (detail**2).mean(axis=2, keepdims=True)], axis=2)
    return References(origin, detail, means, keys, codes, basis, layout, step)


def find(image: Image, gate: Plane, references: References) -> Matches:
    """Finds for the patches of the blurred part what is most like them in the reference part."""
    layout = references.layout
    queries = _queries(gate, layout.side)
    means = layout.means(image)
    lengths = (references.codes**2).sum(axis=1)
    found, errors = np.zeros_like(queries), np.zeros(len(queries), np.float32)
    for at in range(0, len(queries), 128):
        some = slice(at, at + 128)
        patches = layout.patches(means, queries[some])
        distances = lengths - 2 * (patches @ references.basis) @ references.codes.T
        best = references.keys[distances.argmin(axis=1)]
        found[some], squares = _refined(patches, best, references)
        errors[some] = squares / ((patches**2).mean(axis=1) + (NOISE / layout.spacing) ** 2)
    keys = found + np.array(references.origin, np.int32)
    return Matches(queries, keys, errors, layout.side)


def transfer(
    matches: Matches, references: References, window: Window
) -> Float32[np.ndarray, "rows columns 5"]:
    """What the reference part tells of a window of the photo.

    Returns:
        The detail to add to the image, as the matched patches vote; how like they are, 0..1;
        and how far the votes agree, 0..1. All of it 0 where no patch was matched.
    """
    side = matches.side
    rows, columns = window
    height, width = rows.stop - rows.start, columns.stop - columns.start
    bell = np.hanning(side + 2)[1:-1].astype(np.float32)
    bell = bell[:, None] * bell
    votes = np.zeros((height + 2 * side, width + 2 * side, CHANNELS + 1), np.float32)
    corners = matches.queries - (rows.start - side, columns.start - side)
    touching = ((corners > 0) & (corners < (height + side, width + side))).all(axis=1)
    sources = matches.keys - np.array(references.origin, np.int32)
    likeness = np.exp(-matches.errors / np.float32(CLOSE))
    for place in np.flatnonzero(touching):
        (top, left), (row, column) = corners[place], sources[place]
        detail = references.detail[row : row + side, column : column + side]
        vote = votes[top : top + side, left : left + side]
        # A poor match still says something where there is none better.
        weight = bell * (likeness[place] + np.float32(1e-3))
        vote[:, :, :4] += weight[:, :, None] * detail
        vote[:, :, 4] += weight * likeness[place]
        vote[:, :, 5] += weight
    votes = votes[side : side + height, side : side + width]
    mean = votes[:, :, :5] / np.maximum(votes[:, :, 5:], np.float32(1e-9))
    detail, squares, alike = mean[:, :, :3], mean[:, :, 3], mean[:, :, 4]
    energy = (detail**2).mean(axis=2)
    common = mean_around(energy, AGREED // 2)
    differing = mean_around(np.maximum(squares - energy, 0), AGREED // 2)
    agreement = common / np.maximum(common + differing, np.float32(1e-9))
    return np.concatenate([detail, np.stack([alike, agreement], axis=2)], axis=2)


def _closest(gate: Plane) -> Window:
    """The window of the photo, at most `REACH` a side, in which most is sharp and close by."""
    height, width = gate.shape
    if max(height, width) <= REACH:
        return slice(0, height), slice(0, width)
    cells = means_of_cells((gate > 0).astype(np.float32))
    useful = (cells == 0) & dilated(cells > 0, CLOSE_BY // CELL)
    spans = []
    for axis, length in ((1, height), (0, width)):
        side = min(length, REACH)
        counts = np.count_nonzero(useful, axis=axis)
        inside = np.convolve(counts, np.ones(side // CELL), "valid")
        start = min(int(inside.argmax()) * CELL, length - side)
        spans.append(slice(start, start + side))
        # The columns are those of the rows chosen.
        useful = useful[start // CELL : (start + side) // CELL]
    return spans[0], spans[1]


def _keys(sharp: np.ndarray, side: int, reach: int) -> tuple[Corners, int]:
    """Corners of the patches that are sharp as far as re-blurring sees, and their distance."""
    sums = np.pad((~sharp).astype(np.int32), ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    wide = side + 2 * reach
    blurred = sums[wide:, wide:] - sums[:-wide, wide:] - sums[wide:, :-wide] + sums[:-wide, :-wide]
    step = 2
    while np.count_nonzero(blurred[::step, ::step] == 0) > MOST:
        step += 1
    corners = np.argwhere(blurred[::step, ::step] == 0) * step + reach
    return corners.astype(np.int32), step


def _queries(gate: Plane, side: int) -> Corners:
    """Corners of the patches to be matched: blurred for the most part."""
    distance = max(NEAREST, side // OVERLAP)
    sums = np.pad((gate > 0).astype(np.int32), ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    if min(gate.shape) < side:
        return np.zeros((0, 2), np.int32)
    filled = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    # The last row and column of patches ends with the photo.
    rows, columns = (
        np.unique(np.append(np.arange(0, length, distance), length - 1)) for length in filled.shape
    )
    chosen = np.argwhere(filled[np.ix_(rows, columns)] > SHARE * side**2)
    return np.stack([rows[chosen[:, 0]], columns[chosen[:, 1]]], axis=1).astype(np.int32)


def _refined(
    patches: Patches, keys: Corners, references: References
) -> tuple[Corners, Float32[np.ndarray, " patches"]]:
    """The best of the places around each key, pixel by pixel, and its mean squared error."""
    layout, means = references.layout, references.means
    last = np.array(means.shape[:2]) - layout.side
    best, least = keys, np.full(len(keys), np.inf, np.float32)
    reach = references.step // 2
    for down in range(-reach, reach + 1):
        for across in range(-reach, reach + 1):
            near = np.clip(keys + np.array([down, across]), 0, last).astype(np.int32)
            errors = ((patches - layout.patches(means, near)) ** 2).mean(axis=1)
            better = errors < least
            best = np.where(better[:, None], near, best)
            least = np.where(better, errors, least)
    return best, least
