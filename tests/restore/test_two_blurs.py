"""Of two blurs found side by side the heavier is restored alone, if that is beyond doubt."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsharp.blur.estimate import Estimate
from selfsharp.blur.kinds import KINDS
from selfsharp.blur.lens import RoundBlur
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import read_photo
from selfsharp.restore.detect import Findings
from selfsharp.restore.judgement import Judgement
from selfsharp.restore.partition import Partition
from selfsharp.restore.restorer import Restorer
from selfsharp.restore.two_blurs import heavier_part, limit_between

FLOWERS = Path(__file__).parents[2] / "examples" / "photos" / "sharp" / "flowers.webp"


def radii_of(*hills: tuple[float, int], spread: float = 0.12) -> np.ndarray:
    """Radii around several means, of so many cells each."""
    generator = np.random.default_rng(1)
    drawn = [mean * np.exp(generator.normal(0, spread, count)) for mean, count in hills]
    return np.concatenate(drawn).astype(np.float32)


@given(st.floats(1, 6), st.floats(2.2, 5), st.integers(300, 3000), st.floats(0.2, 0.8))
def test_two_hills_are_parted_between_them(light, times, cells, share):
    heavy, few = light * times, int(cells * share)
    limit = limit_between(radii_of((light, few), (heavy, cells - few)))
    assert limit is not None
    assert 1.15 * light < limit < heavy / 1.15


@pytest.mark.parametrize(
    "radii",
    [
        radii_of((4.0, 2000)),
        radii_of((4.0, 2000), spread=0.4),
        radii_of((4.0, 1000), (5.0, 1000)),
        radii_of((3.0, 60), (9.0, 60)),
        radii_of((3.0, 2000), (9.0, 40)),
        np.geomspace(1, 12, 2000).astype(np.float32),
        np.full(500, 3.0, np.float32),
        np.zeros(500, np.float32),
        np.zeros(0, np.float32),
    ],
    ids=["one", "broad", "close", "few", "lone", "even", "constant", "zeros", "none"],
)
def test_one_hill_is_not_parted(radii):
    assert limit_between(radii) is None


@pytest.fixture
def side_by_side() -> tuple[Findings, Partition]:
    """Left blurred by 3 px, and right, more surely, by 9 px, but for a sharp rim."""
    cells = np.zeros((60, 80), np.float32)
    cells[5:-5, 5:-5] = 1
    radius = np.where(np.arange(80) < 40, np.float32(3), np.float32(9)) * cells
    sure = np.where(np.arange(80) < 40, np.float32(0.98), np.float32(0.99)) * cells
    found = Findings(sure, radius, np.ones_like(cells))
    open_ = cells.repeat(4, axis=0).repeat(4, axis=1)
    laid = radius.repeat(4, axis=0).repeat(4, axis=1)
    return found, Partition(open_, laid, open_ > 0, certainty=0.985)


def test_the_heavier_of_two_is_kept_and_nothing_is_opened(side_by_side):
    found, parts = side_by_side
    part = heavier_part(found, parts)
    assert part is not parts
    assert not part.core[:, :140].any()
    assert part.core[40:-40, 190:-40].all()
    assert (part.gate[40:-40, 190:-40] == 1).all()
    assert not part.gate[:, :130].any()
    assert not part.gate[parts.gate == 0].any()
    assert not part.radius[part.gate == 0].any()
    assert part.certainty == pytest.approx(0.99, abs=2e-3)


def test_what_is_heavier_and_no_surer_is_not_kept(side_by_side):
    found, parts = side_by_side
    sure = replace(parts, certainty=0.995)
    assert heavier_part(found, sure) is sure


def test_an_even_part_stays_the_very_partition(side_by_side):
    found, parts = side_by_side
    even = replace(found, radius=np.where(found.radius > 0, np.float32(5), np.float32(0)))
    assert heavier_part(even, parts) is parts


@pytest.fixture(scope="module")
def filtered_beside_soft() -> tuple[np.ndarray, np.ndarray]:
    """A photo soft on the left, and blurred by a program's filter on the right; and that mask."""
    sharp = read_photo(FLOWERS).image
    camera, generator = Camera(light="display", noise=1 / 255), np.random.default_rng(0)
    masks = np.zeros((2, *sharp.shape[:2]), np.float32)
    width = sharp.shape[1]
    masks[0, 30:-30, 20 : width // 2 - 40] = masks[1, 30:-30, width // 2 - 40 : -20] = 1
    image = sharp
    for mask, kind, radius in zip(masks, ("defocus", "gaussian"), (2.5, 8.0), strict=True):
        psf = KINDS.load(kind).psf(radius, generator)
        image = blur_region(image, psf, mask, camera, generator).blurred
    return image, masks[1]


def test_a_filter_beside_softness_is_undone_alone(filtered_beside_soft):
    image, filtered = filtered_beside_soft
    restorer = Restorer(threads=1)
    decided = restorer.decide(image)
    assert decided.parts is not decided.blurred
    assert decided.judged.beyond_doubt
    lens = decided.judged.estimate.lens
    assert lens.kind == "gaussian"
    assert lens.radius == pytest.approx(8, rel=0.1)
    inside = decided.parts.gate > 0
    assert filtered[inside].mean() > 0.85
    assert inside[filtered > 0].mean() > 0.9
    result = restorer.restore(image)
    assert not (result.gate[~inside]).any()
    assert np.array_equal(result.image[~inside], image[~inside])
    # The blur map tells of all blur, restored or not.
    assert np.array_equal(result.blur_map, decided.blurred.radius)


def test_what_is_not_beyond_doubt_is_judged_as_a_whole(filtered_beside_soft, monkeypatch):
    restorer, asked = Restorer(threads=1), []

    def judge(_, parts: Partition) -> Judgement:
        asked.append(parts)
        return Judgement(0.9, None, 0.8)

    monkeypatch.setattr(restorer, "judge", judge)
    decided = restorer.decide(filtered_beside_soft[0])
    assert decided.parts is decided.blurred is asked[1]
    # Parts of it were asked for, the heavier and what a filter may have blurred, and not taken.
    parts = [asked[0], *asked[2:]]
    assert all(np.count_nonzero(p.gate) < np.count_nonzero(asked[1].gate) for p in parts)


@pytest.mark.parametrize(
    ("confidence", "kind", "taken"),
    [(0.97, "path", "all"), (0.8, "path", "heavier"), (0.97, "disc", "heavier")],
)
def test_a_path_of_all_of_it_that_is_surer_leaves_no_two_blurs(
    filtered_beside_soft, monkeypatch, confidence, kind, taken
):
    restorer = Restorer(threads=1)
    psf = KINDS.load("motion").psf(4.0, np.random.default_rng(0))
    blurred = restorer.find_parts(filtered_beside_soft[0])

    def judge(_, parts: Partition) -> Judgement:
        of_all = np.count_nonzero(parts.gate) == np.count_nonzero(blurred.gate)
        lens = RoundBlur("defocus", 4.0, 900.0, 300.0) if of_all and kind == "disc" else None
        sure = confidence if of_all else 0.9
        return Judgement(1.0, Estimate(psf, (psf, psf), sure, lens))

    monkeypatch.setattr(restorer, "judge", judge)
    decided = restorer.decide(filtered_beside_soft[0])
    is_all = np.count_nonzero(decided.parts.gate) >= 0.9 * np.count_nonzero(blurred.gate)
    assert is_all == (taken == "all")


def test_a_mask_is_undone_as_it_is_given(filtered_beside_soft):
    image, filtered = filtered_beside_soft
    decided = Restorer(threads=1).decide(image, np.ones_like(filtered))
    assert decided.parts is decided.blurred
