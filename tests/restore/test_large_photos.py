"""What is done differently for large photos, to spare memory, comes out the same."""

from pathlib import Path

import numpy as np
import pytest

from selfsharp.blur.kinds import gaussian
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import open_photo, read_photo
from selfsharp.metrics import largest_change
from selfsharp.restore import memory
from selfsharp.restore.partition import marked
from selfsharp.restore.reduced import enlarged, halved
from selfsharp.restore.restoration import Change, Maps
from selfsharp.restore.restorer import Restorer

FLOWERS = Path(__file__).parents[2] / "examples" / "photos" / "flowers-blurred.png"


@pytest.fixture
def tight(monkeypatch):
    """Has every photo taken for a large one, once it is asked for."""

    def make() -> None:
        monkeypatch.setattr(memory, "TIGHT", 0)

    return make


@pytest.fixture(scope="module")
def restorer() -> Restorer:
    return Restorer(threads=1, quality="fast")


@pytest.fixture(scope="module", params=["found", "marked", "no PSF"])
def how(request, restorer):
    """A photo, what a user marks of it, and what becomes of it if it is a small one."""
    image, mask = read_photo(FLOWERS).image, None
    if request.param != "found":
        mask = np.zeros(image.shape[:2], np.float32)
        mask[40:, 30:-30] = 1
    if request.param == "no PSF":
        mask[:260], mask[320:], mask[:, :260], mask[:, 320:] = 0, 0, 0, 0  # Too little for one.
        generator = np.random.default_rng(0)
        # Blurred, or a network that leaves alone what is sharp had nothing to do.
        image = blur_region(
            image, gaussian.psf(2.0, generator), mask, Camera(light="display"), generator
        ).blurred
    return image, mask, restorer.restore(image, mask)


def test_a_large_photo_is_restored_as_a_small_one_is(how, restorer, tight):
    image, mask, wanted = how
    assert wanted.gate.any()
    tight()
    found = restorer.restore(image, mask)
    assert largest_change.measure(found.image, wanted.image) <= 1.01
    np.testing.assert_array_equal(found.image[found.gate == 0], image[found.gate == 0])
    np.testing.assert_allclose(found.gate, wanted.gate, atol=2e-3)
    np.testing.assert_allclose(found.blur_map, wanted.blur_map, rtol=2e-3)
    assert found.gate.dtype == found.blur_map.dtype == np.float32


def test_planes_of_a_large_photo_take_half_of_the_memory(how, restorer, tight):
    mask = how[1]
    tight()
    image = open_photo(FLOWERS).image
    parts = restorer.find_parts(image, mask)
    maps = restorer.change(image, None if mask is None else marked(mask)).maps
    planes = (parts.gate, parts.radius, maps.gate, maps.blur_map)
    assert {plane.dtype for plane in planes} == {np.dtype(np.float16)}


@pytest.mark.parametrize("size", [(40, 61), (301, 402)])
def test_what_is_enlarged_has_its_radii_doubled(size, tight):
    image = np.zeros((*size, 3), np.float32)
    small = halved(image)
    radius = np.zeros(small.shape[:2], np.float32)
    radius[3:15, 8:] = 2.5
    for kind in (np.float32, np.float16):
        change = enlarged(Change(Maps(radius, radius)), (image, small), None)
        large = change.maps.blur_map
        assert large.dtype == kind
        np.testing.assert_array_equal(large[6:30, 16:], 5)
        large[6:30, 16:] = 0
        assert not large.any()
        tight()
