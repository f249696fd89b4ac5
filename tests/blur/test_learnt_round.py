"""A learnt round is physics but for two networks: told the truth, it finds the true PSF."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfsharp.blur.blurred_part import BlurredPart
from selfsharp.blur.kinds import shake
from selfsharp.blur.learnt_round import MULTIPLE, LearntRound
from selfsharp.blur.psf import similarity
from selfsharp.blur.regions import everywhere
from selfsharp.blur.spectrum import bordered
from selfsharp.blur.synthesis import Camera, blur_region

SIDE = 31


def blocks(rows: int, columns: int, generator: np.random.Generator) -> np.ndarray:
    """A picture with edges of several sizes, in three equal channels."""
    plane = np.zeros((rows, columns), np.float32)
    for size in (1, 3, 8):
        coarse = generator.random((rows // size + 1, columns // size + 1), np.float32)
        plane += coarse.repeat(size, axis=0).repeat(size, axis=1)[:rows, :columns] / 3
    return np.repeat(plane[:, :, None], 3, axis=2)


def padded(psf: np.ndarray) -> np.ndarray:
    return np.pad(psf, (SIDE - psf.shape[0]) // 2)


def telling(sharp: np.ndarray, seen: list[tuple[int, ...]] | None = None) -> LearntRound:
    """A round whose networks know the sharp image and leave the PSF as the edges tell it."""
    known = bordered(sharp, SIDE)

    def edges(planes: np.ndarray) -> np.ndarray:
        if seen is not None:
            seen.append(planes.shape)
        answer = np.ones((3, *planes.shape[1:]), np.float32)
        answer[0, : known.shape[0], : known.shape[1]] = known
        return answer

    return LearntRound(edges, lambda psfs: psfs[:1])


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**16), st.integers(100, 140), st.integers(100, 140))
def test_told_the_sharp_image_it_finds_the_true_psf_from_a_wrong_one(seed, rows, columns):
    generator = np.random.default_rng(seed)
    sharp = blocks(rows, columns, generator)
    truth = padded(shake.psf_of_extent(float(generator.uniform(8, 20)), generator))
    wrong = np.ascontiguousarray(np.rot90(truth))
    blurred = blur_region(sharp, truth, everywhere(rows, columns), Camera(), generator).blurred
    part = BlurredPart.of(blurred[:, :, 0], everywhere(rows, columns), SIDE)
    found = telling(sharp[:, :, 0])(part, wrong)
    assert found.shape == truth.shape
    assert found.dtype == np.float32
    assert found.sum() == pytest.approx(1, abs=1e-4)
    assert found.min() >= 0
    assert similarity(found, truth) > 0.97
    assert similarity(found, truth) > similarity(wrong, truth)


def test_what_is_outside_the_mask_does_not_mislead_it():
    generator = np.random.default_rng(3)
    sharp = blocks(180, 180, generator)
    truth = padded(shake.psf_of_extent(12.0, generator))
    region = np.zeros((180, 180), np.float32)
    region[20:-20, 20:-20] = 1
    blurred = blur_region(sharp, truth, region, Camera(), generator).blurred
    part = BlurredPart.of(blurred[:, :, 0], region, SIDE)
    assert similarity(telling(sharp[:, :, 0])(part, truth), truth) > 0.97


def test_the_network_sees_planes_of_its_size_rule():
    generator, seen = np.random.default_rng(0), []
    sharp = blocks(83, 91, generator)[:, :, 0]
    part = BlurredPart.of(sharp, everywhere(83, 91), SIDE)
    telling(sharp, seen)(part, padded(shake.psf_of_extent(9.0, generator)))
    ((channels, rows, columns),) = seen
    assert channels == 4
    assert rows % MULTIPLE == columns % MULTIPLE == 0
    assert rows >= part.given.shape[0]
    assert columns >= part.given.shape[1]


def test_a_network_that_tells_nothing_leaves_a_psf_all_the_same():
    generator = np.random.default_rng(1)
    sharp = blocks(80, 80, generator)[:, :, 0]
    part = BlurredPart.of(sharp, everywhere(80, 80), SIDE)
    nothing = LearntRound(lambda p: np.zeros((3, *p.shape[1:]), np.float32), lambda p: 0 * p[:1])
    found = nothing(part, padded(shake.psf_of_extent(9.0, generator)))
    assert found.sum() == pytest.approx(1)
    assert np.isfinite(found).all()
