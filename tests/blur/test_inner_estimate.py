"""What lies further in tells a PSF where the part as a whole was led astray, and else not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from selfsharp.blur import inner_estimate
from selfsharp.blur.alternation import SIZE
from selfsharp.blur.estimate import POINT, Estimate
from selfsharp.blur.inner_estimate import LEAST, RIM, SURE, told_further_in
from selfsharp.blur.kinds import shake
from selfsharp.blur.learnt_round import LearntRound
from selfsharp.blur.lens import RoundBlur
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import read_photo

FLOWERS = Path(__file__).parents[2] / "examples" / "photos" / "sharp" / "flowers.webp"


class Leading(LearntRound):
    """Rounds that lead to one PSF, whatever they set out from; they note what they look at."""

    def __init__(self, psf: np.ndarray) -> None:
        super().__init__(lambda planes: planes, lambda planes: planes)
        object.__setattr__(self, "psf", psf)
        object.__setattr__(self, "inside", [])

    def __call__(self, part, psf):
        self.inside.append(np.count_nonzero(part.inside))
        return self.psf


@pytest.fixture(scope="module")
def shaken():
    """A grey photo shaken all over, its mask, the estimate of the true PSF and of a wrong one."""
    generator = np.random.default_rng(4)
    sharp = read_photo(FLOWERS).image[120:376, 60:380]
    psf = shake.psf_of_extent(17.0, generator)
    mask = np.ones(sharp.shape[:2], np.float32)
    grey = blur_region(sharp, psf, mask, Camera(), generator).blurred.mean(axis=2)
    mask[:40] = mask[:, :40] = 0
    true = np.pad(psf, (SIZE - psf.shape[0]) // 2)
    turned = np.rot90(true).copy()
    return grey, mask, *(Estimate(one, (one, one), 0.7, steadiness=0.6) for one in (true, turned))


@pytest.fixture
def no_search(monkeypatch):
    """The inner part tells of nothing by itself."""
    monkeypatch.setattr(
        inner_estimate, "estimate_psf", lambda *_: Estimate(POINT, (POINT, POINT), 0.0)
    )


@pytest.mark.usefixtures("no_search")
def test_rounds_on_the_inner_part_lead_out_of_a_wrong_estimate(shaken):
    grey, mask, right, wrong = shaken
    leading = Leading(right.psf)
    found = told_further_in(wrong, grey, mask, leading)
    np.testing.assert_array_equal(found.psf, right.psf)
    assert (found.confidence, found.steadiness) == (wrong.confidence, wrong.steadiness)
    assert set(leading.inside) == {np.count_nonzero(mask[40 + RIM :, 40 + RIM :])}


@pytest.mark.usefixtures("no_search")
def test_a_right_estimate_stays_where_they_lead_astray(shaken):
    grey, mask, right, wrong = shaken
    assert told_further_in(right, grey, mask, Leading(wrong.psf)) is right


def test_the_estimate_of_the_inner_part_is_taken_where_it_is_the_right_one(shaken, monkeypatch):
    grey, mask, right, wrong = shaken
    own = replace(right, confidence=0.97)
    monkeypatch.setattr(inner_estimate, "estimate_psf", lambda *_: own)
    found = told_further_in(wrong, grey, mask, Leading(wrong.psf))
    assert found == replace(own, confidence=wrong.confidence)


def test_no_lens_of_the_inner_part_is_taken(shaken, monkeypatch):
    grey, mask, right, wrong = shaken
    lens = RoundBlur("gaussian", 2.0, 4000.0, 300.0)
    monkeypatch.setattr(inner_estimate, "estimate_psf", lambda *_: replace(right, lens=lens))
    assert told_further_in(wrong, grey, mask, Leading(wrong.psf)) is wrong


def test_what_is_sure_round_nothing_or_small_is_not_asked_again(shaken):
    grey, mask, right, wrong = shaken
    lens = RoundBlur("gaussian", 2.0, 4000.0, 300.0)
    leading = Leading(right.psf)
    sure = replace(wrong, confidence=SURE)
    for one in (sure, replace(wrong, lens=lens), Estimate(POINT, (POINT, POINT), 0.0)):
        assert told_further_in(one, grey, mask, leading) is one
    small = np.zeros_like(mask)
    side = int(LEAST**0.5) + 2 * RIM - 1
    small[60 : 60 + side, 60 : 60 + side] = 1
    assert told_further_in(wrong, grey, small, leading) is wrong
    assert not leading.inside
