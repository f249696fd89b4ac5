"""What patches of the blurred part are like in the reference part, and what that tells of them.

Every pixel's detail is voted on by all matched patches that cover it, and told together with how
well those matched and how far they agree: where nothing matches, both are 0.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float32, Int32

from selfsharp.blur.sharpness import mean_around
from selfsharp.image import Image, Plane
from selfsharp.restore.patches import Corners, Patches
from selfsharp.restore.proposal import Proposals, middle
from selfsharp.restore.reference import References
from selfsharp.restore.tiles import Tile
from selfsharp.restore.windows import Window

BANDS, CHOSEN = 8, 4
"""Bands of the reference part whose best keys are found, and how many of those vote."""
SHARE = 0.6
"""Share of a query that has to be blurred."""
NOISE = 2 / 255
"""Contrast that a patch's error is always measured against: that of noise."""
CLOSE = 0.2
"""Error, as a share of a patch's contrast, at which a match counts a third."""
AGREED = 9
"""Side in pixels of the square over which votes are compared."""
CHANNELS = 5
"""Of what is told of every pixel: detail in three channels, likeness and agreement."""


@dataclass(frozen=True)
class Matches:
    """For patches of the blurred part, the places of the reference part that are most like each.

    Attributes:
        queries: first row and column of the blurred patch, in the photo.
        keys: first rows and columns of the sharp ones, in the photo, the most like one first.
        errors: mean squared difference of the two, as a share of the query's contrast.
        side: of a patch, in pixels.
    """

    queries: Corners
    keys: Int32[np.ndarray, "patches chosen 2"]
    errors: Float32[np.ndarray, "patches chosen"]
    side: int


def joined(found: list[Matches]) -> Matches | None:
    """The matches of several windows of a photo; None of none."""
    if not found:
        return None
    queries, keys, errors = (
        np.concatenate([getattr(one, name) for one in found])
        for name in ("queries", "keys", "errors")
    )
    return Matches(queries, keys, errors, found[0].side)


def doubled_matches(found: Matches) -> Matches:
    """The matches of a photo at half its size, as those of the photo."""
    return Matches(2 * found.queries, 2 * found.keys, found.errors, 2 * found.side)


def find(
    undone: Image, gate: Plane, references: References, corner: tuple[int, int] = (0, 0)
) -> Matches:
    """Finds for the patches of the blurred part what is most like them in the reference part.

    Args:
        undone: a window of the photo, undone as `references` were, or as it is.
        gate: over 0 where that window is blurred.
        references: the reference part.
        corner: the window's first row and column in the photo.
    """
    layout = references.layout
    queries = _queries(gate, layout.side, references.apart)
    means, lengths = layout.means(undone), (references.codes**2).sum(axis=1)
    bounds = np.linspace(0, len(lengths), min(BANDS, len(lengths)) + 1).astype(int)
    bands = [slice(*pair) for pair in pairwise(bounds)]
    chosen = min(CHOSEN, len(bands))
    found = np.zeros((len(queries), chosen, 2), np.int32)
    errors = np.zeros((len(queries), chosen), np.float32)
    for at in range(0, len(queries), 128):
        some = slice(at, at + 128)
        patches = layout.patches(means, queries[some])
        codes = -2 * (patches @ references.basis)
        near, far = np.zeros((2, len(patches), len(bands)))
        for number, band in enumerate(bands):
            distances = codes @ references.codes[band].T + lengths[band]
            best = distances.argmin(axis=1)
            near[:, number] = best + band.start
            far[:, number] = distances[np.arange(len(best)), best]
        nearest = np.argsort(far, axis=1)[:, :chosen]
        places = np.take_along_axis(near, nearest, axis=1).astype(np.int32)
        contrast = (patches**2).mean(axis=1) + (NOISE / layout.spacing) ** 2
        for rank in range(chosen):
            refined, squares = _refined(patches, references.keys[places[:, rank]], references)
            found[some, rank], errors[some, rank] = refined, squares / contrast
    order = np.argsort(errors, axis=1, kind="stable")
    keys = np.take_along_axis(found, order[:, :, None], axis=1)
    if references.dealt:
        keys = keys[np.random.default_rng(0).permutation(len(keys))]
    keys += np.array(references.origin, np.int32)
    errors = np.take_along_axis(errors, order, axis=1)
    return Matches(queries + np.array(corner, np.int32), keys, errors, layout.side)


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
    votes = np.zeros((height + 2 * side, width + 2 * side, CHANNELS + 1), np.float32)
    corners = matches.queries - (rows.start - side, columns.start - side)
    touching = ((corners > 0) & (corners < (height + side, width + side))).all(axis=1)
    corners = corners[touching]
    sources = matches.keys[touching] - np.array(references.origin, np.int32)
    likeness = np.exp(-matches.errors[touching] / np.float32(CLOSE))
    # A poor match still says something where there is none better.
    weight = likeness + np.float32(1e-3)
    alike = np.stack([(weight * likeness).sum(axis=1), weight.sum(axis=1)], axis=1)
    # Pixel by pixel of a patch, for all patches at once: no two queries begin at the same place.
    for down, across in np.ndindex(side, side):
        detail = references.detail[sources[:, :, 0] + down, sources[:, :, 1] + across]
        told = np.concatenate([np.einsum("nk,nkc->nc", weight, detail), alike], axis=1)
        votes[corners[:, 0] + down, corners[:, 1] + across] += bell[down] * bell[across] * told
    votes = votes[side : side + height, side : side + width]
    mean = votes[:, :, :5] / np.maximum(votes[:, :, 5:], np.float32(1e-9))
    detail, squares, alike = mean[:, :, :3], mean[:, :, 3], mean[:, :, 4]
    energy = (detail**2).mean(axis=2)
    common = mean_around(energy, AGREED // 2)
    differing = mean_around(np.maximum(squares - energy, 0), AGREED // 2)
    agreement = common / np.maximum(common + differing, np.float32(1e-9))
    return np.concatenate([detail, np.stack([alike, agreement], axis=2)], axis=2)


def find_in(
    tile: Tile, gate: Plane, proposals: Proposals, references: References | None
) -> Matches | None:
    """What a tile's blurred patches are like in the reference part; None without one.

    Args:
        tile: where it lies.
        gate: over 0 where what the tile sees is blurred.
        proposals: of what it sees.
        references: the reference part, encoded.
    """
    if references is None:
        return None
    corner = tile.seen[0].start, tile.seen[1].start
    return find(middle(proposals), gate, references, corner)


def told_of(tile: Tile, references: References | None, matches: Matches | None) -> np.ndarray:
    """What references tell of all that a tile sees; zeros without any."""
    if references is None or matches is None:
        return np.zeros((*tile.seen_size, CHANNELS), np.float32)
    return transfer(matches, references, tile.seen)


def _queries(gate: Plane, side: int, apart: int) -> Corners:
    """Corners of the patches to be matched: blurred for the most part."""
    sums = np.pad((gate > 0).astype(np.int32), ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    if min(gate.shape) < side:
        return np.zeros((0, 2), np.int32)
    filled = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    # The last row and column of patches ends with the photo.
    rows, columns = (
        np.unique(np.append(np.arange(0, length, apart), length - 1)) for length in filled.shape
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
