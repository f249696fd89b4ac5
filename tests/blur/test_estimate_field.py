"""How a PSF differs from place to place is found where it does, and nowhere else."""

import numpy as np
import pytest
from PIL import Image as PillowImage

from selfsharp.blur import estimate_field as fields
from selfsharp.blur.convolve import convolve
from selfsharp.blur.deconvolve import divide
from selfsharp.blur.estimate_field import estimate_field, undo_field
from selfsharp.blur.kinds import shake
from selfsharp.blur.misfit import misfit, misfit_undone
from selfsharp.blur.psf import tidied
from selfsharp.image import Image, grey_of, read_photo
from selfsharp.metrics import psnr
from selfsharp.model_folder import find_model, read_card
from selfsharp.restore.runtime import read_learnt_round

WHOLE = slice(0, 576), slice(0, 576)


@pytest.fixture(scope="module")
def learnt():
    folder = find_model("base")
    return read_learnt_round(folder, read_card(folder), threads=1)


@pytest.fixture(scope="module")
def sharp(request) -> Image:
    path = request.config.rootpath / "examples" / "photos" / "sharp" / "flowers.webp"
    return read_photo(path).image


def drawn(extent: float, seed: int) -> np.ndarray:
    psf = shake.psf_of_extent(extent, np.random.default_rng(seed))
    return np.pad(psf, (31 - psf.shape[0]) // 2)


def turned(psf: np.ndarray, degrees: float) -> np.ndarray:
    picture = PillowImage.fromarray(psf).rotate(degrees, PillowImage.Resampling.BICUBIC)
    return tidied(np.asarray(picture), 0.02)


@pytest.fixture(scope="module")
def turning(sharp) -> tuple[Image, np.ndarray]:
    """A photo whose PSF is turned by 30 degrees to the left, and to the right; and the PSF."""
    psf = drawn(15.0, 2)
    share = np.clip((np.arange(576) - 120) / 336, 0, 1)[None, :, None]
    left, right = (convolve(sharp, turned(psf, angle)) for angle in (30, -30))
    noise = np.random.default_rng(0).normal(0, 1 / 255, sharp.shape)
    image = (1 - share) * left + share * right + noise
    return image.clip(0, 1).astype(np.float32), psf


def test_a_turning_blur_is_undone_better_by_a_field(turning, sharp, learnt):
    image, psf = turning
    grey, core = grey_of(image), np.ones(image.shape[:2], bool)
    mask = core.astype(np.float32)
    field = estimate_field(grey, core, psf, learnt, WHOLE)
    assert field is not None
    undone = undo_field(grey, mask, field, (0, 0))
    assert misfit_undone(grey, undone, core, 15) < misfit(grey, mask, core, psf)
    inner = np.zeros(core.shape, np.float32)
    inner[40:-40, 40:-40] = 1
    results = divide(image, mask, psf), field.undone(image, mask, (0, 0), 71, divide)
    one, other = (psnr.measure(result, sharp, inner) for result in results)
    assert other > one + 1


def test_cells_are_the_same_on_one_thread_and_on_two(turning, learnt):
    image, psf = turning
    grey, core = grey_of(image), np.ones(image.shape[:2], bool)
    one, two = (estimate_field(grey, core, psf, learnt, WHOLE, threads) for threads in (1, 2))
    assert one is not None
    assert two is not None
    np.testing.assert_array_equal(np.array(one.psfs), np.array(two.psfs))


def test_where_one_psf_holds_all_over_there_is_no_field(sharp, learnt):
    psf = drawn(15.0, 1)
    grey = grey_of(convolve(sharp, psf))
    assert estimate_field(grey, np.ones(grey.shape, bool), psf, learnt, WHOLE) is None


def test_a_small_part_has_no_field(turning, learnt):
    image, psf = turning
    core = np.zeros(image.shape[:2], bool)
    core[50:350, 60:360] = True
    assert estimate_field(grey_of(image), core, psf, learnt, WHOLE) is None


def test_cells_with_nothing_to_see_keep_the_psf_of_the_part(turning, learnt, monkeypatch):
    image, psf = turning
    grey = grey_of(image)
    grey[:, :330] = 0.5
    monkeypatch.setattr(fields, "gathered", lambda *_: -1.0)
    field = estimate_field(grey, np.ones(grey.shape, bool), psf, learnt, WHOLE)
    assert field is not None
    first, *_, last = field.psfs[0]
    np.testing.assert_array_equal(first, psf)
    assert np.abs(last - psf).max() > 0.01


@pytest.mark.parametrize("shape", [(300, 330), (700, 1100), (3000, 4000), (320, 20_000)])
def test_cells_are_bounded_in_number_and_cover_the_part(shape):
    core = np.ones(shape, bool)
    rows, columns = fields._grid(core)
    assert 1 <= len(rows) * len(columns) <= fields.MOST
    for places, length in zip((rows, columns), shape, strict=True):
        assert places == sorted(places)
        assert all(0 <= place <= length for place in places)
        windows = [fields._cell((place, place), (length, length))[0] for place in places]
        assert windows[0].start == 0
        assert min(windows[-1].stop, length) == length
