"""Pictures for people: of the right size, and for photos of every size."""

import numpy as np
import pytest
from PIL import Image as PillowImage

from selfsharp.image import PhotoError, quantize
from selfsharp.picture import (
    beside,
    blur_picture,
    busiest_window,
    compare,
    provenance_picture,
    write_picture,
)

SIZES = [(1, 1), (2, 2), (3, 200), (200, 3), (7, 5), (64, 80)]


def make_image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height).random((height, width, 3), np.float32)


def is_within(window: tuple[slice, slice], place: tuple[int, int]) -> bool:
    return all(side.start <= at < side.stop for side, at in zip(window, place, strict=True))


@pytest.mark.parametrize("place", [(3, 4), (60, 75), (0, 79), (30, 40)])
def test_the_busiest_window_finds_what_changed(photo, place):
    changed = photo.copy()
    changed[place] = 1 - changed[place]
    window = busiest_window(photo, changed)
    assert is_within(window, place)
    assert photo[window].shape == (19, 24, 3)


def test_the_busiest_window_goes_where_the_change_is_largest(photo):
    changed = photo.copy()
    changed[5:10, 5:10] += np.where(photo[5:10, 5:10] < 0.5, np.float32(0.1), np.float32(-0.1))
    changed[50:55, 60:65] = 1 - changed[50:55, 60:65]
    assert is_within(busiest_window(photo, changed), (52, 62))


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_there_is_a_window_even_where_nothing_changed(height, width):
    image = make_image(height, width)
    assert image[busiest_window(image, image)].size > 0


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_a_blur_picture_is_as_wide_as_the_photo_and_has_a_scale_below(height, width):
    image = make_image(height, width)
    picture = blur_picture(image, np.zeros((height, width), np.float32))
    assert picture.shape[1] == width
    assert picture.shape[0] > height + 20


def test_the_scale_goes_from_dark_to_light():
    image = make_image(40, 300)
    scale = blur_picture(image, np.zeros((40, 300), np.float32))[-2].astype(int).sum(axis=1)
    assert (np.diff(scale[::30]) > 0).all()


def test_sharp_parts_are_grey_and_more_blur_is_brighter():
    grey = np.full((10, 30, 3), 0.5, np.float32)
    blur_map = np.repeat(np.float32([0, 1, 4]), 10)[None].repeat(10, axis=0)
    sharp, light, heavy = blur_picture(grey, blur_map)[5, [5, 15, 25]].astype(int)
    assert len(set(sharp)) == 1
    assert len(set(light)) > 1
    assert len(set(heavy)) > 1
    assert heavy.sum() > light.sum()


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("changes", [True, False])
def test_a_comparison_shows_input_map_and_restored_side_by_side(height, width, changes):
    image = make_image(height, width)
    restored = 1 - image if changes else image
    blur_map = np.full((height, width), 2, np.float32)
    picture = compare({"input": image, "restored": restored}, blur_map)
    assert picture.dtype == np.uint8
    assert 3 * width < picture.shape[1] <= 3 * width + 20
    assert picture.shape[0] > height


def test_a_comparison_takes_more_panels_and_a_detail_of_ones_own(photo):
    panels = {"input": photo, "half": photo, "restored": photo}
    detail = (slice(0, 8), slice(8, 16))
    picture = compare(panels, np.zeros(photo.shape[:2], np.float32), detail=detail)
    zoomed = picture[-photo.shape[1] :, : photo.shape[1]]
    # Away from its frame and its smooth joins, a zoomed pixel has its colour still.
    assert np.abs(zoomed[45, 45].astype(int) - quantize(photo)[4, 12]).max() < 25
    assert picture.shape[1] > 4 * photo.shape[1]


def test_a_comparison_marks_the_detail_without_touching_the_panels(photo):
    before = photo.copy()
    compare({"input": photo, "restored": photo}, np.zeros(photo.shape[:2], np.float32))
    np.testing.assert_array_equal(photo, before)


def test_pictures_lie_beside_one_another_unchanged():
    one, two = quantize(make_image(4, 5)), quantize(make_image(4, 6))
    picture = beside([one, two])
    np.testing.assert_array_equal(picture[:, :5], one)
    np.testing.assert_array_equal(picture[:, -6:], two)


def test_a_picture_is_written_whole_and_replaces_nothing_unasked(tmp_path):
    picture = quantize(make_image(4, 5))
    path = tmp_path / "picture.png"
    write_picture(picture, path)
    np.testing.assert_array_equal(np.asarray(PillowImage.open(path)), picture)
    with pytest.raises(PhotoError, match=r"\A.*picture\.png exists.*\Z"):
        write_picture(picture, path)
    write_picture(255 - picture, path, overwrite=True)
    np.testing.assert_array_equal(np.asarray(PillowImage.open(path)), 255 - picture)


def test_what_was_told_of_a_place_has_its_colour():
    image = np.full((40, 60, 3), 0.5, np.float32)
    source = np.zeros((40, 60, 2), np.int32)
    strength, sources = np.zeros((2, 40, 60), np.float32)
    strength[10:20, 10:20], source[10:20, 10:20] = 1, (35, 50)
    strength[10:20, 30:40], source[10:20, 30:40] = 1, (2, 3)
    sources[35, 50] = sources[2, 3] = 1
    drawn = provenance_picture(image, source, strength, sources).astype(int)
    assert np.array_equal(drawn[15, 15], drawn[35, 50])
    assert np.array_equal(drawn[15, 35], drawn[2, 3])
    assert np.abs(drawn[15, 15] - drawn[15, 35]).max() > 60
    assert np.ptp(drawn[30, 20]) == 0
