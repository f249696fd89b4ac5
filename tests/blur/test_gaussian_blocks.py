"""One Gaussian is told from what is round otherwise, block by block."""

from pathlib import Path

import numpy as np
import pytest

from selfsharp.blur.gaussian_blocks import MOST, SIDE, find_gaussian_blocks
from selfsharp.blur.kinds import KINDS
from selfsharp.blur.regions import everywhere
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import read_photo

FLOWERS = Path(__file__).parents[2] / "examples" / "photos" / "sharp" / "flowers.webp"


@pytest.fixture(scope="module")
def sharp() -> np.ndarray:
    return read_photo(FLOWERS).image[:512, :768]


def blurred(sharp: np.ndarray, kind: str, radius: float) -> np.ndarray:
    generator = np.random.default_rng(2)
    psf = KINDS.load(kind).psf(radius, generator)
    camera = Camera(light="display", noise=1 / 255)
    image = blur_region(sharp, psf, everywhere(*sharp.shape[:2]), camera, generator).blurred
    return image.mean(axis=2)


@pytest.mark.parametrize("radius", [6.0, 14.0])
def test_blocks_of_a_filter_are_told_and_its_radius(sharp, radius):
    grey = blurred(sharp, "gaussian", radius)
    blocks = find_gaussian_blocks(grey, np.ones_like(grey))
    assert blocks.radius == pytest.approx(radius, rel=0.12)
    assert (blocks.margins > 0).mean() > 0.8


def test_blocks_beside_a_filter_speak_against_it(sharp):
    grey = blurred(sharp, "defocus", 4.0)
    half = grey.shape[1] // 2
    grey[:, half:] = blurred(sharp, "gaussian", 12.0)[:, half:]
    blocks = find_gaussian_blocks(grey, np.ones_like(grey))
    assert blocks.radius == pytest.approx(12, rel=0.12)
    columns = np.array([column for _, column in blocks.corners])
    assert (blocks.margins[columns >= half] > 0).mean() > 0.8
    assert (blocks.margins[columns + SIDE <= half] < 0).mean() > 0.8


@pytest.mark.parametrize("shape", [(SIDE - 1, 400), (400, 60), (1, 1)])
def test_what_holds_no_block_has_none(shape):
    assert find_gaussian_blocks(np.zeros(shape, np.float32), np.ones(shape, np.float32)) is None


def test_only_blocks_within_the_mask_are_asked(sharp):
    grey = sharp.mean(axis=2)
    mask = np.zeros_like(grey)
    mask[128:400, 200:420] = 1
    for row, column in find_gaussian_blocks(grey, mask).corners:
        assert mask[row : row + SIDE, column : column + SIDE].mean() >= 0.8


def test_large_parts_have_blocks_further_apart(sharp):
    grey = np.tile(sharp.mean(axis=2), (4, 3))
    assert 0.2 * MOST < len(find_gaussian_blocks(grey, np.ones_like(grey)).corners) <= MOST


def test_an_even_part_is_no_error():
    grey = np.full((300, 300), 0.4, np.float32)
    blocks = find_gaussian_blocks(grey, np.ones_like(grey))
    assert np.isfinite(blocks.margins).all()
