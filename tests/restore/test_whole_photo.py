"""A shaken photo in which nothing looks sharp was shaken as a whole, found or not."""

from pathlib import Path

import numpy as np
import pytest

from selfsharp.blur.kinds import KINDS
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import Image, read_photo
from selfsharp.restore.detect import Findings
from selfsharp.restore.judgement import Judgement
from selfsharp.restore.partition import Partition, opened_everywhere
from selfsharp.restore.restorer import Restorer
from selfsharp.restore.whole_photo import (
    DISTINCT,
    FITS,
    LITTLE,
    SHARP,
    misfit_off,
    moved_as_a_whole,
    share_sharp,
)

FLOWERS = Path(__file__).parents[2] / "examples" / "photos" / "sharp" / "flowers.webp"


@pytest.fixture
def left_blurred() -> Partition:
    """The left half of a photo of 160x240 px."""
    gate = np.zeros((160, 240), np.float32)
    gate[:, :120] = 1
    return Partition(gate, 4 * gate, gate > 0, certainty=0.99)


def seen(*, structure: float, probability: float) -> Findings:
    """Blurred on the left; on the right with so much to see, and so likely blurred."""
    left = np.arange(60) < 30
    planes = [np.where(left, a, b) for a, b in ((0.99, probability), (4, 0), (1, structure))]
    found = [np.tile(plane.astype(np.float32), (40, 1)) for plane in planes]
    return Findings(*found)


@pytest.mark.parametrize(
    ("structure", "probability", "sharp"),
    [
        (2 * DISTINCT, SHARP / 2, True),
        (DISTINCT / 2, SHARP / 2, False),
        (2 * DISTINCT, 2 * SHARP, False),
        (0.0, 0.0, False),
    ],
    ids=["plainly", "nothing to see", "doubtful", "flat"],
)
def test_what_is_sharp_has_something_to_see_and_no_blur(
    left_blurred, structure, probability, sharp
):
    found = seen(structure=structure, probability=probability)
    assert (share_sharp(found, left_blurred) > LITTLE) is sharp


def test_a_photo_blurred_all_over_has_nothing_sharp():
    gate = np.ones((160, 240), np.float32)
    found = seen(structure=1.0, probability=0.0)
    parts = Partition(gate, gate, gate > 0)
    assert share_sharp(found, parts) == 0
    assert moved_as_a_whole(
        np.zeros((160, 240, 3), np.float32), found, parts, np.ones((1, 1), np.float32)
    )


def test_all_of_a_photo_keeps_its_core_and_has_a_radius(left_blurred):
    parts = opened_everywhere(seen(structure=0.0, probability=0.0), left_blurred)
    assert (parts.gate == 1).all()
    assert parts.radius == pytest.approx(4, rel=0.01)
    assert parts.core is left_blurred.core
    assert parts.certainty == left_blurred.certainty


def test_a_path_fits_what_it_moved_and_rings_in_what_is_sharp():
    sharp, generator = read_photo(FLOWERS).image, np.random.default_rng(3)
    psf = KINDS.load("shake").psf(4.0, generator)
    gate = np.zeros(sharp.shape[:2], np.float32)
    gate[:, : gate.shape[1] // 3] = 1
    parts = Partition(gate, 4 * gate, gate > 0)
    camera = Camera(light="display", noise=1 / 255)
    moved = blur_region(sharp, psf, np.ones_like(gate), camera, generator).blurred
    assert misfit_off(moved, parts, psf) < FITS
    assert misfit_off(blur_region(sharp, psf, gate, camera, generator).blurred, parts, psf) > FITS


@pytest.fixture(scope="module")
def shaken_under_sky() -> Image:
    """A photo with a smooth sky over half of it, shaken as a whole."""
    sharp = read_photo(FLOWERS).image.copy()
    height = sharp.shape[0] // 2
    sharp[:height] = np.linspace(0.5, 0.8, height, dtype=np.float32)[:, None, None]
    generator = np.random.default_rng(5)
    psf = KINDS.load("shake").psf(4.0, generator)
    whole = np.ones(sharp.shape[:2], np.float32)
    return blur_region(sharp, psf, whole, Camera(light="display", noise=1 / 255), generator).blurred


def test_sky_over_what_was_shaken_is_taken_for_shaken(shaken_under_sky):
    restorer = Restorer(threads=1)
    assert not restorer.find_parts(shaken_under_sky).gate.all()
    decided = restorer.decide(shaken_under_sky)
    assert decided.parts is decided.blurred
    assert decided.parts.gate.all()


def test_what_is_not_beyond_doubt_is_not_widened(shaken_under_sky, monkeypatch):
    restorer = Restorer(threads=1)
    monkeypatch.setattr(restorer, "judge", lambda *_: Judgement(0.9, None, 0.8))
    assert not restorer.decide(shaken_under_sky).parts.gate.all()
