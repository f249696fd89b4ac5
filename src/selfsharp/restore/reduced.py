"""Movements too wide to be looked for are looked for in the photo at half its size, or less.

Paths are estimated in some thirty pixels, and light that went further cannot be told of there: what
comes out fills them, is wrong, and looks sure. At half the photo's size the same path is half as
wide. What is changed there is enlarged and added to the photo; of the finest detail, which so wide
a blur has left nothing of, there is none to be lost.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from PIL import Image as PillowImage
from PIL.Image import Resampling

from selfsharp.blur.estimate import Estimate
from selfsharp.blur.psf import Psf, blur_radius, extent, similarity
from selfsharp.image import AnyImage, Plane
from selfsharp.raster import Layout, Raster, blocks_of, to_raster
from selfsharp.raster_image import RasterImage
from selfsharp.restore.decision import Decision
from selfsharp.restore.fit import UNIFORM, VARYING, is_whole
from selfsharp.restore.matches import doubled_matches
from selfsharp.restore.memory import blank_plane, give_back, is_tight
from selfsharp.restore.partition import Partition, marked
from selfsharp.restore.restoration import Change, Maps
from selfsharp.restore.windows import Piece, Weights, Window

AnySize = Float32[np.ndarray, "_ _ 3"] | RasterImage
SmallImage = Float32[np.ndarray, "half_height half_width 3"]
SmallPlane = Float32[np.ndarray, "half_height half_width"]
LargePlane = Float32[np.ndarray, "double_height double_width"]
LargeWeights = Float[np.ndarray, "double_height double_width"]
LargePsf = Float32[np.ndarray, "double_side double_side"]

SMALLEST = 160
"""Rows and columns that a photo has at least at the size that it is looked at."""
WIDE = 21
"""Rows or columns of a PSF from which it may be a piece of a longer path, or be cut off."""
LONG, LONGEST = 27, 34
"""Rows or columns of a path, told at less size, from which what the whole tells may be wrong, and
from which it has to be."""
ALIKE = 0.72
"""Similarity of a PSF at half the size to one at the whole from which both are of one path. Of 21
held-out photos shaken by 20 to 40 px those that gain as much at their size have .77 and over, those
that lose there, and gain 2 to 6 dB at half of it, .66 and less."""
WIDER = 1.3
"""How many times the radius of an estimated path the detector sees where that may be a piece of a
longer one. Of 55 held-out shakes that gain over 2 dB by their paths none is over it; two that came
out as a twelfth and a third of their length have 1.4 and more."""
SURE = 0.86
"""Confidence of an estimate that needs no other, and of one that takes the place of another."""


@dataclass(frozen=True)
class Sized:
    """What is to be done with an image, and at which size.

    Attributes:
        images: the image, at half its size, at half of that ..., as far as it is done there.
        decided: what is to be done with the last of them.
    """

    images: Sequence[AnySize]
    decided: Decision

    @property
    def estimate(self) -> Estimate | None:
        """How the last of the images is blurred."""
        return self.decided.judged.estimate

    @property
    def psf(self) -> Psf | None:
        """How the image itself is blurred, as far as that is known."""
        psf = self.estimate.psf if self.estimate else None
        for _ in self.images[1:]:
            psf = None if psf is None else doubled_psf(psf)
        return psf


def decide_in_size(
    image: AnyImage,
    given: Partition | None,
    decide: Callable[[AnyImage, Partition | None], Decision],
    *,
    tight: bool = False,
) -> Sized:
    """Decides what is to be done with an image, and at which size.

    Args:
        given: what a user marks of it; None where that is to be found.
        decide: says what is to be done with an image at its own size.
        tight: whether the image is a large one at less size, which lies in memory, too.
    """
    decided = decide(image, given)
    if min(image.shape[:2]) >= 2 * SMALLEST and _may_be_too_wide(decided):
        tight = tight or is_tight(image.size)
        if tight:
            give_back()
        inside = None if given is None else marked(halved_mask(given.gate))
        smaller = decide_in_size(halved(image, tight=tight), inside, decide, tight=tight)
        if _is_wider(smaller, decided):
            return Sized((image, *smaller.images), smaller.decided)
    return Sized((image,), decided)


def _may_be_too_wide(decided: Decision) -> bool:
    """Whether a photo is to be asked at half its size: no PSF is known, or one that is unsure.

    What is left alone because it may be meant stays so, unless hardly anything is sharp.
    """
    parts, estimate = decided.parts, decided.judged.estimate
    if not parts.gate.any():
        return False
    if estimate is None:
        if decided.judged.scattered or VARYING < decided.judged.gap < math.inf:
            return False
        return decided.judged.trust > 0 or is_whole(parts)
    if (decided.seen or parts.mean_radius) > WIDER * blur_radius(estimate.psf):
        return True
    unsure = estimate.confidence < SURE or max(extent(estimate.psf)) >= WIDE
    return unsure and estimate.lens is None


def _is_wider(smaller: Sized, decided: Decision) -> bool:
    """Whether what was decided at half the size, or less, is to be followed.

    It has to fit all over, and where no path of what was found is known, to be sure. It takes the
    place of another if it is too wide for that to have been right, and none like it.
    """
    estimate, known = smaller.estimate, decided.judged.estimate
    judged = smaller.decided.judged
    if estimate is None or estimate.lens or judged.trust == 0 or judged.gap > UNIFORM:
        return False
    width = max(extent(estimate.psf)) * 2 ** len(smaller.images)
    sure = estimate.confidence >= SURE
    if known is None:
        return width >= WIDE and (sure or decided.parts.certainty == 1)
    if not sure or width < LONG:
        return False
    assert smaller.psf is not None
    return width >= LONGEST or similarity(doubled_psf(smaller.psf), known.psf) < ALIKE


def halved(image: AnyImage, *, tight: bool = False) -> AnySize:
    """An image at half its size, each pixel the mean of four; an odd row or column counts twice.

    Args:
        tight: whether memory counts: it is made of samples of 16 bits then, which take half of it.
    """
    height, width = image.shape[:2]
    layout = Layout(depth=16)
    kind = layout.dtype if tight else np.float32
    small = np.empty((-(-height // 2), -(-width // 2), 3), kind)
    for rows in blocks_of(len(small), 2 * width):
        means = _means(image[2 * rows.start : 2 * rows.stop])
        small[rows] = to_raster(means, None, layout).samples if tight else means
    return RasterImage(Raster(small, layout)) if tight else small


def halved_mask(mask: Weights) -> SmallPlane:
    """1 where all of four pixels are over 0."""
    inside = np.pad(mask > 0, [(0, length % 2) for length in mask.shape], "edge")
    rows, columns = inside.shape
    four = inside.reshape(rows // 2, 2, columns // 2, 2)
    pairs = four[:, 0] & four[:, 1]
    return (pairs[:, :, 0] & pairs[:, :, 1]).astype(np.float32)


def doubled_psf(psf: Psf) -> LargePsf:
    """A PSF at twice its size."""
    side = 2 * psf.shape[0] + 1
    places = (np.arange(side) - side // 2) / 2 + psf.shape[0] // 2
    held = np.arange(psf.shape[0])
    rows = np.stack([np.interp(places, held, column, 0, 0) for column in psf.T], axis=1)
    large = np.stack([np.interp(places, held, row, 0, 0) for row in rows])
    return (large / large.sum()).astype(np.float32)


def enlarged(change: Change, images: Sequence[AnySize], allowed: Weights | None) -> Change:
    """A change of the last of some images, each at half the size of the one before, of the first.

    Args:
        allowed: 0 where nothing of the first is to be changed; None for nowhere.
    """
    for large in reversed(images[:-1]):
        change = _doubled(change, large.shape[:2], allowed if large is images[0] else None)
    return change


def _doubled(change: Change, size: tuple[int, int], allowed: Weights | None) -> Change:
    """A change of an image at half its size, as one of the image itself, which has that `size`."""
    maps, (height, width) = change.maps, size
    radius, gate = _doubled_radius(maps.blur_map, height, width), blank_plane(height, width)
    psf = None if maps.psf is None else doubled_psf(maps.psf)
    references = None if maps.references is None else doubled_matches(maps.references)
    if change.added is None:
        return Change(Maps(radius, gate, psf, references))
    within = _twice(change.window, height, width)
    opened = gate[within]
    rows, columns = (slice(0, length) for length in opened.shape)
    small = maps.gate[change.window].astype(np.float32)
    opened[:] = _enlarged(small, Resampling.BILINEAR)[rows, columns]
    if allowed is not None:
        opened *= allowed[within] > 0
    added = np.empty((*opened.shape, 3), change.added.dtype)
    for channel in range(3):
        # It is nothing where nothing was changed, but for what enlarging smears.
        large = _enlarged(change.added[:, :, channel].astype(np.float32))[rows, columns]
        added[:, :, channel] = np.where(opened > 0, large, 0)
    return Change(Maps(radius, gate, psf, references), added, within)


def _doubled_radius(radius: Weights, height: int, width: int) -> LargeWeights:
    """Blur radii of an image at half its size, as those of the image; they grow with it."""
    large = blank_plane(height, width)
    if radius.any():
        sides = (np.flatnonzero(radius.any(axis=axis)) for axis in (1, 0))
        rows, columns = (slice(int(places[0]), int(places[-1]) + 1) for places in sides)
        place = _twice((rows, columns), height, width)
        doubled = 2 * radius[rows, columns].repeat(2, axis=0).repeat(2, axis=1)
        large[place] = doubled[: large[place].shape[0], : large[place].shape[1]]
    return large


def _means(image: Piece) -> SmallImage:
    """The means of four pixels each."""
    height, width = image.shape[:2]
    even = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
    four = even.reshape(-(-height // 2), 2, -(-width // 2), 2, 3)
    pairs = four[:, 0] + four[:, 1]
    return (pairs[:, :, 0] + pairs[:, :, 1]) / 4


def _enlarged(plane: Plane, way: Resampling = Resampling.BICUBIC) -> LargePlane:
    """A plane at twice its size."""
    size = 2 * plane.shape[1], 2 * plane.shape[0]
    return np.asarray(PillowImage.fromarray(plane).resize(size, way))


def _twice(window: Window, height: int, width: int) -> Window:
    """What a window of an image at half its size is of the image."""
    rows, columns = (
        slice(2 * side.start, min(2 * side.stop, length))
        for side, length in zip(window, (height, width), strict=True)
    )
    return rows, columns
