"""What is soft by nature is left alone, what was blurred is undone, and how far."""

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsharp.blur.estimate import Estimate
from selfsharp.blur.kinds import KINDS, gaussian
from selfsharp.blur.learnt_round import LearntRound
from selfsharp.blur.lens import RoundBlur
from selfsharp.blur.psf import blur_radius
from selfsharp.blur.psf_field import PsfField
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import read_photo
from selfsharp.restore import fit, judgement
from selfsharp.restore.fit import LEAST, is_certain
from selfsharp.restore.judgement import (
    PLAIN,
    SMOOTH,
    SOME,
    Judgement,
    is_filter,
    is_filtered,
    judge,
    mended,
    missed_focus,
    movement,
    settle,
)
from selfsharp.restore.partition import Partition

FLOWERS = Path(__file__).parents[2] / "examples" / "photos" / "sharp" / "flowers.webp"
REGION = (slice(40, 300), slice(50, 350))
probabilities = st.floats(0, 1)


def blurred_part(kind: str, radius: float) -> tuple[np.ndarray, Partition]:
    """A photo with a square of it blurred, and the partition of a user who marks it."""
    generator = np.random.default_rng(11)
    sharp = read_photo(FLOWERS).image[60:420, 40:460]
    region = np.zeros(sharp.shape[:2], np.float32)
    region[REGION] = 1
    psf = KINDS.load(kind).psf(radius, generator)
    sample = blur_region(sharp, psf, region, Camera(light="display", noise=1 / 255), generator)
    core = np.zeros(region.shape, bool)
    core[REGION][12:-12, 12:-12] = True
    return sample.blurred, Partition(sample.mask, sample.blur_map, core)


@pytest.fixture(scope="module")
def shaken():
    return blurred_part("shake", 4.0)


@pytest.fixture(scope="module")
def unfocused():
    return blurred_part("defocus", 4.0)


def test_what_a_user_marks_is_undone_in_full(shaken):
    judged = judge(*shaken)
    assert judged.trust == 1
    assert is_certain(judged.estimate)
    assert judged.estimate.lens is None


def test_round_blur_is_undone_by_a_round_psf(unfocused):
    judged = judge(*unfocused)
    assert judged.trust == 1
    assert judged.estimate.lens.kind == "defocus"
    assert blur_radius(judged.estimate.psf) == pytest.approx(4, rel=0.1)


def test_a_disc_far_wider_than_what_the_detector_sees_is_not_undone(unfocused):
    image, parts = unfocused
    assert judge(image, replace(parts, radius=parts.radius / np.float32(1.5))).estimate is not None
    assert judge(image, replace(parts, radius=parts.radius / 2)).estimate is None


def test_movement_that_is_found_is_undone_and_softness_is_not(shaken, unfocused):
    moved, soft = (
        judge(image, replace(parts, certainty=0.983)) for image, parts in (shaken, unfocused)
    )
    assert moved.estimate is not None
    assert moved.trust > 0.5 > soft.trust
    assert soft.estimate is None


@pytest.fixture
def undirected(monkeypatch):
    """Hardly anything in the spectrum tells of a movement."""
    monkeypatch.setattr(judgement, "margin_over_round", lambda *_: SOME)


def test_a_movement_whose_directions_the_spectrum_has_is_undone_in_full(shaken, unfocused):
    image, parts = shaken
    doubtful = replace(parts, certainty=0.972)
    judged = judge(image, doubtful)
    assert judged.estimate is not None
    assert (judged.trust, judged.unevenness) == (1, None)
    assert judge(unfocused[0], doubtful).trust < 1


@pytest.mark.usefixtures("undirected")
def test_a_part_that_still_looks_blurred_when_restored_is_left_as_it_was(shaken):
    image, parts = shaken
    found = replace(parts, certainty=0.983)
    judged = judge(image, found)
    before = float(parts.radius[parts.core].mean())
    trusts = [settle(judged, found, share * before) for share in (0.2, 0.5, 1.0, 1.5)]
    assert trusts == sorted(trusts, reverse=True)
    assert trusts[0] > 0.9
    doubtful = replace(judged, unevenness=0.6)
    assert settle(doubtful, replace(found, certainty=0.978), before) == 0


