"""A field of PSFs is undone without seams, and as one PSF is where all are alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsharp.blur.convolve import convolve
from selfsharp.blur.deconvolve import divide
from selfsharp.blur.kinds import gaussian, motion
from selfsharp.blur.psf import Psf
from selfsharp.blur.psf_field import PsfField
from selfsharp.image import Image, Plane

SOFT = gaussian.psf(2.0, np.random.default_rng(0))


def sized(psf: Psf) -> Psf:
    """A PSF on the canvas of `SOFT`."""
    return np.pad(psf, (SOFT.shape[0] - psf.shape[0]) // 2)


HARD = sized(gaussian.psf(1.0, np.random.default_rng(0)))


@pytest.fixture(scope="module")
def image() -> Image:
    coarse = np.random.default_rng(3).random((20, 30, 3)).repeat(8, axis=0).repeat(8, axis=1)
    return convolve(coarse.astype(np.float32), SOFT)


def nothing(image: Image, mask: Plane, psf: Psf) -> Image:
    return image


@given(
    st.lists(st.integers(-50, 300), min_size=1, max_size=4, unique=True),
    st.lists(st.integers(-50, 300), min_size=1, max_size=4, unique=True),
    st.integers(0, 200),
    st.integers(0, 200),
)
def test_shares_add_up_to_one_wherever_the_grid_lies(rows, columns, top, left):
    rows, columns = sorted(rows), sorted(columns)
    psfs = tuple((SOFT,) * len(columns) for _ in rows)
    field = PsfField(tuple(map(float, rows)), tuple(map(float, columns)), psfs)
    image = np.random.default_rng(0).random((31, 23, 3), np.float32)
    same = field.undone(image, np.ones((31, 23), np.float32), (top, left), 3, nothing)
    np.testing.assert_allclose(same, image, atol=1e-5)
    grey = field.undone(image[:, :, 0], np.ones((31, 23), np.float32), (top, left), 3, nothing)
    np.testing.assert_allclose(grey, image[:, :, 0], atol=1e-5)


def test_a_field_of_equal_psfs_undoes_as_the_psf_does(image):
    mask = np.ones(image.shape[:2], np.float32)
    field = PsfField((30.0, 90.0, 130.0), (40.0, 120.0, 200.0), ((SOFT,) * 3,) * 3)
    whole = divide(image, mask, SOFT)
    undone = field.undone(image, mask, (0, 0), 40, divide)
    assert np.abs(undone - whole).max() < 0.01


def test_a_window_is_undone_as_the_whole_is(image):
    mask = np.ones(image.shape[:2], np.float32)
    field = PsfField((30.0, 130.0), (40.0, 200.0), ((SOFT, HARD), (HARD, SOFT)))
    whole = field.undone(image, mask, (0, 0), 40, divide)
    window = slice(10, 150), slice(20, 230)
    part = field.undone(image[window], mask[window], (10, 20), 40, divide)
    assert np.abs(part - whole[window])[40:-40, 40:-40].max() < 0.01


def test_near_a_crossing_its_own_psf_is_undone():
    generator = np.random.default_rng(1)
    sharp = generator.random((24, 40, 3)).repeat(8, axis=0).repeat(8, axis=1).astype(np.float32)
    across, down = (sized(motion.psf(2.0, np.random.default_rng(seed))) for seed in (1, 2))
    blurred = np.where(
        np.arange(320)[None, :, None] < 160, *(convolve(sharp, k) for k in (across, down))
    )
    field = PsfField((96.0,), (120.0, 200.0), ((across, down),))
    mask = np.ones(blurred.shape[:2], np.float32)
    right = field.undone(blurred, mask, (0, 0), 40, divide)
    wrong = PsfField((96.0,), (120.0, 200.0), ((down, across),)).undone(
        blurred, mask, (0, 0), 40, divide
    )
    ends = np.r_[30:110, 210:290]
    off = [np.abs(one - sharp)[30:-30, ends].mean() for one in (blurred, right, wrong)]
    assert off[1] < 0.6 * off[0] < 0.6 * off[2]
