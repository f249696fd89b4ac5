"""What fits a part well enough is shown to a generator; what may be something else is not."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfsharp.blur.estimate import Estimate
from selfsharp.blur.kinds import gaussian
from selfsharp.blur.learnt_round import LearntRound
from selfsharp.blur.lens import RoundBlur
from selfsharp.blur.psf import blur_radius
from selfsharp.blur.regions import everywhere
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import read_photo
from selfsharp.restore import fit
from selfsharp.restore.fit import NARROW, PLAIN, fit_part
from selfsharp.restore.partition import marked

FLOWERS = Path(__file__).parents[2] / "examples" / "photos" / "sharp" / "flowers.webp"


@pytest.fixture(scope="module")
def photo():
    return read_photo(FLOWERS).image


def fitted(image, lens):
    """The fit of a part of which round blur is told."""
    told = Estimate(lens.psf, (lens.psf, lens.psf), 0.99, lens)
    parts = marked(everywhere(*image.shape[:2]))
    parts.radius[:] = lens.radius
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "estimate_psf", lambda *_: told)
        return fit_part(image, parts, 1, None, "best")


@settings(max_examples=12, deadline=None)
@given(st.floats(1.05, NARROW, exclude_max=True), st.floats(0.0, 2 * PLAIN))
def test_a_light_gaussian_is_not_undone_where_a_disc_explains_it_as_well(photo, radius, margin):
    found = fitted(photo, RoundBlur("gaussian", radius, 4000.0, margin))
    assert (found.gap == math.inf) == (margin < PLAIN)
    assert margin >= PLAIN or found.shown is None


@pytest.mark.parametrize(("kind", "radius"), [("defocus", 1.6), ("gaussian", NARROW + 0.1)])
def test_discs_and_wide_gaussians_need_no_such_margin(photo, kind, radius):
    assert fitted(photo, RoundBlur(kind, radius, 4000.0, 10.0)).gap < math.inf


def test_one_that_a_program_made_is_told_plainly(photo):
    generator = np.random.default_rng(0)
    psf, whole = gaussian.psf(1.7, generator), everywhere(*photo.shape[:2])
    blurred = blur_region(photo, psf, whole, Camera(light="display"), generator).blurred
    found = fit_part(blurred, marked(whole), 1, None, "best")
    assert found.estimate.lens is not None
    assert found.estimate.lens.margin >= PLAIN
    assert found.shown is not None
    assert blur_radius(found.shown.psf) == pytest.approx(1.7, rel=0.15)


@pytest.mark.parametrize(
    ("certainty", "quality", "gap", "asked"),
    [
        (0.98, "best", 0.0, True),
        (0.98, "best", 0.2, False),
        (0.98, "fast", 0.0, False),
        (1.0, "best", 0.0, False),
    ],
)
def test_what_lies_further_in_is_asked_of_found_parts_whose_psf_would_be_undone(
    photo, monkeypatch, certainty, quality, gap, asked
):
    psf = np.pad(np.full((1, 9), 1 / 9, np.float32), ((15, 15), (11, 11)))
    told = Estimate(psf, (psf, psf), 0.9)
    seen = []
    monkeypatch.setattr(fit, "estimate_psf", lambda *_: told)
    monkeypatch.setattr(fit, "_gap", lambda *_: gap)
    monkeypatch.setattr(fit, "told_further_in", lambda found, *_: seen.append(found) or found)
    mask = np.zeros(photo.shape[:2], np.float32)
    mask[100:300, 100:300] = 1
    parts = replace(marked(mask), certainty=certainty)
    nothing = LearntRound(lambda planes: planes, lambda planes: planes)
    fit_part(photo, parts, 1, nothing, quality)
    assert seen == ([told] if asked else [])