@pytest.mark.usefixtures("undirected")
def test_where_nothing_is_sharp_blur_is_sooner_an_accident(shaken):
    image, parts = shaken
    found = replace(parts, certainty=0.978)
    everywhere = replace(found, gate=np.ones_like(parts.gate))
    part, whole = (judge(image, one) for one in (found, everywhere))
    assert whole.trust > part.trust
    before = float(parts.radius[parts.core].mean())
    assert settle(whole, everywhere, before / 2) > settle(part, found, before / 2)


def test_what_has_no_directions_is_softness_unless_the_detector_is_surer_than_of_any(
    shaken, monkeypatch
):
    monkeypatch.setattr(judgement, "margin_over_round", lambda *_: 0.0)
    monkeypatch.setattr(fit, "misfit", lambda *_: 0.2)  # As where movements differ.
    image, parts = shaken
    soft, moved = (
        judge(image, replace(parts, certainty=certainty)) for certainty in (0.995, PLAIN)
    )
    assert soft.trust == 0
    assert moved.trust > 0.5
    assert moved.estimate is None
    assert moved.scattered


def test_what_a_user_marks_needs_no_second_look(shaken):
    assert judge(*shaken).unevenness is None


def test_softness_that_is_certain_to_be_blur_is_undone_too(unfocused):
    image, parts = unfocused
    judged = judge(image, replace(parts, certainty=0.997))
    assert judged.estimate.lens is not None
    assert judged.trust > 0.9


def test_what_a_filter_blurred_is_undone_however_uncertain():
    image, parts = blurred_part("gaussian", 8.0)
    judged = judge(image, replace(parts, certainty=0.97))
    assert judged.trust == 1
    assert judged.estimate.lens.kind == "gaussian"
    assert blur_radius(judged.estimate.psf) == pytest.approx(8, rel=0.15)


def test_only_a_gaussian_that_is_plain_to_tell_is_a_filters():
    filters = RoundBlur("gaussian", 8.0, evidence=2000.0, margin=100.0)
    assert is_filter(filters)
    for other in ({"kind": "defocus"}, {"radius": 1.5}, {"radius": 21.3}, {"margin": 5.0}):
        assert not is_filter(replace(filters, **other))
    # Light blur leaves more of the spectrum to tell it by.
    light = replace(filters, radius=4.0)
    assert not is_filter(light)
    assert is_filter(replace(light, margin=300.0))


def test_a_psf_that_fits_only_half_of_the_part_is_shown_to_nobody(monkeypatch):
    # Half of the part stood still; an estimate is made up that is right for the other half.
    sharp = read_photo(FLOWERS).image[60:420, 40:460]
    psf = KINDS.load("motion").psf(5.0, np.random.default_rng(2))
    everywhere = np.ones(sharp.shape[:2], np.float32)
    moved = blur_region(sharp, psf, everywhere, Camera(light="display"), np.random.default_rng(0))
    half = moved.blurred.copy()
    half[:, 200:] = sharp[:, 200:]
    told = Estimate(psf, (psf, psf), 1.0)
    monkeypatch.setattr(fit, "estimate_psf", lambda *_: told)
    whole = Partition(everywhere, 5 * everywhere, everywhere > 0)
    for certainty in (1.0, 0.985):
        parts = replace(whole, certainty=certainty)
        assert judge(moved.blurred, parts).estimate is told
        judged = judge(half, parts)
        assert judged.estimate is None
        # The generator alone restores it, as far as it is trusted to be a movement.
        assert judged.trust > 0.3


def test_round_blur_may_fit_less_well_than_a_movement_but_not_badly(monkeypatch, shaken, unfocused):
    def shown(case, gap: float) -> bool:
        monkeypatch.setattr(fit, "misfit", lambda *_: gap)
        return judge(*case).estimate is not None

    assert [shown(unfocused, gap) for gap in (0.03, 0.12, 0.4)] == [True, True, False]
    assert [shown(shaken, gap) for gap in (0.03, 0.12, 0.4)] == [True, False, False]


