"""A PSF is found from a blurred part, and undone in it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfsharp.blur.deconvolve import deconvolve
from selfsharp.blur.estimate import ROUNDS, SEARCHES, estimate_psf
from selfsharp.blur.kinds import shake
from selfsharp.blur.learnt_round import LearntRound
from selfsharp.blur.mirrored_rounds import IMAGES
from selfsharp.blur.psf import blur_radius, similarity
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import read_photo
from selfsharp.metrics import psnr
from selfsharp.restore.fit import is_certain

FLOWERS = Path(__file__).parents[2] / "examples" / "photos" / "sharp" / "flowers.webp"


@pytest.fixture(scope="module")
def shaken():
    """Part of a photo, its middle blurred by hand shake; the sample and the PSF."""
    generator = np.random.default_rng(4)
    sharp = read_photo(FLOWERS).image[120:440, 60:420]
    psf = shake.psf_of_extent(17.0, generator)
    region = np.zeros(sharp.shape[:2], np.float32)
    region[40:-40, 40:-40] = 1
    return blur_region(sharp, psf, region, Camera(), generator), psf


def test_undoing_the_true_psf_gains_inside_and_does_not_ring_at_the_border(shaken):
    sample, psf = shaken
    restored = deconvolve(sample.blurred, sample.mask, psf)
    inside = sample.mask > 0
    rim = inside.copy()
    rim[56:-56, 56:-56] = False
    for part in (inside, rim):
        before = psnr.measure(sample.blurred, sample.sharp, part)
        assert psnr.measure(restored, sample.sharp, part) > before + 2.5


@pytest.mark.parametrize("quality", SEARCHES)
def test_the_estimate_is_a_psf_of_about_the_true_radius(shaken, quality):
    sample, psf = shaken
    found = estimate_psf(sample.blurred.mean(axis=2), sample.mask, quality=quality)
    assert found.psf.sum() == pytest.approx(1, abs=1e-4)
    assert found.psf.min() >= 0
    assert found.psf.shape[0] % 2 == 1
    assert blur_radius(found.psf) == pytest.approx(blur_radius(psf), rel=0.25)
    assert 0.5 < found.confidence < 1


@pytest.mark.parametrize("quality", SEARCHES)
def test_undoing_the_estimate_gains(shaken, quality):
    sample, _ = shaken
    found = estimate_psf(sample.blurred.mean(axis=2), sample.mask, quality=quality)
    restored = deconvolve(sample.blurred, sample.mask, found.psf)
    inside = sample.mask > 0
    before = psnr.measure(sample.blurred, sample.sharp, inside)
    assert psnr.measure(restored, sample.sharp, inside) > before + 1


def test_the_identity_psf_changes_next_to_nothing(shaken):
    sample, _ = shaken
    same = deconvolve(sample.sharp, sample.mask, np.ones((1, 1), np.float32))
    assert psnr.measure(same, sample.sharp) > 38


def test_a_flat_picture_tells_no_psf_and_breaks_nothing():
    found = estimate_psf(np.full((80, 90), 0.5, np.float32), np.ones((80, 90), np.float32))
    assert np.isfinite(found.psf).all()
    assert np.isfinite(found.confidence)


@pytest.mark.parametrize(("extent", "least"), [(9.0, 0.9), (21.0, 0.85)])
def test_known_psfs_are_recovered(extent, least):
    generator = np.random.default_rng([0, int(extent)])
    sharp = read_photo(FLOWERS).image[120:376, 60:380]
    psf = shake.psf_of_extent(extent, generator)
    everywhere = np.ones(sharp.shape[:2], np.float32)
    camera = Camera("display", noise=1 / 255)
    blurred = blur_region(sharp, psf, everywhere, camera, generator).blurred
    found = estimate_psf(blurred.mean(axis=2), everywhere)
    assert is_certain(found)
    assert similarity(found.psf, psf) > least


EMPTY = {
    "black": np.zeros((96, 120), np.float32),
    "clipped": np.ones((96, 120), np.float32),
    "one pixel": np.full((1, 1), 0.3, np.float32),
    "noise on a wall": np.random.default_rng(0).normal(0.5, 1 / 255, (160, 200)),
    "more noise": np.random.default_rng(1).normal(0.5, 6 / 255, (160, 200)),
    "ramp": np.tile(np.linspace(0, 1, 200), (160, 1)),
    "ramp at 8 bit": np.rint(np.tile(np.linspace(0, 255, 200), (160, 1))) / 255,
}


@pytest.mark.parametrize("name", EMPTY)
def test_where_there_is_nothing_to_see_there_is_no_estimate(name):
    grey = EMPTY[name].astype(np.float32)
    assert not is_certain(estimate_psf(grey, np.ones_like(grey)))


def test_a_mask_of_nothing_tells_no_psf():
    grey = read_photo(FLOWERS).image[120:280, 60:220].mean(axis=2)
    assert not is_certain(estimate_psf(grey, np.zeros_like(grey)))


def test_a_sharp_part_tells_of_a_point_or_nothing():
    grey = read_photo(FLOWERS).image[120:376, 60:380].mean(axis=2)
    assert not is_certain(estimate_psf(grey, np.ones_like(grey)))


@given(st.integers(1, 90), st.integers(1, 90), st.floats(0, 1))
@settings(max_examples=6)
def test_one_colour_of_any_size_tells_no_psf(height, width, level):
    grey = np.full((height, width), level, np.float32)
    found = estimate_psf(grey, np.ones_like(grey))
    assert not is_certain(found)
    assert found.psf.sum() == pytest.approx(1, abs=1e-4)


POINT = np.pad(np.ones((1, 1), np.float32), 15)


class Told(LearntRound):
    """A round that answers with a given PSF, or leaves each as it is."""

    def __init__(self, psf: np.ndarray | None) -> None:
        super().__init__(lambda planes: planes, lambda planes: planes)
        object.__setattr__(self, "psf", psf)

    def __call__(self, part, psf):
        return psf if self.psf is None else self.psf


class Restless(Told):
    """A round that turns every PSF by a right angle."""

    def __call__(self, part, psf):
        return np.rot90(psf).copy()


def test_a_learnt_round_that_leaves_a_psf_alone_makes_it_credible(shaken):
    sample, _ = shaken
    grey = sample.blurred.mean(axis=2)
    same, other = (
        estimate_psf(grey, sample.mask, learnt=learnt) for learnt in (Told(None), Restless(None))
    )
    assert same.confidence > 0.95
    assert other.confidence < 0.2
    assert is_certain(same)
    assert not is_certain(other)


@pytest.fixture
def undoubting(monkeypatch):
    """No estimate is in doubt, so that no mirror images are asked."""
    for quality, search in list(SEARCHES.items()):
        monkeypatch.setitem(SEARCHES, quality, replace(search, doubt=0.0))


@pytest.mark.usefixtures("undoubting")
@pytest.mark.parametrize("quality", SEARCHES)
def test_learnt_rounds_go_on_from_each_other(shaken, quality):
    sample, truth = shaken
    wide = np.pad(truth, (31 - truth.shape[0]) // 2)
    answers = [np.rot90(wide, number).copy() for number in range(ROUNDS)]
    asked = []

    class Telling(Told):
        def __call__(self, part, psf):
            asked.append(psf)
            return answers[len(asked) - 1]

    grey = sample.blurred.mean(axis=2)
    found = estimate_psf(grey, sample.mask, learnt=Telling(None), quality=quality)
    assert len(asked) == ROUNDS
    assert asked[0].shape == (31, 31)
    for psf, answer in zip(asked[1:], answers, strict=False):
        np.testing.assert_array_equal(psf, answer)
    for psf in (found.psf, *found.both):
        np.testing.assert_array_equal(psf, answers[len(asked) - 1])


class Calming(Told):
    """Rounds that turn the PSF, until one leaves it as it is."""

    def __init__(self, still: int) -> None:
        super().__init__(None)
        self.still, self.asked = still, 0

    def __call__(self, part, psf):
        self.asked += 1
        return psf if self.asked >= self.still else np.rot90(psf).copy()


@pytest.mark.usefixtures("undoubting")
@pytest.mark.parametrize("still", [1, 3])
def test_no_learnt_round_follows_one_that_has_changed_nothing(shaken, still):
    sample, _ = shaken
    rounds = Calming(still)
    estimate_psf(sample.blurred.mean(axis=2), sample.mask, learnt=rounds)
    assert rounds.asked == still


class Wavering(Told):
    """Rounds that turn the PSF of one image, and leave it alone once others are shown."""

    def __init__(self, told: np.ndarray) -> None:
        super().__init__(told)
        self.asked = 0

    def __call__(self, part, psf):
        self.asked += 1
        return np.rot90(psf).copy() if self.asked <= ROUNDS else self.psf


def test_mirror_images_are_asked_where_rounds_waver_and_an_effort_is_made(shaken):
    sample, truth = shaken
    grey, wide = sample.blurred.mean(axis=2), np.pad(truth, (31 - truth.shape[0]) // 2)
    even = (wide + wide[::-1] + wide[:, ::-1] + wide[::-1, ::-1]) / 4
    for quality, asked in (("fast", ROUNDS), ("best", ROUNDS + len(IMAGES) + 1)):
        rounds = Wavering(even)
        estimate_psf(grey, sample.mask, learnt=rounds, quality=quality)
        assert rounds.asked == asked
    settled = Told(wide)
    assert estimate_psf(grey, sample.mask, learnt=settled).confidence > SEARCHES["best"].doubt


@pytest.mark.parametrize("better", [True, False])
def test_of_one_image_and_of_all_that_psf_is_taken_which_fits_the_better(shaken, better):
    sample, truth = shaken
    grey, wide = sample.blurred.mean(axis=2), np.pad(truth, (31 - truth.shape[0]) // 2)
    turned = np.rot90(wide).copy()

    class Mirroring(Told):
        """Rounds that end in one PSF for the image as it is, in another for all of them."""

        asked = 0

        def __call__(self, part, psf):
            self.asked += 1
            if self.asked <= ROUNDS:
                first = turned if better else wide
                return first if self.asked % 2 == 0 else np.rot90(first).copy()
            axes = IMAGES[(self.asked - ROUNDS - 1) % len(IMAGES)]
            return np.flip(wide if better else turned, axes).copy()

    found = estimate_psf(grey, sample.mask, learnt=Mirroring(None))
    assert similarity(found.psf, truth) > similarity(found.psf, turned)


def test_the_sooner_rounds_change_nothing_the_more_is_an_estimate_believed(shaken):
    sample, _ = shaken
    grey = sample.blurred.mean(axis=2)
    rounds = [Calming(still) for still in (1, 3, ROUNDS + 1)]
    at_once, later, never = (estimate_psf(grey, sample.mask, learnt=one) for one in rounds)
    assert at_once.confidence > 0.95
    assert at_once.confidence > later.confidence > never.confidence
    assert never.confidence < 0.5
