"""The places of a photo speak for the path that they were moved along, and for no other."""

from pathlib import Path

import numpy as np
import pytest

from selfsharp.blur.convolve import convolve
from selfsharp.blur.kinds import KINDS
from selfsharp.image import Image, read_photo
from selfsharp.restore.partition import Partition, core_of
from selfsharp.restore.votes import PLAINLY_NOT, votes_for

FLOWERS = Path(__file__).parents[2] / "examples" / "photos" / "sharp" / "flowers.webp"
PATH, OTHER = (KINDS.load("shake").psf(4.0, np.random.default_rng(seed)) for seed in (3, 11))


def whole(image: Image) -> Partition:
    everywhere = np.ones(image.shape[:2], np.float32)
    return Partition(everywhere, 4 * everywhere, core_of(everywhere))


@pytest.fixture(scope="module")
def halves() -> Image:
    """Blurred along one path on the left, and along another on the right."""
    sharp = read_photo(FLOWERS).image
    left, right = convolve(sharp, PATH), convolve(sharp, OTHER)
    middle = sharp.shape[1] // 2
    image = np.concatenate([left[:, :middle], right[:, middle:]], axis=1)
    noise = np.random.default_rng(0).normal(0, 1 / 255, image.shape).astype(np.float32)
    return np.clip(image + noise, 0, 1)


def test_where_one_path_holds_everywhere_most_places_speak_for_it():
    image = convolve(read_photo(FLOWERS).image, PATH)
    assert votes_for(image, whole(image), PATH).share > 0.9
    assert votes_for(image, whole(image), OTHER).share < 0.1


def test_where_two_paths_meet_each_is_spoken_for_on_its_side(halves):
    parts, middle = whole(halves), halves.shape[1] // 2 // 4
    for path, side, off in ((PATH, slice(middle), 0), (OTHER, slice(middle, None), 1)):
        votes = votes_for(halves, parts, path)
        assert votes.cells.all()
        speaking = votes.over(0.0)
        assert not (speaking & ~votes.over(PLAINLY_NOT)).any()
        own = speaking[:, side].mean()
        rest = speaking[:, slice(middle, None) if off == 0 else slice(middle)].mean()
        assert own > 0.7 > 0.3 > rest
    assert 0.3 < votes_for(halves, parts, PATH).share < 0.7


def test_a_part_with_nothing_to_ask_is_not_spoken_against():
    image = np.full((40, 40, 3), 0.5, np.float32)
    assert votes_for(image, whole(image), PATH).share == 1  # Smaller than a block.
    nowhere = np.zeros((40, 40), np.float32)
    assert votes_for(image, Partition(nowhere, nowhere, nowhere > 0), PATH).share == 1
