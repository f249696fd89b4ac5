"""What shares the path of a shake is told from what is soft by nature, beside it or apart."""

from pathlib import Path

import numpy as np
import pytest

from selfsharp.blur.estimate import Estimate
from selfsharp.blur.kinds import KINDS
from selfsharp.blur.psf import Psf
from selfsharp.blur.psf_field import PsfField
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import read_photo
from selfsharp.restore.decision import decide_found
from selfsharp.restore.detect import Findings
from selfsharp.restore.judgement import Judgement
from selfsharp.restore.partition import Partition
from selfsharp.restore.shared_part import agreeing_pieces, shared_part
from selfsharp.restore.votes import MUCH

FLOWERS = Path(__file__).parents[2] / "examples" / "photos" / "sharp" / "flowers.webp"
PATH = KINDS.load("shake").psf(4.0, np.random.default_rng(3))


def masks_with(gap: int) -> np.ndarray:
    """A piece on the left and one on the right, so far apart in pixels."""
    height, width = read_photo(FLOWERS).image.shape[:2]
    left, right = np.zeros((2, height, width), np.float32)
    middle = width // 2
    left[32:-32, 16 : middle - gap // 2] = right[32:-32, middle + gap // 2 : -16] = 1
    return np.stack([left, right])


def make(masks: np.ndarray, psfs: tuple[Psf, Psf]) -> np.ndarray:
    """A photo that is blurred in one way on the left and in another on the right."""
    image, generator = read_photo(FLOWERS).image, np.random.default_rng(0)
    camera = Camera(light="display", noise=1 / 255)
    for mask, psf in zip(masks, psfs, strict=True):
        image = blur_region(image, psf, mask, camera, generator).blurred
    return image


def soft(radius: float = 3.0) -> Psf:
    return KINDS.load("defocus").psf(radius, np.random.default_rng(0))


def all_of(masks: np.ndarray, core: np.ndarray | None = None) -> Partition:
    """A partition that takes both for one part."""
    gate = masks.max(axis=0)
    return Partition(gate, 4 * gate, (gate if core is None else core) > 0, certainty=0.98)


@pytest.mark.parametrize("gap", [64, 160])
def test_a_soft_piece_apart_from_what_was_shaken_is_left_out(gap):
    masks = masks_with(gap)
    image, parts = make(masks, (PATH, soft(1.0))), all_of(masks)
    # The estimate was made on the left: most of the core lies there.
    part = agreeing_pieces(image, _without_half_of(parts, masks[1]), PATH)
    assert part is not parts
    assert part.gate[masks[0] > 0].mean() > 0.9
    assert not part.gate[masks[1] > 0].any()
    assert not part.gate[parts.gate == 0].any()
    assert not (part.core & ~parts.core).any()


def test_pieces_that_share_a_path_stay_the_very_partition():
    masks = masks_with(64)
    parts = all_of(masks)
    assert agreeing_pieces(make(masks, (PATH, PATH)), parts, PATH) is parts


def test_one_piece_stays_the_very_partition():
    masks = masks_with(0)
    parts = all_of(masks)
    assert agreeing_pieces(make(masks, (PATH, soft())), parts, PATH) is parts


def test_softness_that_hangs_together_with_what_was_shaken_is_left_out():
    masks = masks_with(0)
    image, parts = make(masks, (PATH, soft())), all_of(masks)
    part = shared_part(image, parts, PATH)
    assert part is not parts
    inside = part.gate > 0
    assert masks[0][inside].mean() > 0.8
    assert inside[masks[0] > 0].mean() > 0.8
    assert not part.gate[parts.gate == 0].any()


def test_what_was_shaken_as_a_whole_stays_the_very_partition():
    masks = masks_with(0)
    parts = all_of(masks)
    assert shared_part(make(masks, (PATH, PATH)), parts, PATH) is parts


def rest_and_corner() -> np.ndarray:
    """A part without its corner, and that corner: too little of it to have spoilt an estimate."""
    whole = masks_with(0).max(axis=0)
    corner = np.zeros_like(whole)
    corner[-192:, -192:] = whole[-192:, -192:]
    return np.stack([whole - corner, corner])


def test_a_little_softness_that_hangs_together_with_what_was_shaken_is_left_out_too():
    masks = rest_and_corner()
    assert masks[1].sum() < MUCH * masks.sum()
    part = shared_part(make(masks, (PATH, soft())), all_of(masks), PATH)
    inside = part.gate > 0.5
    assert inside[masks[1] > 0].mean() < 0.5
    assert inside[masks[0] > 0].mean() > 0.9
    assert not part.gate[masks.max(axis=0) == 0].any()


def turning(psf: Psf) -> PsfField:
    return PsfField((0.0,), (0.0,), ((psf,),))


@pytest.mark.parametrize(
    ("estimate", "left_out"),
    [
        (Estimate(PATH, (PATH, PATH), 1.0), True),
        (Estimate(PATH, (PATH, PATH), 1.0, field=turning(PATH)), False),
        (None, False),
    ],
)
def test_a_little_softness_has_not_spoilt_the_estimate(estimate, left_out):
    masks = rest_and_corner()
    image, parts = make(masks, (PATH, soft())), all_of(masks)
    judged = Judgement(0.9, estimate, 0.8, tried=Estimate(PATH, (PATH, PATH), 1.0))
    asked = []

    def judge(_, part: Partition) -> Judgement:
        asked.append(part)
        return judged

    decided = decide_found(image, _findings(parts), parts, judge)
    assert asked == [parts]
    assert decided.judged is judged
    assert (decided.parts is not parts) == left_out


def test_a_part_too_small_for_a_block_stays_the_very_partition():
    image = read_photo(FLOWERS).image
    gate = np.zeros(image.shape[:2], np.float32)
    gate[100:150, 100:150] = 1
    parts = Partition(gate, 4 * gate, gate > 0, certainty=0.98)
    assert shared_part(image, parts, PATH) is parts


@pytest.mark.parametrize("shown_again", [True, False])
def test_a_part_that_was_narrowed_is_judged_again(shown_again):
    masks = masks_with(0)
    image, parts = make(masks, (PATH, soft())), all_of(masks)
    path = Estimate(PATH, (PATH, PATH), 1.0)
    asked = []

    def judge(_, part: Partition) -> Judgement:
        asked.append(part)
        shown = path if shown_again or len(asked) == 1 else None
        return Judgement(0.9, shown, 0.8, tried=path)

    decided = decide_found(image, _findings(parts), parts, judge)
    assert asked[0] is parts
    assert np.count_nonzero(asked[-1].gate) < np.count_nonzero(parts.gate)
    assert np.count_nonzero(decided.parts.gate) < np.count_nonzero(parts.gate)
    assert decided.blurred is parts
    # Softness is left out either way; the path is the one that was found without it, or the first.
    assert decided.judged.estimate is path


def test_without_a_path_to_undo_nothing_is_left_out():
    masks = masks_with(0)
    image, parts = make(masks, (PATH, soft())), all_of(masks)
    judged = Judgement(0.9, None, 0.8, tried=Estimate(PATH, (PATH, PATH), 1.0))
    assert decide_found(image, _findings(parts), parts, lambda *_: judged).parts is parts


def _findings(parts: Partition) -> Findings:
    cells = parts.gate[::4, ::4]
    return Findings(0.99 * cells, 4 * cells, np.ones_like(cells))


def _without_half_of(parts: Partition, mask: np.ndarray) -> Partition:
    """The same part, its core smaller in one piece."""
    core = parts.core.copy()
    rows = np.arange(len(core))[:, None] < len(core) // 2
    core &= ~((mask > 0) & rows)
    return Partition(parts.gate, parts.radius, core, parts.certainty)


def test_no_piece_of_what_moved_otherwise_everywhere_is_asked():
    masks = masks_with(0)
    image, parts = make(masks, (PATH, soft())), all_of(masks)
    tried, asked = Estimate(PATH, (PATH, PATH), 1.0), []

    def judge(_, part: Partition) -> Judgement:
        asked.append(part)
        return Judgement(0.9, None, 0.8, tried=tried, scattered=scattered)

    for scattered in (False, True):
        asked.clear()
        assert decide_found(image, _findings(parts), parts, judge).parts is parts
        assert (len(asked) == 1) == scattered
