"""What a filter has blurred is told from soft places that hang together with it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from selfsharp.blur.estimate import Estimate
from selfsharp.blur.kinds import KINDS
from selfsharp.blur.lens import RoundBlur
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import read_photo
from selfsharp.restore.decision import decide_found
from selfsharp.restore.detect import Findings
from selfsharp.restore.filtered_part import filtered_part, without_ringing
from selfsharp.restore.fit import round_blur_of
from selfsharp.restore.judgement import Judgement, is_filter
from selfsharp.restore.partition import Partition
from selfsharp.restore.two_blurs import heavier_part

FLOWERS = Path(__file__).parents[2] / "examples" / "photos" / "sharp" / "flowers.webp"


@pytest.fixture(scope="module")
def masks() -> np.ndarray:
    """The left half but for a rim, and the right."""
    height, width = read_photo(FLOWERS).image.shape[:2]
    left, right = np.zeros((2, height, width), np.float32)
    left[16:-16, 16 : width // 2] = right[16:-16, width // 2 : -16] = 1
    return np.stack([left, right])


def make(masks: np.ndarray, kinds: tuple[str, str], radii: tuple[float, float]) -> np.ndarray:
    """A photo that is blurred in one way on the left and in another on the right."""
    image, generator = read_photo(FLOWERS).image, np.random.default_rng(0)
    camera = Camera(light="display", noise=1 / 255)
    for mask, kind, radius in zip(masks, kinds, radii, strict=True):
        psf = KINDS.load(kind).psf(radius, generator)
        image = blur_region(image, psf, mask, camera, generator).blurred
    return image


def all_of(masks: np.ndarray) -> Partition:
    """A partition that takes both for one part, of the same radius."""
    gate = masks.max(axis=0)
    return Partition(gate, 12 * gate, gate > 0, certainty=0.98)


def test_a_filter_is_found_beside_a_lens_of_the_same_radius(masks):
    image, parts = make(masks, ("defocus", "gaussian"), (12.0, 12.0)), all_of(masks)
    whole = round_blur_of(image, parts)
    assert not is_filter(whole)
    part = filtered_part(image, parts)
    assert part is not parts
    assert is_filter(round_blur_of(image, part))
    inside = part.gate > 0
    assert masks[1][inside].mean() > 0.8
    assert inside[masks[1] > 0].mean() > 0.8
    assert not part.gate[parts.gate == 0].any()
    assert not (part.core & ~parts.core).any()
    assert not part.radius[part.gate == 0].any()
    assert part.certainty == parts.certainty


@pytest.mark.parametrize("kinds", [("defocus", "defocus"), ("shake", "shake")])
def test_what_no_filter_has_blurred_stays_the_very_partition(masks, kinds):
    parts = all_of(masks)
    assert filtered_part(make(masks, kinds, (8.0, 4.0)), parts) is parts


def test_a_part_too_small_to_tell_stays_the_very_partition(masks):
    image = make(masks, ("defocus", "gaussian"), (12.0, 12.0))
    parts = all_of(masks)
    core = np.zeros_like(parts.core)
    for corner in (0, 40):
        core[:corner, :corner] = True
        small = Partition(parts.gate, parts.radius, core, 0.98)
        assert filtered_part(image, small) is small


@pytest.mark.parametrize(("sure", "physics"), [(True, True), (False, True), (False, False)])
def test_a_filter_is_looked_for_only_where_the_whole_is_in_doubt(masks, sure, physics):
    image, parts = make(masks, ("defocus", "gaussian"), (12.0, 12.0)), all_of(masks)
    cells = parts.gate[::4, ::4]
    found, asked = Findings(cells, 12 * cells, np.ones_like(cells)), []

    def judge(_, part: Partition) -> Judgement:
        asked.append(part)
        return Judgement(1.0) if sure else Judgement(0.9, None, 0.8)

    decided = decide_found(image, found, parts, judge, physics=physics)
    assert decided.parts is parts  # Without an estimate nothing is beyond doubt a filter's.
    assert len(asked) == (2 if physics and not sure else 1)


@pytest.mark.parametrize("beside", ["defocus", "gaussian"])
def test_a_filter_beyond_doubt_is_undone_only_where_its_blocks_are(masks, beside):
    image, parts = make(masks, (beside, "gaussian"), (12.0, 12.0)), all_of(masks)
    cells = parts.gate[::4, ::4]
    lens = RoundBlur("gaussian", 12.0, evidence=2000.0, margin=100.0)
    told = Estimate(lens.psf, (lens.psf, lens.psf), 0.99, lens)
    judged = Judgement(1.0, told)
    found = Findings(cells, 12 * cells, np.ones_like(cells))
    decided = decide_found(image, found, parts, lambda *_: judged)
    assert decided.judged is judged
    assert decided.blurred is parts
    if beside == "gaussian":
        assert decided.parts is parts
    else:
        assert np.count_nonzero(decided.parts.gate) < 0.6 * np.count_nonzero(parts.gate)
        assert masks[1][decided.parts.gate > 0].mean() > 0.8


def test_a_part_of_a_photo_that_is_blurred_all_over_is_not_restored_alone():
    cells = np.ones((60, 80), np.float32)
    radius = np.where(np.arange(80) < 40, np.float32(3), np.float32(9)) * cells
    sure = np.where(np.arange(80) < 40, np.float32(0.98), np.float32(0.99)) * cells
    found = Findings(sure, radius, np.ones_like(cells))
    gate, laid = (plane.repeat(4, axis=0).repeat(4, axis=1) for plane in (cells, radius))
    parts, image = Partition(gate, laid, gate > 0, 0.985), np.zeros((240, 320, 3), np.float32)
    assert heavier_part(found, parts) is not parts
    assert decide_found(image, found, parts, lambda *_: Judgement(1.0)).parts is parts


@pytest.fixture(scope="module")
def filtered_beside_smooth(masks) -> tuple[np.ndarray, np.ndarray]:
    """A photo that is as smooth as clouds are on the left, filtered on the right; that filter."""
    psf = KINDS.load("gaussian").psf(14.0, np.random.default_rng(0))
    return make(masks, ("gaussian", "gaussian"), (4.0, 14.0)), psf


def test_what_rings_once_a_filter_is_undone_is_left_out(masks, filtered_beside_smooth):
    image, psf = filtered_beside_smooth
    parts = all_of(masks)
    parts = replace(parts, core=parts.core & (masks[1] > 0))
    left = without_ringing(image, parts, psf)
    inside = left.gate > 0
    assert masks[0][inside].mean() < 0.25
    assert inside[masks[1] > 0].mean() > 0.95
    assert not left.gate[parts.gate == 0].any()


def test_what_was_filtered_all_over_is_kept(masks, filtered_beside_smooth):
    image, psf = filtered_beside_smooth
    parts = Partition(masks[1], 12 * masks[1], masks[1] > 0, certainty=0.98)
    left = without_ringing(image, parts, psf)
    assert (left.gate > 0)[masks[1] > 0].mean() > 0.95
    coreless = replace(parts, core=np.zeros_like(parts.core))
    assert without_ringing(image, coreless, psf) is coreless
