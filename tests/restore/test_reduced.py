"""Movements too wide for their photo's size are undone at less, and the photo keeps its own."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsharp.blur.estimate import Estimate
from selfsharp.blur.kinds import shake
from selfsharp.blur.psf import blur_radius, extent, similarity
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import open_photo, read_photo
from selfsharp.metrics.psnr import measure as psnr
from selfsharp.raster_image import RasterImage
from selfsharp.restore import reduced
from selfsharp.restore.decision import Decision
from selfsharp.restore.judgement import Judgement
from selfsharp.restore.matches import Matches
from selfsharp.restore.partition import marked
from selfsharp.restore.reduced import (
    SMALLEST,
    decide_in_size,
    doubled_psf,
    enlarged,
    halved,
    halved_mask,
)
from selfsharp.restore.restoration import Change, Maps
from selfsharp.restore.windows import plus

FLOWERS = Path(__file__).parents[2] / "examples" / "photos" / "sharp" / "flowers.webp"
SIDES = st.integers(1, 40)
WIDE = 40.0
"""Extent in pixels of a shake that no PSF of the search holds."""


@pytest.fixture(scope="module")
def shaken():
    """A photo shaken as a whole, and the path."""
    generator = np.random.default_rng(0)
    sharp = read_photo(FLOWERS).image
    psf = shake.psf_of_extent(WIDE, generator)
    region = np.ones(sharp.shape[:2], np.float32)
    blurred = blur_region(sharp, psf, region, Camera("display", noise=1 / 255), generator).blurred
    return SimpleNamespace(sharp=sharp, blurred=blurred, psf=psf)


def mask_of(image: np.ndarray, rim: int) -> np.ndarray:
    inside = np.zeros(image.shape[:2], np.float32)
    inside[rim : image.shape[0] - rim, rim : image.shape[1] - rim] = 1
    return inside


@given(SIDES, SIDES, st.integers(0, 9))
def test_halves_are_means_of_four(height, width, seed):
    image = np.random.default_rng(seed).random((height, width, 3), np.float32)
    small = halved(image)
    assert small.shape == (-(-height // 2), -(-width // 2), 3)
    expected = image[: height // 2 * 2, : width // 2 * 2].reshape(height // 2, 2, width // 2, 2, 3)
    inner = small[: height // 2, : width // 2]
    np.testing.assert_allclose(inner, expected.mean(axis=(1, 3)), atol=1e-6)
    np.testing.assert_array_equal(halved(np.full_like(image, 0.25)), np.full_like(small, 0.25))


def test_of_samples_it_is_the_same():
    stored, image = open_photo(FLOWERS), read_photo(FLOWERS).image
    np.testing.assert_array_equal(halved(stored.image), halved(image))


def test_where_memory_counts_it_is_samples():
    image = read_photo(FLOWERS).image
    exact, small = halved(image), halved(image, tight=True)
    assert isinstance(small, RasterImage)
    np.testing.assert_allclose(np.asarray(small), exact, atol=0.51 / 65535)


def test_of_a_large_one_all_smaller_ones_are_samples(monkeypatch):
    image, looked_at = np.tile(read_photo(FLOWERS).image, (2, 2, 1)), []
    monkeypatch.setattr(reduced, "is_tight", lambda values: values == image.size)

    def undecided(given, parts):
        looked_at.append(given)
        whole = marked(np.ones(given.shape[:2], np.float32))
        return Decision(whole, whole, Judgement(1.0))

    assert decide_in_size(image, None, undecided).images == (image,)
    first, *smaller = looked_at
    assert first is image
    assert len(smaller) > 1
    assert all(isinstance(one, RasterImage) for one in smaller)


@given(SIDES, SIDES, st.integers(0, 9))
def test_what_a_mask_leaves_out_is_out_at_half_its_size(height, width, seed):
    mask = (np.random.default_rng(seed).random((height, width)) < 0.8).astype(np.float32)
    large = halved_mask(mask).repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
    assert not large[mask == 0].any()


@given(st.floats(4.0, 25.0), st.integers(0, 9))
def test_a_psf_at_twice_its_size_is_twice_as_wide(wide, seed):
    psf = shake.psf_of_extent(wide, np.random.default_rng(seed))
    large = doubled_psf(psf)
    assert large.shape[0] % 2 == 1
    assert large.sum() == pytest.approx(1, abs=1e-5)
    assert blur_radius(large) == pytest.approx(2 * blur_radius(psf), rel=0.1)


@given(st.integers(2, 41), st.integers(2, 41), st.integers(0, 9))
def test_off_the_gate_and_the_mask_every_bit_stays(height, width, seed):
    generator = np.random.default_rng(seed)
    image = generator.random((height, width, 3), np.float32)
    small = halved(image)
    gate = (generator.random(small.shape[:2]) < 0.5).astype(np.float32)
    rows, columns = slice(0, len(gate) // 2 + 1), slice(gate.shape[1] // 3, gate.shape[1])
    gate[rows.stop :] = 0
    gate[:, : columns.start] = 0
    added = 0.2 * np.repeat(gate[rows, columns, None], 3, axis=2)
    allowed = (generator.random((height, width)) < 0.7).astype(np.float32)
    change = enlarged(Change(Maps(gate, gate), added, (rows, columns)), (image, small), allowed)
    assert change.added is not None
    whole = plus(image, change.added, change.window)
    still = (change.maps.gate == 0) | (allowed == 0)
    np.testing.assert_array_equal(whole[still], image[still])
    assert not change.maps.gate[allowed == 0].any()
    assert whole.min() >= 0
    assert whole.max() <= 1


def test_what_changes_nothing_changes_nothing():
    image = np.random.default_rng(1).random((30, 41, 3), np.float32)
    small = halved(image)
    nothing = np.zeros(small.shape[:2], np.float32)
    change = enlarged(Change(Maps(nothing, nothing)), (image, small), None)
    assert change.added is None
    assert change.maps.gate.shape == image.shape[:2]
    assert enlarged(change, (image,), None) is change


def test_references_lie_where_they_lay():
    image = np.zeros((40, 60, 3), np.float32)
    small = halved(image)
    nothing = np.zeros(small.shape[:2], np.float32)
    corners = np.array([[3, 5], [10, 2]], np.int32)
    found = Matches(corners, corners[:, None], np.zeros((2, 1), np.float32), side=9)
    maps = Maps(nothing, nothing, references=found)
    told = enlarged(Change(maps), (image, small), None).maps.references
    assert told is not None
    np.testing.assert_array_equal(told.queries, 2 * corners)
    np.testing.assert_array_equal(told.keys[:, 0], 2 * corners)
    assert told.side == 18


def estimate_of(wide: float, confidence: float) -> Estimate:
    psf = shake.psf_of_extent(float(wide), np.random.default_rng(2))
    return Estimate(psf, (psf, psf), confidence)


def twice(estimate: Estimate) -> Estimate:
    psf = doubled_psf(estimate.psf)
    return replace(estimate, psf=psf, both=(psf, psf))


@pytest.mark.parametrize(
    ("known", "smaller", "followed"),
    [
        (None, estimate_of(13, 0.6), True),  # A path is better than none,
        (None, estimate_of(6, 0.6), False),  # unless that would have been found.
        (None, None, False),
        (estimate_of(12, 0.95), estimate_of(20, 0.99), False),  # Not even asked.
        (estimate_of(12, 0.7), estimate_of(20, 0.99), True),
        (estimate_of(12, 0.7), estimate_of(20, 0.8), False),  # No surer itself.
        (estimate_of(12, 0.7), estimate_of(6, 0.99), False),  # As wide as could have been told.
        (estimate_of(30, 0.99), estimate_of(20, 0.99), True),  # Fills what it is looked for in.
        (twice(estimate_of(14, 0.99)), estimate_of(14, 0.99), False),  # Both tell of one path.
    ],
)
def test_a_smaller_photo_is_followed_where_the_path_was_too_wide(known, smaller, followed):
    image = np.zeros((2 * SMALLEST, 2 * SMALLEST, 3), np.float32)
    asked = []

    def decide(some, part):
        asked.append(some.shape)
        gap = 0.0
        parts = marked(np.ones(some.shape[:2], np.float32))
        return Decision(
            parts, parts, Judgement(1.0, known if len(asked) == 1 else smaller, gap=gap)
        )

    sized = decide_in_size(image, marked(np.ones(image.shape[:2], np.float32)), decide)
    assert (len(sized.images) == 2) == followed
    assert sized.estimate is (smaller if followed else known)
    if followed:
        assert sized.psf is not None
        assert max(extent(sized.psf)) >= 1.5 * max(extent(smaller.psf))


@pytest.mark.parametrize(
    ("confidence", "gap", "followed"), [(0.75, 0.0, False), (0.95, 0.0, True), (0.95, 0.04, False)]
)
def test_what_was_found_and_not_explained_needs_to_be_sure(confidence, gap, followed):
    """A soft background came out as rubbish, by a path that was rather right than wrong."""
    asked = []

    def decide(image, given):
        asked.append(image)
        parts = replace(marked(np.ones(image.shape[:2], np.float32)), certainty=0.9)
        known = estimate_of(20, confidence) if len(asked) > 1 else None
        return Decision(parts, parts, Judgement(1.0, known, gap=gap))

    sized = decide_in_size(np.zeros((2 * SMALLEST, 2 * SMALLEST, 3), np.float32), None, decide)
    assert (len(sized.images) == 2) == followed


def test_small_photos_and_sharp_ones_are_not_asked_again():
    for side, gate in ((2 * SMALLEST - 1, 1.0), (2 * SMALLEST, 0.0)):
        parts = marked(np.full((side, side), gate, np.float32))
        asked = []

        def decide(image, given, parts=parts, asked=asked):
            asked.append(image)
            return Decision(parts, parts, Judgement(1.0))

        decide_in_size(np.zeros((side, side, 3), np.float32), parts, decide)
        assert len(asked) == 1


@pytest.mark.parametrize(
    ("gap", "scattered", "asked"),
    [(0.07, False, 2), (0.2, False, 1), (np.inf, False, 2), (0.07, True, 1)],
)
def test_a_movement_that_differs_from_place_to_place_does_so_at_any_size(gap, scattered, asked):
    parts = marked(np.ones((2 * SMALLEST, 2 * SMALLEST), np.float32))
    seen = []

    def decide(image, given):
        seen.append(image)
        return Decision(parts, parts, Judgement(1.0, gap=float(gap), scattered=scattered))

    decide_in_size(np.zeros((2 * SMALLEST, 2 * SMALLEST, 3), np.float32), parts, decide)
    assert len(seen) == asked


def test_softness_that_may_be_meant_is_not_asked_again():
    parts = replace(marked(mask_of(np.zeros((400, 400)), 100)), certainty=0.9)
    asked = []

    def decide(image, given):
        asked.append(image)
        return Decision(parts, parts, Judgement(0.0))

    decide_in_size(np.zeros((400, 400, 3), np.float32), None, decide)
    assert len(asked) == 1


def test_a_wide_shake_is_undone(base, shaken):
    blurred = shaken.blurred
    mask = mask_of(blurred, 24)
    sized = base.decide_in_size(blurred, mask)
    assert len(sized.images) > 1
    result = base.restore(blurred, mask)
    off = mask == 0
    np.testing.assert_array_equal(result.image[off], blurred[off])
    assert result.psf is not None
    assert similarity(result.psf, shaken.psf) > 0.5
    assert result.gate.shape == result.blur_map.shape == mask.shape
    before, after = (psnr(image, shaken.sharp, mask > 0) for image in (blurred, result.image))
    assert after > before + 2
