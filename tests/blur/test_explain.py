"""What a restored plane lacks: nothing where it explains the given one, and what was taken away."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfsharp.blur.convolve import convolve
from selfsharp.blur.deconvolve import CONTRAST
from selfsharp.blur.explain import lacking
from selfsharp.blur.kinds import shake
from selfsharp.blur.psf import Psf
from selfsharp.blur.spectrum import bordered
from selfsharp.image import Plane

HEIGHT, WIDTH = 96, 128
INNER = slice(32, -32), slice(32, -32)
EVERYWHERE = np.ones((HEIGHT, WIDTH), np.float32)


def scene(seed: int = 0) -> Plane:
    coarse = np.random.default_rng(seed).random((HEIGHT // 4, WIDTH // 4), np.float32)
    return coarse.repeat(4, axis=0).repeat(4, axis=1)


def path(seed: int = 0) -> Psf:
    return shake.psf_of_extent(9.0, np.random.default_rng(seed))


def blurred(plane: Plane, psf: Psf) -> Plane:
    return np.ascontiguousarray(convolve(plane[:, :, None], psf)[:, :, 0])


def test_what_explains_the_given_plane_lacks_nothing() -> None:
    sharp, psf = scene(), path()
    found = lacking(sharp, blurred(sharp, psf), EVERYWHERE, psf, 0.015)
    assert np.abs(found[INNER]).max() < 0.01


def test_what_was_taken_away_comes_back() -> None:
    sharp, psf = scene(), path()
    taken = np.zeros_like(sharp)
    taken[36:60, 40:88] = 0.1
    found = lacking(sharp - taken, blurred(sharp, psf), EVERYWHERE, psf, 0.015)
    assert ((found - taken)[INNER] ** 2).mean() < 0.1 * (taken[INNER] ** 2).mean()


@given(st.integers(0, 1000), st.floats(0.005, 0.2))
@settings(max_examples=20, deadline=None)
def test_the_given_plane_is_explained_better(seed: int, damping: float) -> None:
    sharp, psf = scene(seed), path(seed)
    given_plane = blurred(sharp, psf)
    start = given_plane.copy()
    better = start + lacking(start, given_plane, EVERYWHERE, psf, damping)
    before, after = (
        ((blurred(plane, psf) - given_plane)[INNER] ** 2).mean() for plane in (start, better)
    )
    assert after < before


@given(st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_more_damping_changes_less(seed: int) -> None:
    sharp, psf = scene(seed), path(seed)
    given_plane = blurred(sharp, psf)
    sizes = [
        (lacking(given_plane, given_plane, EVERYWHERE, psf, damping) ** 2).sum()
        for damping in (0.01, 0.05, 0.25)
    ]
    assert sizes == sorted(sizes, reverse=True)


def test_where_nothing_is_blurred_nothing_is_lacking() -> None:
    found = lacking(scene(1), scene(2), np.zeros_like(EVERYWHERE), path(), 0.015)
    np.testing.assert_allclose(found, 0, atol=1e-6)


@pytest.mark.parametrize("damping", [0.01, 0.1])
def test_it_is_the_minimum_in_double_precision(damping: float) -> None:
    sharp, psf = scene(3), path(3)
    given_plane, restored = blurred(sharp, psf), blurred(sharp, psf)[::-1].copy()
    border = psf.shape[0]
    found = lacking(restored, given_plane, EVERYWHERE, psf, damping)

    def filled(plane: Plane, mode: str) -> np.ndarray:
        return bordered(plane, border, mode=mode).astype(np.float64)

    inside = filled(EVERYWHERE, "constant")
    shape = inside.shape
    places = np.arange(psf.shape[0])
    row, column = float(psf.sum(1) @ places), float(psf.sum(0) @ places)
    down, right = np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])[None]
    blur = np.fft.fft2(psf.astype(np.float64), shape)
    blur = blur * np.exp(2j * np.pi * (row * down + column * right))
    again = np.fft.ifft2(blur * np.fft.fft2(filled(restored, "symmetric"))).real
    left = inside * (filled(given_plane, "symmetric") - again)
    power = 4 * (np.sin(np.pi * down) ** 2 + np.sin(np.pi * right) ** 2)
    prior = damping * np.sqrt(power + CONTRAST)
    told = np.fft.ifft2(np.conj(blur) * np.fft.fft2(left) / (np.abs(blur) ** 2 + prior)).real
    inner = slice(border, border + HEIGHT), slice(border, border + WIDTH)
    np.testing.assert_allclose(found, told[inner], atol=2e-4)
