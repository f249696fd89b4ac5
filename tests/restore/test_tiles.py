"""Tiles cover a photo without seams, whatever its size."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from selfsharp.restore.tiles import (
    FEW,
    LITTLE,
    NEAR,
    Grid,
    in_blocks,
    padded,
    parted,
    tiles_of,
    work_list,
)
from selfsharp.restore.windows import around

GENERATORS_GRID = Grid(step=400, ramp=16, halo=40, multiple=16)
sides = st.integers(1, 700)


@st.composite
def grids(draw) -> Grid:
    ramp = 2 * draw(st.integers(1, 24))
    step = draw(st.integers(max(ramp, 32), 400))
    return Grid(step, ramp, draw(st.integers(0, 60)), draw(st.sampled_from([1, 8, 16])))


@settings(max_examples=40)
@given(sides, sides, grids())
@example(600, 1300, GENERATORS_GRID)
@example(1, 601, GENERATORS_GRID)
def test_the_weights_of_all_tiles_add_up_to_1_at_every_pixel(height, width, grid):
    total = np.zeros((height, width))
    for tile in tiles_of(height, width, grid):
        assert tile.weight.min() > 0
        total[tile.kept] += tile.weight
    np.testing.assert_allclose(total, 1, atol=1e-6)


@settings(max_examples=60)
@given(sides, sides, grids())
def test_a_tile_sees_what_it_keeps_and_the_halo_where_the_photo_has_it(height, width, grid):
    for tile in tiles_of(height, width, grid):
        for seen, kept, length in zip(tile.seen, tile.kept, (height, width), strict=True):
            assert 0 <= kept.start < kept.stop <= length
            assert seen.start == max(0, kept.start - grid.halo)
            assert seen.stop == min(length, kept.stop + grid.halo)


@given(sides, sides, grids())
@settings(max_examples=40)
def test_inner_is_the_kept_window_within_the_seen_one(height, width, grid):
    rows, columns = np.mgrid[:height, :width]
    for tile in tiles_of(height, width, grid):
        for places in (rows, columns):
            np.testing.assert_array_equal(places[tile.seen][tile.inner], places[tile.kept])


@settings(max_examples=40)
@given(sides, sides, grids(), st.data())
def test_the_work_list_is_the_tiles_trimmed_to_where_the_gate_is_open(height, width, grid, data):
    gate = np.zeros((height, width), np.float32)
    opened = data.draw(st.lists(st.tuples(st.integers(0, height - 1), st.integers(0, width - 1))))
    for place in opened:
        gate[place] = 1e-3
    weights = np.zeros((height, width), np.float32)
    for tile in tiles_of(height, width, grid):
        weights[tile.kept] += tile.weight * (gate[tile.kept] > 0)
    work = work_list(gate, grid)
    for tile in work:
        for axis, (seen, kept) in enumerate(zip(tile.seen, tile.kept, strict=True)):
            filled = np.flatnonzero(gate[tile.kept].any(axis=1 - axis))
            assert filled[-1] == kept.stop - kept.start - 1
            assert filled[0] < grid.multiple
            assert seen.start == max(0, kept.start - grid.halo)
            assert seen.stop == min(gate.shape[axis], kept.stop + grid.halo)
        assert tile.weight.shape == gate[tile.kept].shape
        weights[tile.kept] -= tile.weight * (gate[tile.kept] > 0)
    np.testing.assert_allclose(weights, 0, atol=1e-6)
    assert len(work) <= len(opened) * 4


@settings(max_examples=40)
@given(st.integers(1, 2000), st.integers(1, 2000), st.integers(0, 2**32 - 1))
def test_what_a_tile_of_the_restorer_sees_begins_on_the_generators_coarsest_scale(
    height, width, seed
):
    rows, columns = np.random.default_rng(seed).integers((height, width), size=(20, 2)).T
    gate = np.zeros((height, width), np.float32)
    gate[rows, columns] = 1
    for tile in work_list(gate, GENERATORS_GRID):
        assert all(seen.start % GENERATORS_GRID.multiple == 0 for seen in tile.seen)


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 3),
    st.sampled_from([1, 4, 16]),
    st.sampled_from([1, 37, 70]),
)
def test_padded_planes_are_mirrored_up_to_the_next_multiple(
    height, width, channels, multiple, least
):
    planes = np.arange(height * width * channels, dtype=np.float32)
    planes = planes.reshape(height, width, channels)
    wide = padded(planes, multiple, least)
    rows, columns = (-(-max(side, least) // multiple) * multiple for side in (height, width))
    assert wide.shape == (channels, rows, columns)
    for row, column in ((0, 0), (rows - 1, columns - 1), (rows // 2, columns // 2)):
        source = planes[_mirrored(row, height), _mirrored(column, width)]
        np.testing.assert_array_equal(wide[:, row, column], source)


def _mirrored(place: int, length: int) -> int:
    """Where a place beyond the end looks: back from the end, edge pixel first."""
    place %= 2 * length
    return place if place < length else 2 * length - 1 - place


@settings(max_examples=40)
@given(sides, sides, grids())
def test_blocks_hold_every_tile_once_and_no_more_than_four_by_four(height, width, grid):
    tiles = list(tiles_of(height, width, grid))
    blocks = in_blocks(tiles, grid)
    assert sorted(id(tile) for block in blocks for tile in block) == sorted(map(id, tiles))
    for block in blocks:
        rows, columns = around([tile.kept for tile in block])
        down, across = (4.5, 4.5) if len(tiles) < FEW else (1.5, 2.5)
        assert rows.stop - rows.start <= down * grid.step + grid.ramp
        assert columns.stop - columns.start <= across * grid.step + grid.ramp
    assert [len(block) for block in blocks] == sorted(map(len, blocks), reverse=True)


def test_neighbours_of_a_large_photo_are_in_a_block():
    blocks = in_blocks(list(tiles_of(2800, 2800, GENERATORS_GRID)), GENERATORS_GRID)
    assert [len(block) for block in blocks] == [2] * 21 + [1] * 7
    blocks = in_blocks(list(tiles_of(2000, 2000, GENERATORS_GRID)), GENERATORS_GRID)
    assert [len(block) for block in blocks] == [16, 4, 4, 1]


@given(grids(), st.integers(0, 100))
def test_with_any_halo_tiles_begin_where_coarser_scales_do(grid, halo):
    grid = replace(grid, step=grid.step - grid.step % grid.multiple)
    seeing = grid.seeing(halo)
    assert halo <= seeing.halo < halo + grid.multiple
    assert replace(seeing, halo=grid.halo) == grid
    for tile in tiles_of(900, 1100, seeing):
        assert all(seen.start % grid.multiple == 0 for seen in tile.seen)


@pytest.mark.parametrize(("side", "sees_all"), [(1600, True), (2000, False)])
@pytest.mark.parametrize("halo", [24, 40, 88])
def test_tiles_see_all_that_tells_of_them_where_there_are_few(side, sees_all, halo):
    gate = np.ones((side, side), np.float32)
    grid, work = parted(gate, GENERATORS_GRID, halo)
    assert (len(work) <= LITTLE) == sees_all
    assert grid.halo == (halo if sees_all else min(halo, NEAR))
    assert [tile.seen for tile in work] == [tile.seen for tile in work_list(gate, grid)]
    # What counts is what is to be restored, however large the photo is.
    gate[:, 1100:] = 0
    assert parted(gate, GENERATORS_GRID, halo)[0].halo == halo
