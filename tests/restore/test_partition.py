"""The gate is 0 in the reference part, to the bit, and open in the blurred part."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfsharp.blur.regions import dilated, eroded
from selfsharp.restore.detect import Findings
from selfsharp.restore.partition import (
    Partition,
    by_pixels,
    marked,
    narrowed,
    part_by_findings,
    told_alike,
    told_by,
    worth,
)

CELLS = (30, 40)
HEIGHT, WIDTH = 118, 157
LIMITS = {"threshold": 0.5, "certain": 0.9, "least_radius": 0.8}
REACH = 24
DEEP = 12
"""Pixels from the mask's edge at which its feather has ended."""


def findings(blurred: np.ndarray, radius: float = 3.0, structure: float = 0.1) -> Findings:
    probability = blurred.astype(np.float32)
    radii, structures = (np.full(blurred.shape, value, np.float32) for value in (radius, structure))
    return Findings(probability, radii, structures)


def nothing(height: int, width: int) -> Findings:
    return findings(np.zeros((-(-height // 4), -(-width // 4))))


def part_by_mask(found: Findings, mask: np.ndarray) -> Partition:
    return told_by(found, marked(mask))


@st.composite
def rectangles(draw, height, width, least) -> tuple[slice, slice]:
    """A window with sides of at least `least`."""
    window = []
    for length in (height, width):
        start = draw(st.integers(0, length - least))
        window.append(slice(start, draw(st.integers(start + least, length))))
    return tuple(window)


def far_from(window: tuple[slice, slice], reach: int) -> np.ndarray:
    """The pixels with more than `reach` rows or columns between them and the window."""
    far = np.ones((HEIGHT, WIDTH), bool)
    rows, columns = (slice(max(0, side.start - reach), side.stop + reach) for side in window)
    far[rows, columns] = False
    return far


@given(rectangles(HEIGHT, WIDTH, least=1), st.booleans(), st.integers(0, 99))
@settings(max_examples=30)
def test_where_a_hard_mask_is_0_the_gate_is_exactly_0(window, holes, seed):
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[window] = 1
    if holes:
        mask *= np.random.default_rng(seed).random(mask.shape) > 0.1
    gate = part_by_mask(nothing(HEIGHT, WIDTH), mask).gate
    assert (gate[mask == 0] == 0).all()
    assert 0 <= gate.min() <= gate.max() <= 1


@given(rectangles(HEIGHT, WIDTH, least=2 * DEEP + 1))
@settings(max_examples=25)
def test_deep_inside_a_hard_mask_the_gate_is_1(window):
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[window] = 1
    gate = part_by_mask(nothing(HEIGHT, WIDTH), mask).gate
    inside = tuple(slice(side.start + DEEP, side.stop - DEEP) for side in window)
    np.testing.assert_allclose(gate[inside], 1, atol=1e-5)


def test_a_hard_mask_gets_a_soft_edge():
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[:, 60:] = 1
    profile = part_by_mask(nothing(HEIGHT, WIDTH), mask).gate[50]
    assert (np.diff(profile) >= -1e-6).all()
    assert np.diff(profile).max() < 0.4


def test_a_soft_mask_is_taken_as_it_is():
    mask = np.random.default_rng(0).random((HEIGHT, WIDTH), np.float32)
    np.testing.assert_array_equal(part_by_mask(nothing(HEIGHT, WIDTH), mask).gate, mask)


@given(rectangles(*CELLS, least=1))
@settings(max_examples=40)
def test_further_than_24_px_from_the_cells_found_the_gate_is_exactly_0(cells):
    blurred = np.zeros(CELLS)
    blurred[cells] = 1
    parts = part_by_findings(findings(blurred), HEIGHT, WIDTH, **LIMITS)
    window = tuple(slice(4 * side.start, 4 * side.stop) for side in cells)
    assert (parts.gate[far_from(window, REACH)] == 0).all()
    assert 0 <= parts.gate.min() <= parts.gate.max() <= 1


@given(rectangles(*CELLS, least=10))
@settings(max_examples=25)
def test_in_the_middle_of_the_cells_found_the_gate_is_1(cells):
    blurred = np.zeros(CELLS)
    blurred[cells] = 1
    gate = part_by_findings(findings(blurred), HEIGHT, WIDTH, **LIMITS).gate
    row, column = (2 * (side.start + side.stop) for side in cells)
    assert gate[row, column] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (4, 4), (1, 40), (30, 2), (5, 40), (30, 5)])
def test_lone_cells_and_thin_lines_of_them_are_dropped(size):
    blurred = np.zeros(CELLS)
    row, column = (CELLS[0] - size[0]) // 2, (CELLS[1] - size[1]) // 2
    blurred[row : row + size[0], column : column + size[1]] = 1
    parts = part_by_findings(findings(blurred), HEIGHT, WIDTH, **LIMITS)
    assert not parts.gate.any()
    assert not parts.radius.any()


def test_blur_too_light_to_gain_by_is_left_alone():
    parts = part_by_findings(findings(np.ones(CELLS), radius=0.7), HEIGHT, WIDTH, **LIMITS)
    assert not parts.gate.any()


def test_a_flat_place_is_left_alone_unless_it_is_close_to_structure():
    structure = np.zeros(CELLS, np.float32)
    structure[:, :20] = 0.1
    parts = part_by_findings(
        replace(findings(np.ones(CELLS)), structure=structure), HEIGHT, WIDTH, **LIMITS
    )
    assert parts.gate[:, :80].min() > 0.99
    assert not parts.gate[:, 80 + 2 * REACH :].any()


@given(rectangles(HEIGHT, WIDTH, least=1), st.integers(0, 99))
@settings(max_examples=25)
def test_the_radius_is_finite_and_0_where_the_gate_is_0(window, seed):
    draws = np.random.default_rng(seed)
    found = Findings(*(scale * draws.random(CELLS, np.float32) for scale in (1, 9, 0.1)))
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[window] = 1
    by_mask = part_by_mask(found, mask)
    limits = {"threshold": 0.4, "certain": 0.4, "least_radius": 3.0}
    by_findings = part_by_findings(found, HEIGHT, WIDTH, **limits)
    for parts in (by_mask, by_findings):
        assert np.isfinite(parts.radius).all()
        assert parts.radius.min() >= 0
        assert (parts.radius[parts.gate == 0] == 0).all()


def test_the_radius_is_carried_on_to_where_the_detector_saw_nothing():
    blurred = np.zeros(CELLS)
    blurred[:, :8] = 1
    parts = part_by_mask(findings(blurred, radius=3.0), np.ones((HEIGHT, WIDTH), np.float32))
    np.testing.assert_allclose(parts.radius, 3.0, rtol=1e-4)


def test_the_radius_comes_from_within_the_mask_alone():
    radius = np.full(CELLS, 9, np.float32)
    radius[:, 20:] = 2
    found = replace(findings(np.ones(CELLS)), radius=radius)
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[:, 80:] = 1
    parts = part_by_mask(found, mask)
    np.testing.assert_allclose(parts.radius[parts.gate > 0], 2.0, rtol=1e-4)


def test_a_mask_over_nothing_found_has_radius_0():
    parts = part_by_mask(nothing(HEIGHT, WIDTH), np.ones((HEIGHT, WIDTH), np.float32))
    assert not parts.radius.any()
    assert parts.gate.any()


def test_only_what_hangs_together_with_a_certain_place_is_blurred():
    probability = np.full(CELLS, 0.1)
    probability[5:25, 2:14] = probability[5:25, 24:38] = 0.7
    probability[10:20, 4:12] = 1
    gate = part_by_findings(findings(probability), HEIGHT, WIDTH, **LIMITS).gate
    assert gate[28:92, 20:44].min() > 0.9
    assert not gate[:, 88:].any()


def test_a_residual_is_worth_a_change_only_where_it_is_large_enough():
    residual = np.zeros((64, 96, 3), np.float32)
    residual[:, 48:] = -0.01
    opened = worth(residual, least=0.004)
    assert not opened[:, :36].any()
    assert (opened[:, 60:] == 1).all()
    assert (np.diff(opened, axis=1) >= 0).all()
    assert not worth(residual, least=0.011).any()


@given(rectangles(*CELLS, least=4), st.integers(0, 40), st.booleans())
@settings(max_examples=25)
def test_how_much_sharp_photo_lies_around_changes_nothing(cells, around, masked):
    blurred = np.zeros(CELLS)
    blurred[cells] = 1
    wide = np.pad(blurred, around)
    made = []
    for plane in (np.pad(blurred, 24), np.pad(wide, 24)):
        height, width = 4 * plane.shape[0], 4 * plane.shape[1]
        if masked:
            mask = plane.astype(np.float32).repeat(4, axis=0).repeat(4, axis=1)
            made.append(part_by_mask(findings(plane), mask))
        else:
            made.append(part_by_findings(findings(plane), height, width, **LIMITS))
    close, far = made
    deep = tuple(slice(4 * around, 4 * around + 4 * (n + 48)) for n in CELLS)
    for name in ("gate", "radius", "core"):
        np.testing.assert_array_equal(getattr(far, name)[deep], getattr(close, name))
    assert far.certainty == close.certainty


@given(rectangles(*CELLS, least=1), rectangles(*CELLS, least=6))
@settings(max_examples=25)
def test_what_is_narrowed_lies_in_its_cells_and_in_the_part(cells, blurred):
    plane = np.zeros(CELLS)
    plane[blurred] = 1
    parts = part_by_mask(findings(plane), plane.astype(np.float32).repeat(4, 0).repeat(4, 1))
    kept = np.zeros(CELLS, bool)
    kept[cells] = True
    left = narrowed(parts, kept, 0.5)
    inside, near = (by_pixels(dilated(kept, reach), *parts.gate.shape) for reach in (0, REACH // 4))
    assert left.certainty == 0.5
    assert not left.gate[~near | (parts.gate == 0)].any()
    assert not left.radius[left.gate == 0].any()
    np.testing.assert_array_equal(left.core, parts.core & inside)
    deep = eroded(inside & (parts.gate > 0.5), DEEP)
    np.testing.assert_array_equal(left.gate[deep], 1)
    np.testing.assert_array_equal(left.radius[left.gate > 0], parts.radius[left.gate > 0])


def test_narrowing_nothing_leaves_nothing():
    parts = part_by_mask(nothing(40, 60), np.zeros((40, 60), np.float32))
    left = narrowed(parts, np.ones((10, 15), bool), 0.5)
    assert not left.gate.any()
    assert not left.core.any()


@pytest.mark.parametrize("size", [(1, 1), (37, 50), (64, 81)])
def test_all_of_a_photo_marked_takes_no_memory_for_what_is_the_same_everywhere(
    size: tuple[int, int],
) -> None:
    parts = told_alike(marked(np.ones(size, np.float32)), 2.5)
    for plane, value in ((parts.gate, 1), (parts.radius, 2.5), (parts.core, True)):
        assert plane.shape == size
        assert (plane == value).all()
        assert plane.strides == (0, 0)
    nearly = np.ones(size, np.float32)
    nearly[0, 0] = 0
    parts = told_alike(marked(nearly), 2.5)
    assert parts.gate[0, 0] == parts.radius[0, 0] == parts.core[0, 0] == 0
