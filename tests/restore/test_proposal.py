"""Tiles propose what the whole photo would."""

from dataclasses import replace

import numpy as np
import pytest

from selfsharp.blur.convolve import convolve
from selfsharp.blur.deconvolve import divide, divide_plane
from selfsharp.blur.estimate import Estimate
from selfsharp.blur.kinds import gaussian
from selfsharp.blur.psf_field import PsfField
from selfsharp.image import grey_of
from selfsharp.restore import proposal
from selfsharp.restore.partition import Partition
from selfsharp.restore.proposal import DAMPINGS, propose, reach_of, undo, undo_block
from selfsharp.restore.tiles import Grid, Tile, tiles_of

GRID = Grid(step=96, ramp=16, halo=16, multiple=8)


@pytest.fixture(scope="module")
def estimate() -> Estimate:
    # Without zeros in its spectrum, whose ringing knows no end.
    psf = gaussian.psf(2.0, np.random.default_rng(0))
    return Estimate(psf, (psf, psf), confidence=1.0)


@pytest.fixture(scope="module")
def image(estimate) -> np.ndarray:
    coarse = np.random.default_rng(3).random((40, 50, 3)).repeat(6, axis=0).repeat(6, axis=1)
    return convolve(coarse.astype(np.float32), estimate.psf)


def make_parts(image: np.ndarray, size: int) -> Partition:
    """A square of the photo is blurred, its core a little smaller."""
    gate = np.zeros(image.shape[:2], np.float32)
    gate[40 : 40 + size, 50 : 50 + size] = 1
    core = np.zeros(gate.shape, bool)
    core[46 : 34 + size, 56 : 44 + size] = True
    return Partition(gate, 3 * gate, core)


def test_without_an_estimate_the_tile_itself_is_proposed(image):
    parts = make_parts(image, 100)
    for tile in tiles_of(*parts.gate.shape, GRID):
        proposals = undo(image, parts, tile, None)
        assert np.array_equal(proposals[:, :, :3], image[tile.seen])
        assert np.array_equal(proposals[:, :, 3:], image[tile.seen])


def test_a_field_of_one_psf_proposes_what_the_psf_does(image, estimate):
    parts = make_parts(image, 150)
    rows, columns = (30.0, 120.0, 200.0), (40.0, 200.0)
    field = PsfField(rows, columns, ((estimate.psf,) * 2,) * 3)
    for tile in tiles_of(*parts.gate.shape, GRID):
        one, other = (
            undo(image, parts, tile, replace(estimate, field=each)) for each in (None, field)
        )
        assert one.shape == other.shape
        assert np.abs(one - other)[tile.inner].mean() < 1 / 255


def test_the_second_proposal_is_bolder_in_brightness_and_has_the_colours_of_the_first(
    image, estimate
):
    gate = make_parts(image, 150).gate
    first, second = np.split(propose(image, gate, estimate.both), 2, axis=2)
    np.testing.assert_array_equal(first, divide(image, gate, estimate.both[0], DAMPINGS[0]))
    brightness = divide_plane(grey_of(image), gate, estimate.both[1], DAMPINGS[1])
    clipped = ((second == 0) | (second == 1)).any(axis=2)
    assert clipped.mean() < 0.5
    kept = np.invert(clipped)
    np.testing.assert_allclose(grey_of(second)[kept], brightness[kept], atol=1e-6)
    colours = [one - grey_of(one)[:, :, None] for one in (first, second)]
    np.testing.assert_allclose(colours[0][kept], colours[1][kept], atol=1e-6)


def test_tiles_propose_what_the_whole_photo_would(image, estimate):
    parts = make_parts(image, 150)
    whole = propose(image, parts.gate, estimate.both)
    for tile in tiles_of(*parts.gate.shape, GRID):
        proposals = undo(image, parts, tile, estimate)
        assert proposals.shape == (*tile.seen_size, 6)
        off = np.abs(proposals - whole[tile.seen])[tile.inner]
        assert off.mean(axis=(0, 1)).max() < 1 / 255


def test_an_empty_frame_around_a_psf_changes_next_to_nothing(image, estimate):
    framed = np.pad(estimate.psf, 6)
    wide = replace(estimate, psf=framed, both=(framed, framed))
    bare = wide.bare
    assert bare.both[0] is bare.both[1]
    assert bare.psf.shape <= estimate.psf.shape
    assert bare.psf.sum() == framed.sum()
    assert reach_of(bare) < reach_of(wide)
    parts = make_parts(image, 150)
    for tile in tiles_of(*parts.gate.shape, GRID):
        with_it, without = (undo(image, parts, tile, one) for one in (wide, bare))
        off = np.abs(with_it - without)[tile.inner]
        assert off.mean(axis=(0, 1)).max() < 0.5 / 255


@pytest.mark.parametrize("places", [[0, 1, 3, 4], [0, 4], [1]])
def test_a_block_proposes_what_its_tiles_do(image, estimate, places):
    parts = make_parts(image, 150)
    tiles = [list(tiles_of(*parts.gate.shape, GRID))[place] for place in places]
    for told in (estimate, None):
        together = list(undo_block(image, parts, tiles, told))
        assert len(together) == len(tiles)
        for tile, proposals in zip(tiles, together, strict=True):
            alone = undo(image, parts, tile, told)
            assert proposals.shape == alone.shape
            assert np.abs(proposals - alone)[tile.inner].mean() < 0.5 / 255


def test_a_block_is_undone_at_once_where_that_is_less(image, estimate, monkeypatch):
    asked: list[Tile] = []

    def undo_nothing(image, parts, tile, estimate, threads=1):
        asked.append(tile)
        return np.zeros((*tile.seen_size, 6), np.float32)

    monkeypatch.setattr(proposal, "undo", undo_nothing)
    tiles = list(tiles_of(*image.shape[:2], GRID))
    list(undo_block(image, make_parts(image, 150), tiles[:2], estimate))
    assert len(asked) == 1
    assert asked[0].kept[1] == slice(tiles[0].kept[1].start, tiles[1].kept[1].stop)
    # What lies between two far corners would have to be undone as well.
    wide = np.zeros((4000, 4000, 3), np.float32)
    far = list(tiles_of(4000, 4000, GRID))[:: 4000 // 96 - 1]
    list(undo_block(wide, make_parts(wide, 150), [far[0], far[-1]], estimate))
    assert len(asked) == 3
