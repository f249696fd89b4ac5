"""A photo is looked at piece by piece, and the pieces join as if it had been one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image as PillowImage

from selfsharp.restore.detect import LEAST, MARGIN, STRIP, enlarged, find_blur, look_mirrored
from selfsharp.restore.runtime import Graph
from selfsharp.restore.tiles import Grid, padded, tiles_of, trimmed

SHAPES = [(1603, 30), (29, 1601), (1540, 17), (64, 80), (5, 6), (1, 1)]
FAR = 20
"""Cells that the far-sighted detector sees to either side: 80 of the halo's 96 px."""


class Means(Graph):
    """Tells the mean red of every cell as the logit, and the mean green as the radius."""

    def __init__(self):
        self.sizes = []

    def __call__(self, image):
        self.sizes.append(image.shape[1:])
        return _means(image)[:2]


class FarSighted(Graph):
    """Tells the mean of many cells in a row or column, as a network with a wide view does."""

    def __init__(self):
        pass

    def __call__(self, image):
        means = np.pad(_means(image)[:2], ((0, 0), (FAR, FAR), (FAR, FAR)))
        rows = sliding_window_view(means, 2 * FAR + 1, axis=1).mean(axis=-1)
        return sliding_window_view(rows, 2 * FAR + 1, axis=2).mean(axis=-1)


def _means(image):
    """Means of 4x4 pixels, channel by channel."""
    channels, height, width = image.shape
    cells = image.reshape(channels, height // 4, 4, width // 4, 4)
    return cells.mean(axis=(2, 4), dtype=np.float32)


def make_image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height).random((height, width, 3), np.float32)


@pytest.mark.parametrize(("height", "width"), SHAPES)
def test_every_cell_gets_its_own_answer(height, width):
    image = make_image(height, width)
    found = find_blur(image, Means(), 16)
    rows, columns = -(-height // 4), -(-width // 4)
    red, green, _ = _means(padded(image, 16, LEAST))[:, :rows, :columns]
    np.testing.assert_allclose(found.probability, 1 / (1 + np.exp(-red)), atol=1e-6)
    np.testing.assert_allclose(found.radius, green, atol=1e-6)


@pytest.mark.parametrize(("height", "width"), [(1603, 30), (29, 1601)])
def test_the_pieces_join_as_if_the_photo_had_been_seen_whole(height, width):
    image = make_image(height, width)
    found = find_blur(image, FarSighted(), 16)
    rows, columns = found.radius.shape
    whole = FarSighted()(padded(image, 16, LEAST))[1, :rows, :columns]
    np.testing.assert_allclose(found.radius, whole, atol=1e-5)


def test_a_large_photo_is_seen_in_pieces_of_the_size_rule():
    detector = Means()
    find_blur(make_image(1603, 30), detector, 16)
    assert len(detector.sizes) == 2
    assert all(
        rows <= 1300 and rows % 16 == 0 and columns == LEAST for rows, columns in detector.sizes
    )


def test_what_is_smaller_than_a_detector_has_learnt_of_is_mirrored():
    detector = Means()
    found = find_blur(make_image(50, 70), detector, 20)
    assert detector.sizes == [(400, 400)]
    assert found.probability.shape == (13, 18)


def test_where_two_pieces_disagree_one_fades_into_the_other():
    class Changing(Means):
        def __call__(self, image):
            answers = super().__call__(image)
            return np.full_like(answers, len(self.sizes))

    radius = find_blur(make_image(1603, 30), Changing(), 16).radius[:, 0]
    assert (radius[0], radius[-1]) == (1, 2)
    assert 0 <= np.diff(radius).min() <= np.diff(radius).max() < 0.1


def test_a_radius_is_never_negative():
    class Negative(Means):
        def __call__(self, image):
            return -super().__call__(image)

    assert find_blur(make_image(20, 20), Negative(), 4).radius.max() == 0


def test_the_surest_answers_become_0_and_1_without_a_warning(recwarn):
    class Sure(Means):
        def __call__(self, image):
            answers = super().__call__(image)
            answers[0] = np.where(answers[0] > 0.5, 1e4, -1e4)
            return answers

    image = make_image(40, 40)
    found = find_blur(image, Sure(), 4)
    sure = _means(padded(image, 4))[0] > 0.5
    np.testing.assert_allclose(found.probability, sure, atol=1e-6)
    assert not recwarn.list


class ThreeAnswers(Means):
    """Tells as its third answer what the first is, and by `lean` more from left to right."""

    lean = 0.0

    def __call__(self, image):
        answers = super().__call__(image)
        slope = self.lean * np.arange(answers.shape[2], dtype=np.float32)
        return np.concatenate([answers[:2], answers[:1] + slope])


@pytest.mark.parametrize(("height", "width"), [*SHAPES, (1, 1), (37, 46)])
def test_mirror_images_of_what_leans_nowhere_tell_the_same(height, width):
    image, detector = make_image(height, width), ThreeAnswers()
    found = find_blur(image, detector, 4)
    again = look_mirrored(found, image, detector, 4)
    np.testing.assert_allclose(again.seen, found.seen, atol=1e-5)
    assert again.probability is found.probability
    assert again.radius is found.radius


def test_a_mirror_image_evens_out_what_leans_to_one_side():
    detector = ThreeAnswers()
    detector.lean = 0.05
    image = np.full((40, 80, 3), 0.5, np.float32)
    found = find_blur(image, detector, 4)
    again = look_mirrored(found, image, detector, 4)
    rising = [float(np.ptp(each.seen, axis=1).max()) for each in (found, again)]
    assert rising[1] < 0.5 * rising[0]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (4, 4), (7, 9), (30, 41)])
