"""One path is told from softness beside it, block by block."""

from pathlib import Path

import numpy as np
import pytest

from selfsharp.blur.kinds import KINDS
from selfsharp.blur.path_blocks import MOST, SIDE, find_path_blocks
from selfsharp.blur.psf import Psf
from selfsharp.blur.regions import everywhere
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import read_photo

FLOWERS = Path(__file__).parents[2] / "examples" / "photos" / "sharp" / "flowers.webp"


@pytest.fixture(scope="module")
def sharp() -> np.ndarray:
    return read_photo(FLOWERS).image[:512, :768]


def drawn(kind: str, radius: float) -> Psf:
    return KINDS.load(kind).psf(radius, np.random.default_rng(3))


def blurred(sharp: np.ndarray, kind: str, radius: float) -> np.ndarray:
    camera, region = Camera(light="display", noise=1 / 255), everywhere(*sharp.shape[:2])
    psf, generator = drawn(kind, radius), np.random.default_rng(2)
    return blur_region(sharp, psf, region, camera, generator).blurred.mean(axis=2)


@pytest.mark.parametrize("kind", ["shake", "motion"])
@pytest.mark.parametrize("radius", [2.5, 6.0])
def test_blocks_of_a_path_speak_for_it_and_those_beside_it_against_it(kind, radius, sharp):
    grey = blurred(sharp, "defocus", 3.0)
    half = grey.shape[1] // 2
    grey[:, half:] = blurred(sharp, kind, radius)[:, half:]
    blocks = find_path_blocks(grey, np.ones_like(grey), drawn(kind, radius))
    columns = np.array([column for _, column in blocks.corners])
    assert (blocks.margins[columns >= half] > 0).mean() > 0.8
    assert (blocks.margins[columns + SIDE <= half] < 0).mean() > 0.8


def test_another_path_is_spoken_for_less(sharp):
    grey, psf = blurred(sharp, "shake", 5.0), drawn("shake", 5.0)
    right, wrong = (find_path_blocks(grey, np.ones_like(grey), p) for p in (psf, psf.T.copy()))
    assert (right.margins > wrong.margins).mean() > 0.9


@pytest.mark.parametrize("shape", [(SIDE - 1, 400), (400, 60), (1, 1)])
def test_what_holds_no_block_has_none(shape):
    zeros = np.zeros(shape, np.float32)
    found = find_path_blocks(zeros, np.ones(shape, np.float32), drawn("shake", 3.0))
    assert (found.corners, found.margins.size) == ((), 0)


def test_only_blocks_within_the_mask_are_asked(sharp):
    grey = sharp.mean(axis=2)
    mask = np.zeros_like(grey)
    mask[128:400, 200:420] = 1
    corners = find_path_blocks(grey, mask, drawn("shake", 3.0)).corners
    assert corners
    for row, column in corners:
        assert mask[row : row + SIDE, column : column + SIDE].mean() >= 0.95


def test_large_parts_have_blocks_further_apart(sharp):
    grey = np.tile(sharp.mean(axis=2), (2, 2))
    found = find_path_blocks(grey, np.ones_like(grey), drawn("shake", 3.0))
    assert 0.2 * MOST < len(found.corners) <= MOST


def test_an_even_part_is_no_error():
    grey = np.full((200, 200), 0.4, np.float32)
    found = find_path_blocks(grey, np.ones_like(grey), drawn("shake", 3.0))
    assert np.isfinite(found.margins).all()
