"""Explaining what was restored: only where it was, brightness alone, and the same in any blocks."""

from dataclasses import replace

import numpy as np
import pytest

from selfsharp.blur.estimate import Estimate
from selfsharp.blur.kinds import shake
from selfsharp.blur.psf_field import PsfField
from selfsharp.image import Image, Plane
from selfsharp.restore.explained import explain
from selfsharp.restore.partition import Partition
from selfsharp.restore.tiles import Grid, work_list
from selfsharp.restore.windows import around, plus

HEIGHT, WIDTH = 200, 260
PSF = shake.psf_of_extent(11.0, np.random.default_rng(4))
ESTIMATE = Estimate(PSF, (PSF, PSF), 0.9)
WHERE = slice(40, 170), slice(30, 220)


def picture(seed: int) -> Image:
    coarse = np.random.default_rng(seed).random((HEIGHT // 5, WIDTH // 5, 3), np.float32)
    return coarse.repeat(5, axis=0).repeat(5, axis=1) * np.float32(0.6) + np.float32(0.2)


def opened() -> Plane:
    gate = np.zeros((HEIGHT, WIDTH), np.float32)
    gate[WHERE] = 1.0
    return gate


def explained(estimate: Estimate = ESTIMATE, step: int = 400, threads: int = 1) -> Image:
    """A picture that was badly restored within a window, and then explained."""
    image, gate = picture(0), opened()
    work = work_list(gate, Grid(step=step, ramp=8, halo=16, multiple=8))
    within = around([tile.kept for tile in work])
    bad = (picture(1) - image) * np.float32(0.1)
    added = gate[within][:, :, None] * bad[within]
    parts, blocks = Partition(gate, gate, gate > 0), [[tile] for tile in work]
    explain(image, parts, estimate, blocks, (added, within, gate), threads)
    return plus(image, added, within)


def test_off_the_gate_every_bit_stays() -> None:
    off = opened() == 0
    np.testing.assert_array_equal(explained()[off], picture(0)[off])


def test_something_changes_and_stays_in_range() -> None:
    after = explained()
    assert after.min() >= 0
    assert after.max() <= 1
    assert np.abs(after - picture(0))[WHERE].mean() > 1e-3


def test_brightness_alone_is_corrected() -> None:
    image, gate = picture(0), opened()
    before = image + gate[:, :, None] * (picture(1) - image) * np.float32(0.1)
    after = explained()
    free = ((after > 0) & (after < 1)).all(axis=2)
    added = (after - before)[free]
    np.testing.assert_allclose(added, added[:, :1].repeat(3, axis=1), atol=1e-6)


@pytest.mark.parametrize("threads", [1, 2])
def test_tiles_are_explained_as_the_whole_is(threads: int) -> None:
    np.testing.assert_allclose(explained(step=96, threads=threads), explained(), atol=1 / 255)


def test_a_field_of_one_psf_is_that_psf() -> None:
    field = PsfField((60.0, 140.0), (60.0, 200.0), ((PSF, PSF), (PSF, PSF)))
    same = explained(replace(ESTIMATE, field=field))
    np.testing.assert_allclose(same, explained(), atol=1 / 255)


def test_doubt_changes_less() -> None:
    image, gate = picture(0), opened()
    before = image + gate[:, :, None] * (picture(1) - image) * np.float32(0.1)
    sure, doubted = (
        np.abs(explained(replace(ESTIMATE, confidence=how)) - before).mean() for how in (1.0, 0.5)
    )
    assert doubted < sure
