"""An image made of samples is the image that they are, whatever is asked of it."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsharp.image import open_photo, read_photo, write_photo
from selfsharp.photo import Photo
from selfsharp.photo_metadata import Metadata
from selfsharp.raster import Layout, Raster, alpha_of, grey_of, to_image, to_raster
from selfsharp.raster_image import GreyImage, RasterImage, add_to, piece_of, raster_of

HEIGHT, WIDTH = 23, 31
LAYOUTS = [
    Layout(colour, alpha, depth)
    for colour, alpha, depth in itertools.product(
        ("grey", "rgb", "cmyk"), ("none", "straight", "premultiplied"), (8, 16)
    )
    if colour != "cmyk" or alpha != "premultiplied"
]
WINDOW = (slice(5, 17), slice(3, 28))


def raster(layout: Layout, seed: int = 0) -> Raster:
    generator = np.random.default_rng(seed)
    shape = (HEIGHT, WIDTH, layout.channels)
    return Raster(generator.integers(0, layout.white + 1, shape).astype(layout.dtype), layout)


def added(seed: int = 1, kind: type = np.float32) -> np.ndarray:
    shape = (*(side.stop - side.start for side in WINDOW), 3)
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(kind)


def plus(image: np.ndarray, change: np.ndarray) -> np.ndarray:
    whole = image.copy()
    whole[WINDOW] = (whole[WINDOW] + change).clip(0, 1)
    return whole


def spans(length: int) -> st.SearchStrategy[slice]:
    ends = st.tuples(st.integers(0, length - 1), st.integers(1, length + 9))
    return ends.filter(lambda two: two[0] < two[1]).map(lambda two: slice(*two))


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_every_layout_has_the_values_of_the_whole(layout: Layout) -> None:
    whole = to_image(raster(layout))
    image = RasterImage(raster(layout))
    assert (image.shape, image.dtype, image.size) == (whole.shape, whole.dtype, whole.size)
    np.testing.assert_array_equal(np.asarray(image), whole)
    np.testing.assert_array_equal(image[WINDOW], whole[WINDOW])
    np.testing.assert_array_equal(image[4:9], whole[4:9])
    np.testing.assert_array_equal(grey_of(image[WINDOW]), grey_of(whole[WINDOW]))


@given(rows=spans(HEIGHT), columns=spans(WIDTH), seed=st.integers(0, 9))
def test_any_window_is_the_wholes_with_what_was_added(
    rows: slice, columns: slice, seed: int
) -> None:
    layout = Layout("rgb", "none", 16)
    for kind in (np.float32, np.float16):
        whole = plus(to_image(raster(layout, seed)), added(seed, kind))
        image = RasterImage(raster(layout, seed)).plus(added(seed, kind), WINDOW)
        np.testing.assert_array_equal(image[rows, columns], whole[rows, columns])
        np.testing.assert_array_equal(np.asarray(image), whole)


def test_what_is_asked_for_can_be_written_to_and_changes_nothing() -> None:
    for layout in LAYOUTS:
        image = RasterImage(raster(layout))
        image[WINDOW][:] = 0.5
        np.testing.assert_array_equal(np.asarray(image), to_image(raster(layout)))


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_every_layout_is_written_as_the_whole_is(layout: Layout) -> None:
    before = raster(layout)
    whole, alpha = to_image(before), alpha_of(before)
    source = None if layout.is_image else before
    image = RasterImage(before)
    assert raster_of(image, alpha, layout, source) is before
    changed = plus(whole, added())
    restored = image.plus(added(), WINDOW)
    for held in (layout, Layout("rgb", layout.alpha), Layout("rgb", "straight", 16)):
        expected = to_raster(changed, alpha, held, source).samples
        if held.depth > layout.depth and restored.added is None:
            continue  # What has 8 bits is restored as 8 bits.
        np.testing.assert_array_equal(raster_of(restored, alpha, held, source).samples, expected)
    np.testing.assert_array_equal(before.samples, raster(layout).samples)


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_samples_off_a_change_are_those_that_were_read(kind: type) -> None:
    off = np.ones((HEIGHT, WIDTH), bool)
    off[WINDOW] = False
    change = added(kind=kind)
    change[2:5, 3:6] = 0
    off[7:10, 6:9] = True
    for layout in LAYOUTS:
        before = raster(layout)
        alpha = alpha_of(before)
        restored = RasterImage(before).plus(change, WINDOW)
        source = None if layout.is_image else before
        after = raster_of(restored, alpha, layout, source).samples
        np.testing.assert_array_equal(after[off], before.samples[off])


def test_at_8_bits_no_floats_are_kept() -> None:
    assert RasterImage(raster(Layout())).plus(added(), WINDOW).added is None


def test_what_is_added_reaches_as_far_as_its_window() -> None:
    whole = plus(np.zeros((HEIGHT, WIDTH, 3), np.float32), added())
    for corner, size in (((0, 0), (9, 9)), ((10, 20), (13, 11)), ((20, 0), (3, 31))):
        window = tuple(slice(a, a + b) for a, b in zip(corner, size, strict=True))
        seen = np.zeros((*size, 3), np.float32)
        add_to(seen, corner, added(), WINDOW)
        np.testing.assert_array_equal(seen, whole[window])


def test_grey_is_the_mean_of_what_is_asked_for() -> None:
    for image in (RasterImage(raster(Layout())), to_image(raster(Layout()))):
        grey = GreyImage(image)
        assert grey.shape == (HEIGHT, WIDTH)
        np.testing.assert_array_equal(grey[WINDOW], grey_of(np.asarray(image))[WINDOW])


def test_a_piece_is_an_array_of_its_own() -> None:
    for image in (RasterImage(raster(Layout())), to_image(raster(Layout()))):
        whole = np.array(image)
        piece_of(image, WINDOW)[:] = 0.5
        np.testing.assert_array_equal(np.asarray(image), whole)


@pytest.mark.parametrize("layout", [Layout(), Layout("grey", "straight", 16)], ids=str)
def test_a_photo_that_stays_samples_is_the_photo(tmp_path: Path, layout: Layout) -> None:
    path = tmp_path / "a.png"
    write_photo(
        Photo(to_image(raster(layout)), alpha_of(raster(layout)), None, Metadata(layout=layout)),
        path,
    )
    stored, read = open_photo(path), read_photo(path)
    for photo in (stored.photo, read):
        np.testing.assert_array_equal(photo.image, to_image(raster(layout)))
        np.testing.assert_array_equal(photo.alpha, alpha_of(raster(layout)))
        assert (photo.path, photo.metadata) == (path, stored.metadata)
    assert write_photo(stored, tmp_path / "b.png") == ()
    assert (tmp_path / "b.png").read_bytes() == path.read_bytes()