@pytest.mark.parametrize(
    ("gap", "fits", "expected"),
    [(0.02, 0.0, "one"), (0.05, 0.03, "field"), (0.035, 0.034, "one"), (0.09, 0.06, None)],
)
def test_psfs_cell_by_cell_are_shown_where_they_fit_plainly_better(
    monkeypatch, shaken, gap, fits, expected
):
    image, parts = shaken
    psf = np.ones((5, 5), np.float32) / 25
    field = PsfField((100.0,), (100.0,), ((psf,),))
    monkeypatch.setattr(fit, "misfit", lambda *_: gap)
    monkeypatch.setattr(fit, "misfit_undone", lambda *_: fits)
    monkeypatch.setattr(fit, "estimate_field", lambda *_: field)
    learnt = LearntRound(lambda planes: planes, lambda planes: planes)
    told = Estimate(psf, (psf, psf), 1.0)
    monkeypatch.setattr(fit, "estimate_psf", lambda *_: told)
    shown = judge(image, parts, learnt=learnt).estimate
    if expected is None:
        assert shown is None
    else:
        assert shown is not None
        assert (shown.field is field) == (expected == "field")


@pytest.mark.parametrize(
    ("gap", "steadiness", "field", "is_shown"),
    [
        (0.05, 0.99, None, True),
        (0.08, 0.99, None, False),
        (0.05, 0.9, None, False),
        (0.05, 0.99, "gathers more", False),
        (0.03, 0.6, None, True),
    ],
)
def test_a_steady_psf_may_fit_less_well_where_cells_gather_no_more(
    monkeypatch, shaken, gap, steadiness, field, is_shown
):
    psf = np.ones((5, 5), np.float32) / 25
    cells = PsfField((100.0,), (100.0,), ((psf,),)) if field else None
    monkeypatch.setattr(fit, "misfit", lambda *_: gap)
    monkeypatch.setattr(fit, "misfit_undone", lambda *_: gap)
    monkeypatch.setattr(fit, "estimate_field", lambda *_: cells)
    told = Estimate(psf, (psf, psf), 0.99, steadiness=steadiness)
    monkeypatch.setattr(fit, "estimate_psf", lambda *_: told)
    learnt = LearntRound(lambda planes: planes, lambda planes: planes)
    assert (judge(*shaken, learnt=learnt).estimate is not None) == is_shown


def test_a_filter_is_told_from_lenses_movements_and_doubt():
    psf = gaussian.psf(5.0, np.random.default_rng(0))
    plain = RoundBlur("gaussian", 5.0, 1000.0, 300.0)
    estimate = Estimate(psf, (psf, psf), 1.0, plain)
    assert is_filtered(Judgement(1.0, estimate))
    assert not is_filtered(Judgement(0.9, estimate))
    assert not is_filtered(Judgement(1.0, estimate, unevenness=0.5))
    assert not is_filtered(Judgement(1.0, replace(estimate, lens=None)))
    assert not is_filtered(Judgement(1.0, replace(estimate, lens=replace(plain, kind="defocus"))))
    assert not is_filtered(Judgement(1.0))


def test_a_whole_photo_that_the_generator_restores_alone_needs_no_second_look(monkeypatch, shaken):
    image, parts = shaken
    monkeypatch.setattr(fit, "misfit", lambda *_: 1.0)
    found = replace(parts, certainty=0.985)
    everywhere = replace(found, gate=np.ones_like(parts.gate))
    assert judge(image, found).unevenness is not None
    whole = judge(image, everywhere)
    assert whole.unevenness is None
    # Just as far as the generator is trusted that is told of no PSF at all.
    assert replace(whole, tried=None, gap=math.inf) == judge(image, everywhere, physics=False)


