"""A border is blurred by itself as it is with all that it surrounds."""

import numpy as np
import pytest

from selfsharp.blur import deconvolve
from selfsharp.blur.deconvolve import divide_twice
from selfsharp.blur.frame import FADE, Ends, Frame, fading
from selfsharp.blur.kinds import shake
from selfsharp.blur.psf import Psf
from selfsharp.blur.spectrum import bordered
from selfsharp.image import Image, Plane

SIZES = [(300, 420), (413, 297)]


def psf_of(extent: float) -> Psf:
    return shake.psf_of_extent(extent, np.random.default_rng(int(extent)))


def picture(height: int, width: int) -> Image:
    coarse = np.random.default_rng(height).random((height // 6 + 1, width // 6 + 1, 3), np.float32)
    return np.ascontiguousarray(coarse.repeat(6, axis=0).repeat(6, axis=1)[:height, :width])


def blurred_in_float64(plane: Plane, psf: Psf) -> np.ndarray:
    """By sums over the PSF's pixels and a phase, with nothing of what is tested."""
    rows, columns = (
        np.arange(side) @ psf.sum(axis) for axis, side in ((1, len(psf)), (0, len(psf)))
    )
    kernel = np.zeros(plane.shape)
    kernel[: len(psf), : len(psf)] = psf
    down, across = (np.fft.fftfreq(side) for side in plane.shape)
    phase = np.exp(2j * np.pi * (down[:, None] * rows + across[None] * columns))
    return np.fft.ifft2(np.fft.fft2(kernel) * phase * np.fft.fft2(plane.astype(np.float64))).real


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("extent", [3.0, 11.0, 24.0])
def test_a_border_is_what_the_whole_blurred_has_there(size: tuple[int, int], extent: float) -> None:
    psf, plane = psf_of(extent), picture(*size)[:, :, 0]
    border = psf.shape[0]
    whole = bordered(plane, border)
    frame = Frame.around(np.ones(size, np.float32), border, whole.shape, psf)
    assert frame is not None
    found = frame.filled(whole, whole)
    photo = slice(border, border + size[0]), slice(border, border + size[1])
    np.testing.assert_array_equal(found[photo], plane)
    wanted = blurred_in_float64(whole, psf)
    wanted[photo] = plane
    np.testing.assert_allclose(found, wanted, atol=5e-4)


def test_a_border_that_is_most_of_the_whole_is_not_worth_it() -> None:
    psf = psf_of(20.0)
    border = psf.shape[0]
    whole = bordered(picture(60, 80)[:, :, 0], border)
    assert Frame.around(np.ones((60, 80), np.float32), border, whole.shape, psf) is None


HOLED, ASKEW = np.ones((2, *SIZES[0]), np.float32)
HOLED[60:70] = 0
ASKEW[7, 9] = 0.5


@pytest.mark.parametrize("mask", [HOLED, ASKEW, np.zeros(SIZES[0], np.float32)])
def test_what_is_not_blurred_all_over_has_no_frame(mask: Plane) -> None:
    psf = psf_of(5.0)
    whole = bordered(mask, psf.shape[0])
    assert Frame.around(mask, psf.shape[0], whole.shape, psf) is None


ENDS = [
    ((False, False), (False, False)),
    ((True, False), (False, False)),
    ((True, True), (True, True)),
    ((False, True), (True, False)),
]


@pytest.mark.parametrize("ends", ENDS)
def test_a_mask_fades_where_the_photo_goes_on_and_nowhere_else(ends: Ends) -> None:
    mask = np.random.default_rng(1).random((90, 70), np.float32)
    faded = fading(mask, ends)
    assert faded.dtype == np.float32
    np.testing.assert_array_equal(faded[FADE:-FADE, FADE:-FADE], mask[FADE:-FADE, FADE:-FADE])
    middle = faded[:, 35] / mask[:, 35], faded[45] / mask[45]
    for shares, (before, after) in zip(middle, ends, strict=True):
        for share, cut in ((shares[:FADE], before), (shares[-FADE:][::-1], after)):
            if not cut:
                np.testing.assert_array_equal(share, 1)
                continue
            assert (np.diff(share) > 0).all()
            assert 0 < share[0] < 0.01
            assert 0.99 < share[-1] < 1


@pytest.mark.parametrize("extent", [3.0, 11.0, 24.0])
@pytest.mark.parametrize("ends", ENDS)
def test_what_is_blurred_all_over_is_undone_alike(
    extent: float, ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = (614, 731)
    image, everywhere = picture(*size), fading(np.ones(size, np.float32), ends)
    border = psf_of(extent).shape[0]
    assert Frame.around(everywhere, border, bordered(everywhere, border).shape, psf_of(extent))
    asked = (image, everywhere, psf_of(extent), ((0.01,), (0.02, 0.004)))
    found = divide_twice(*asked)
    with monkeypatch.context() as patch:
        patch.setattr(deconvolve.Frame, "around", lambda *_: None)
        wanted = divide_twice(*asked)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-3)
        assert np.abs(one - other).mean() < 1e-5
