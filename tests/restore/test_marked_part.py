"""What a user marks is restored as it is marked, and looked at no more than it takes."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from selfsharp.blur.estimate import SEARCHES
from selfsharp.blur.kinds import shake
from selfsharp.blur.psf import blur_radius
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import read_photo
from selfsharp.restore import restorer as restoring
from selfsharp.restore.decision import TRIES
from selfsharp.restore.judgement import Judgement
from selfsharp.restore.partition import marked, told_alike

FLOWERS = Path(__file__).parents[2] / "examples" / "photos" / "sharp" / "flowers.webp"
WIDE = 3
"""How many times the photo is laid beside itself: wider than what a PSF is estimated of."""
ACROSS = np.eye(15, dtype=np.float32)[::-1] / 15
"""Another movement than the photo's."""


@pytest.fixture(scope="module")
def sharp():
    """A wide photo."""
    piece = read_photo(FLOWERS).image[60:316, 60:380]
    return np.concatenate([piece, piece[:, ::-1]] * WIDE, axis=1)


@pytest.fixture(scope="module")
def mask(sharp) -> np.ndarray:
    """All of it but its rim."""
    inside = np.zeros(sharp.shape[:2], np.float32)
    inside[16:-16, 16:-16] = 1
    return inside


@pytest.fixture(scope="module")
def panorama(sharp, mask):
    """The photo, blurred by a hand shake but for its rim."""
    generator = np.random.default_rng(6)
    psf = shake.psf_of_extent(15.0, generator)
    return blur_region(sharp, psf, mask, Camera("display", noise=1 / 255), generator).blurred


@pytest.fixture
def looked_at(monkeypatch, base) -> list[int]:
    """How many columns of what is asked for the detector is shown, look after look."""
    widths, look = [], restoring.find_blur

    def count(image, detector, multiple, threads, mask):
        widths.append(np.count_nonzero(mask.any(axis=0)))
        return look(image, detector, multiple, threads, mask)

    monkeypatch.setattr(restoring, "find_blur", count)
    return widths


def test_a_psf_that_is_undone_tells_the_radius_and_spares_looks(base, panorama, mask, looked_at):
    decided = base.decide(panorama, mask)
    psf = decided.judged.estimate.psf
    parts = decided.parts
    np.testing.assert_allclose(parts.radius[parts.gate > 0], blur_radius(psf), rtol=1e-5)
    assert not parts.radius[parts.gate == 0].any()
    assert len(looked_at) == 1
    assert looked_at[0] < SEARCHES["fast"].window + 80 < np.count_nonzero(mask.any(axis=0))


def test_without_a_psf_all_of_it_is_looked_at(base, panorama, mask, looked_at, monkeypatch):
    monkeypatch.setattr(restoring, "judge", lambda *arguments, **others: Judgement(1.0))
    decided = base.decide(panorama, mask)
    assert len(looked_at) == TRIES + 1
    assert looked_at[-1] > np.count_nonzero(mask.any(axis=0)) - 8
    whole = base.find_parts(panorama, mask)
    for name in ("gate", "radius", "core"):
        np.testing.assert_array_equal(getattr(decided.parts, name), getattr(whole, name))


@pytest.mark.parametrize(
    ("gap", "tells_of", "asked", "undone"),
    [
        (0.05, "the same", 2, True),
        (0.05, "another", 2, False),
        (math.inf, "another", 2, True),  # It was unsure of it.
        (0.3, "the same", 1, False),  # The blur varies from place to place.
    ],
)
def test_where_a_square_has_no_psf_that_fits_another_is_asked(
    base, panorama, mask, monkeypatch, gap, tells_of, asked, undone
):
    judge, calls = restoring.judge, []

    def doubting(image, parts, **others):
        calls.append(others["within"])
        judged = judge(image, parts, **others)
        if len(calls) > 1:
            return judged
        assert judged.estimate is not None
        tried = judged.estimate
        if tells_of == "another":
            tried = replace(tried, psf=ACROSS, both=(ACROSS, ACROSS))
        return replace(judged, estimate=None, gap=gap, tried=tried)

    monkeypatch.setattr(restoring, "judge", doubting)
    assert (base.decide(panorama, mask).judged.estimate is not None) == undone
    assert len(calls) == len(set(map(str, calls))) == asked


def test_all_that_is_marked_is_restored(base, panorama, mask):
    parts = base.decide(panorama, mask).parts
    np.testing.assert_array_equal(parts.gate, marked(mask).gate)
    assert not parts.gate[mask == 0].any()


def test_who_tells_the_psf_needs_no_detector(base, panorama, mask, looked_at):
    psf = shake.psf_of_extent(15.0, np.random.default_rng(6))
    result = base.restore(panorama, mask, psf=psf)
    assert not looked_at
    np.testing.assert_allclose(result.blur_map[result.gate > 0], blur_radius(psf), rtol=1e-5)


def test_all_of_a_part_is_checked_however_little_of_it_is_looked_at(base, panorama, mask):
    assert base.decide(panorama, mask).parts.core[:, 16:-16].any(axis=0)[20:-20].all()


@pytest.mark.parametrize("otherwise", [0.0, 0.5])
def test_a_psf_has_to_fit_where_it_was_not_estimated(base, sharp, panorama, mask, otherwise):
    """Where some of a photo is shaken otherwise, no one PSF is undone."""
    generator = np.random.default_rng(7)
    region = mask * (np.arange(mask.shape[1]) < otherwise * mask.shape[1])
    other = blur_region(sharp, ACROSS, region, Camera("display", noise=1 / 255), generator).blurred
    image = np.where(region[:, :, None] > 0, other, panorama)
    estimate = base.decide(image, mask).judged.estimate
    assert (estimate is None or estimate.field is not None) == (otherwise > 0)


@pytest.mark.parametrize("radius", [0.0, 2.5])
def test_a_part_told_alike_keeps_gate_and_core(mask, radius):
    parts = marked(mask)
    alike = told_alike(parts, radius)
    np.testing.assert_array_equal(alike.radius, np.where(parts.gate > 0, np.float32(radius), 0))
    assert replace(alike, radius=parts.radius) == parts