def test_enlarged_cells_have_the_photos_size_and_stay_in_range(height, width):
    cells = make_image(-(-height // 4), -(-width // 4))[:, :, 0]
    plane = enlarged(cells, height, width)
    assert plane.shape == (height, width)
    assert cells.min() <= plane.min() <= plane.max() <= cells.max()


def test_enlarged_cells_are_joined_by_straight_lines_between_their_centres():
    cells = np.outer(np.ones(3), np.arange(10)).astype(np.float32)
    plane = enlarged(cells, 10, 38)
    centres = (np.arange(38) - 1.5) / 4
    np.testing.assert_allclose(plane, np.tile(centres.clip(0, 9), (10, 1)), atol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(3 * 4 * STRIP + 6, 50), (4 * STRIP, 9), (77, 300)])
def test_strips_of_cells_are_enlarged_as_the_whole_is(height, width):
    cells = np.random.default_rng(0).random((-(-height // 4), -(-width // 4)), np.float32)
    size = (4 * cells.shape[1], 4 * cells.shape[0])
    whole = PillowImage.fromarray(cells).resize(size, PillowImage.Resampling.BILINEAR)
    np.testing.assert_array_equal(
        enlarged(cells, height, width), np.asarray(whole)[:height, :width]
    )


def test_with_a_mask_only_what_lies_around_it_is_looked_at():
    image, detector = make_image(1603, 30), Means()
    mask = np.zeros((1603, 30), np.float32)
    mask[1500:1550, 3] = 1
    found, whole = find_blur(image, detector, 16, mask=mask), find_blur(image, Means(), 16)
    assert len(detector.sizes) == 1
    assert detector.sizes[0][0] < 500
    assert found.probability[:330].max() == 0
    near = slice((1500 - MARGIN) // 4, None)
    np.testing.assert_array_equal(found.radius[near], whole.radius[near])


@given(top=st.integers(0, 1590), tall=st.integers(1, 200), margin=st.integers(0, 120))
def test_what_is_looked_at_has_the_mask_and_a_margin(top, tall, margin):
    gate = np.zeros((1603, 30), np.float32)
    gate[top : top + tall] = 1
    grid = Grid(step=1024, ramp=64, halo=96, multiple=16)
    for tile in tiles_of(1603, 30, grid):
        if not gate[tile.kept].any():
            continue
        small = trimmed(tile, gate, grid, margin)
        kept, whole = small.kept[0], tile.kept[0]
        assert whole.start <= kept.start <= max(whole.start, top - margin)
        assert min(whole.stop, top + tall + margin) <= kept.stop <= whole.stop
        assert (small.seen[0].start % 16, small.weight.shape) == (0, gate[small.kept].shape)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_change_nothing(threads):
    image = make_image(2900, 30)
    found, alone = find_blur(image, Means(), 16, threads), find_blur(image, Means(), 16)
    for one, other in zip(vars(found).values(), vars(alone).values(), strict=True):
        np.testing.assert_array_equal(one, other)
