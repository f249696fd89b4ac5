"""Undoing a known blur: exact where it can be, still at the border, and without a shift."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfsharp.blur.convolve import convolve
from selfsharp.blur.deconvolve import deconvolve, divide, divide_plane, divide_twice
from selfsharp.blur.kinds import KINDS, gaussian, shake
from selfsharp.blur.spectrum import (
    centred_spectrum,
    fast_length,
    psf_spectrum,
)
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import grey_of, read_photo
from selfsharp.metrics import psnr

FLOWERS = Path(__file__).parents[2] / "examples" / "photos" / "sharp" / "flowers.webp"
both_ways = pytest.mark.parametrize("undo", [deconvolve, divide])


@pytest.fixture(scope="module")
def sharp() -> np.ndarray:
    return read_photo(FLOWERS).image[120:376, 60:316]


@both_ways
@pytest.mark.parametrize("kind", KINDS.names())
def test_undoing_the_true_psf_gains(sharp, undo, kind):
    generator = np.random.default_rng(4)
    psf = KINDS.load(kind).psf(3.0, generator)
    region = np.zeros(sharp.shape[:2], np.float32)
    region[40:-40, 40:-40] = 1
    sample = blur_region(sharp, psf, region, Camera(noise=0.5 / 255), generator)
    inside = sample.mask > 0
    before = psnr.measure(sample.blurred, sharp, inside)
    assert psnr.measure(undo(sample.blurred, sample.mask, psf), sharp, inside) > before + 1


@pytest.mark.parametrize("dampings", [(0.02,), (0.05, 0.01)])
def test_the_quick_way_agrees_with_a_reference_in_float64(sharp, dampings):
    """Wiener's filter by the book; beyond the edges, what the last round says, mirrored."""
    small, psf = sharp[:90, :120], gaussian.psf(1.5, np.random.default_rng(0))
    restored = divide(small, np.ones((90, 120), np.float32), psf, dampings)
    size, half = psf.shape[0], psf.shape[0] // 2
    rows, columns = fast_length(90 + 2 * size), fast_length(120 + 2 * size)
    pads = ((size, rows - 90 - size), (size, columns - 120 - size))
    photo = slice(size, size + 90), slice(size, size + 120)
    kernel = np.zeros((rows, columns))
    kernel[:size, :size] = psf
    response = np.fft.fft2(np.roll(kernel, (-half, -half), (0, 1)))
    steps = [np.abs(np.exp(2j * np.pi * np.fft.fftfreq(n)) - 1) ** 2 for n in (rows, columns)]
    slopes = steps[0][:, None] + steps[1][None]
    for channel in range(3):
        given = wanted = small[:, :, channel].astype(np.float64)
        for damping in dampings:
            beyond = np.fft.fft2(np.pad(wanted, pads, "symmetric"))
            evenly = np.fft.ifft2(response * beyond).real
            evenly[photo] = given
            wiener = np.conj(response) / (np.abs(response) ** 2 + damping * (slopes + 0.02))
            wanted = np.clip(np.fft.ifft2(wiener * np.fft.fft2(evenly)).real[photo], 0, 1)
        np.testing.assert_allclose(restored[:, :, channel], wanted, atol=2e-4)


@pytest.mark.parametrize("threads", [1, 2])
def test_dividing_twice_is_dividing_colours_and_brightness(sharp, threads):
    psf = shake.psf_of_extent(14.0, np.random.default_rng(5))
    mask = np.zeros(sharp.shape[:2], np.float32)
    mask[50:200, 30:] = 1
    dampings = ((0.01,), (0.02, 0.004))
    colours, brightness = divide_twice(sharp, mask, psf, dampings, threads)
    np.testing.assert_array_equal(colours, divide(sharp, mask, psf, dampings[0]))
    alone = divide_plane(grey_of(sharp), mask, psf, dampings[1])
    np.testing.assert_array_equal(brightness, alone)


def test_a_shake_over_the_whole_photo_does_not_ring_in_from_its_edges(sharp):
    psf = shake.psf_of_extent(20.0, np.random.default_rng(7))
    wide = convolve(sharp, psf)
    blurred, wanted = wide[20:-20, 20:-20], sharp[20:-20, 20:-20]
    everywhere = np.ones(wanted.shape[:2], np.float32)
    rim = everywhere > 0
    rim[16:-16, 16:-16] = False
    restored = divide(blurred, everywhere, psf, (0.02, 0.004))
    assert psnr.measure(restored, wanted, rim) > psnr.measure(blurred, wanted, rim) + 1


@given(shift=st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5)))
def test_a_psf_off_its_middle_does_not_shift_the_photo(shift):
    psf = shake.psf_of_extent(9.0, np.random.default_rng(1))
    wide = np.pad(psf, 2)
    row, column = shift
    kept = [np.array([1 - abs(s), abs(s)]) for s in (row, column)]
    moved = np.zeros_like(wide)
    for i, a in enumerate(kept[0]):
        for j, b in enumerate(kept[1]):
            steps = (i * int(np.sign(row)), j * int(np.sign(column)))
            moved += (a * b * np.roll(wide, steps, (0, 1))).astype(np.float32)
    # The lowest frequencies tell the shift as the phase of the spectrum.
    spectrum = centred_spectrum(moved, (96, 96))
    assert abs(np.angle(spectrum[0, 1])) < 2e-3
    assert abs(np.angle(spectrum[1, 0])) < 2e-3
    np.testing.assert_allclose(np.abs(spectrum), np.abs(psf_spectrum(moved, (96, 96))), atol=1e-5)


@both_ways
def test_an_image_is_undone_with_its_mirrored_surroundings(sharp, undo):
    psf = gaussian.psf(2.0, np.random.default_rng(0))
    blurred = convolve(sharp, psf)
    restored = undo(blurred, np.ones(sharp.shape[:2], np.float32), psf)
    rim = np.ones(sharp.shape[:2], bool)
    rim[12:-12, 12:-12] = False
    assert psnr.measure(restored, sharp, rim) > psnr.measure(blurred, sharp, rim) + 1
