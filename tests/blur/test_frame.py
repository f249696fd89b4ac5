"""A border is blurred by itself as it is with all that it surrounds."""

import numpy as np
import pytest

from selfsharp.blur import deconvolve
from selfsharp.blur.deconvolve import divide_twice
from selfsharp.blur.frame import Frame
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
    frame = Frame.around(size, border, whole.shape, psf)
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
    assert Frame.around((60, 80), border, whole.shape, psf) is None


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("extent", [3.0, 11.0, 24.0])
def test_what_is_blurred_all_over_is_undone_alike(
    size: tuple[int, int], extent: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, everywhere = picture(*size), np.ones(size, np.float32)
    asked = (image, everywhere, psf_of(extent), ((0.01,), (0.02, 0.004)))
    found = divide_twice(*asked)
    with monkeypatch.context() as patch:
        patch.setattr(deconvolve.Frame, "around", lambda *_: None)
        wanted = divide_twice(*asked)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-3)
        assert np.abs(one - other).mean() < 1e-5