@pytest.mark.parametrize("gap", [1.0, 0.0])
def test_a_part_without_directions_is_left_as_it_is_unless_a_sure_psf_fits(
    monkeypatch, shaken, gap
):
    image, parts = shaken
    monkeypatch.setattr(fit, "misfit", lambda *_: gap)
    found = replace(parts, certainty=0.985)
    monkeypatch.setattr(judgement, "margin_over_round", lambda *_: SOME - 1)
    monkeypatch.setattr(judgement, "SURER", 1.1)
    assert judge(image, found).trust == 0
    assert judge(image, parts).trust == 1
    # An estimate that is sure enough bears a PSF out that fits, and no other.
    monkeypatch.setattr(judgement, "SURER", 0.0)
    assert (judge(image, found).trust > 0) == (gap == 0.0)
    everywhere = replace(found, gate=np.ones_like(parts.gate))
    assert judge(image, everywhere).trust > 0
    monkeypatch.setattr(judgement, "margin_over_round", lambda *_: SOME + 1)
    assert judge(image, found).trust > 0


def test_uneven_softness_is_no_missed_focus(unfocused, monkeypatch):
    image, parts = unfocused
    sure = replace(parts, certainty=0.999)
    assert judge(image, sure).trust > 0.9
    monkeypatch.setattr(judgement, "unevenness", lambda *_: SMOOTH + 0.1)
    assert judge(image, sure).estimate is None


@pytest.mark.parametrize(
    ("gap", "speaking", "shown"),
    [(0.035, 0.8, True), (0.035, 0.6, False), (0.01, 0.6, True), (0.05, 0.8, False)],
)
def test_what_fits_a_whole_photo_less_well_is_borne_out_by_its_places(
    gap, speaking, shown, shaken, monkeypatch
):
    image, parts = shaken
    psf = KINDS.load("shake").psf(3.0, np.random.default_rng(0))
    monkeypatch.setattr(fit, "estimate_psf", lambda *_: Estimate(psf, (psf, psf), 0.9))
    monkeypatch.setattr(fit, "misfit", lambda *_: gap)
    monkeypatch.setattr(fit, "votes_for", lambda *_: SimpleNamespace(share=speaking))
    learnt = LearntRound(lambda planes: planes, lambda planes: planes)
    monkeypatch.setattr(fit, "estimate_field", lambda *_: None)
    everywhere = replace(parts, gate=np.ones_like(parts.gate))
    assert (judge(image, everywhere, learnt=learnt).estimate is not None) == shown
    # Softness beside a part speaks against its path, too; other checks part the two.
    assert (judge(image, parts, learnt=learnt).estimate is not None) == (gap < 0.04)


def test_a_small_core_tells_no_psf(shaken):
    image, parts = shaken
    small = np.zeros_like(parts.core)
    small[60:120, 60:120] = True
    assert np.count_nonzero(small) < LEAST
    judged = judge(image, replace(parts, core=small))
    assert (judged.trust, judged.estimate) == (1, None)
    assert judge(image, replace(parts, core=small, certainty=0.96)) == Judgement(0.0)
    assert 0.5 <= judge(image, replace(parts, core=small, certainty=0.99)).trust < 1


def test_a_generator_without_use_for_psfs_is_told_none(shaken):
    assert judge(*shaken, physics=False).estimate is None


def test_estimates_that_differ_or_tell_of_no_blur_are_not_shown():
    psf = gaussian.psf(2.0, np.random.default_rng(0))
    estimate = Estimate(psf, (psf, psf), confidence=1.0)
    assert is_certain(estimate)
    assert not is_certain(replace(estimate, confidence=0.2))
    still = np.zeros_like(psf)
    still[still.shape[0] // 2, still.shape[0] // 2] = 1
    assert not is_certain(replace(estimate, psf=still))


@given(probabilities, probabilities, st.floats(0, 4), st.floats(0, 4))
def test_probabilities_rise_with_certainty_and_unevenness(one, other, this, that):
    low, high = sorted((one, other))
    even, uneven = sorted((this, that))
    assert 0 <= movement(low, even) <= movement(high, uneven) <= 1
    assert 0 <= missed_focus(low) <= missed_focus(high) <= 1
    little, much = -uneven, -even
    assert 0 <= mended(low, even, much) <= mended(high, uneven, little) <= 1
    assert movement(low, even) < movement(low, even, whole=True)
