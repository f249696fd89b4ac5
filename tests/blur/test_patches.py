"""The patch classifier on real photos: sharp texture, blur of every kind, flat places, noise."""

import json
from pathlib import Path

import numpy as np
import pytest

from selfsharp.blur import patches
from selfsharp.blur.convolve import convolve
from selfsharp.blur.kinds import KINDS
from selfsharp.blur.patches import FEATURES, FITTED, evidence, find_blurred_patches, measure_patches
from selfsharp.image import quantize, read_photo

PHOTOS = Path(__file__).parents[2] / "examples" / "photos"
every_kind = pytest.mark.parametrize("kind", KINDS.names())


@pytest.fixture(scope="module")
def flowers():
    """A sharp photo's middle, 256 x 256."""
    return np.ascontiguousarray(read_photo(PHOTOS / "sharp/flowers.webp").image[160:416, 160:416])


@pytest.fixture(scope="module")
def grass():
    """The grass below them, 160 x 300."""
    return np.ascontiguousarray(read_photo(PHOTOS / "sharp/flowers.webp").image[416:, 100:400])


def blurred(image, radius, kind="gaussian", seed=1):
    """Blurred and at 8 bit, as files are."""
    soft = convolve(image, KINDS.load(kind).psf(radius, np.random.default_rng(seed)))
    return quantize(np.clip(soft, 0, 1)) / np.float32(255)


def seen(image):
    """The probabilities of the cells that can be judged well."""
    return find_blurred_patches(image)[evidence(measure_patches(image)) > 0.9]


def test_there_is_one_probability_for_every_cell():
    for height, width, cells in ((1, 1, (1, 1)), (4, 9, (1, 3)), (61, 40, (16, 10))):
        image = np.random.default_rng(0).random((height, width, 3), np.float32)
        found = find_blurred_patches(image)
        assert found.shape == cells
        assert found.dtype == np.float32
        assert ((found >= 0) & (found <= 1)).all()


def test_sharp_texture_is_found_sharp(flowers, grass):
    for image in (flowers, grass):
        assert np.median(seen(image)) < 0.3


@every_kind
def test_plain_blur_is_found_blurred(kind, flowers, grass):
    for image in (flowers, grass):
        assert np.median(seen(blurred(image, 4.0, kind))) > 0.6


@every_kind
def test_more_blur_is_likelier_blurred(kind, flowers, grass):
    for image in (flowers, grass):
        found = [seen(blurred(image, r, kind)).mean() for r in (0.0, 0.7, 1.5, 3.0, 6.0)]
        assert found == sorted(found)


@pytest.mark.parametrize("level", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("sigma", [0.0, 1.0])
def test_nobody_can_tell_in_flat_places(level, sigma):
    noise = np.random.default_rng(0).standard_normal((80, 96, 3), np.float32)
    image = np.clip(np.float32(level) + np.float32(sigma / 255) * noise, 0, 1)
    found = find_blurred_patches(quantize(image) / np.float32(255))
    assert np.abs(found - 0.5).max() < 0.15


def test_a_blurred_part_stands_out(flowers):
    half = flowers.copy()
    half[:, 128:] = blurred(flowers, 3.0)[:, 128:]
    found = find_blurred_patches(half)
    # What lies further than a patch from the border is sharp or blurred alone.
    left, right = found[:, :26], found[:, 38:]
    ranked = (right.ravel()[:, None] > left.ravel()[None, :]).mean()
    assert ranked > 0.9


def test_bands_leave_no_trace(flowers, monkeypatch):
    whole = measure_patches(flowers)
    monkeypatch.setattr(patches, "BAND", 40)
    assert np.array_equal(measure_patches(flowers), whole)


def test_features_are_what_they_are_called():
    """On a slanted plane with one step, where each can be worked out."""
    image = np.full((96, 96, 3), 20 / 255, np.float32)
    image[:, 48:] = 220 / 255
    found = dict(zip(FEATURES, measure_patches(image)[12, 11], strict=True))
    # The patch is columns 28 to 63: 20 of 36 dark, 16 bright; two columns have slopes of 100
    # and Laplacians of 200.
    assert found["contrast"] == pytest.approx(np.log(200 * np.sqrt(20 * 16) / 36), abs=0.01)
    assert found["Laplacian variance"] == pytest.approx(np.log(2 / 36 * 200**2), abs=0.01)
    assert found["Laplacian to gradient"] == pytest.approx(np.log(4), abs=0.01)
    assert found["sparse gradients"] == pytest.approx(np.log(2 / 36), abs=0.01)
    assert found["steepest slope"] == pytest.approx(np.log(101 / 201), abs=0.01)
    # An edge blurred by sigma s has the energy 1 / (2 s sqrt(pi)) of its height squared.
    energies = 200**2 / (2 * np.sqrt(np.pi)) / np.array([1.0, np.hypot(0, 2)]) / 36
    assert found["re-blur 1 px"] == pytest.approx(np.log(energies[0] / (2 / 36 * 1e4)), abs=0.35)
    assert found["re-blur 2 px"] == pytest.approx(np.log(energies[1] / energies[0]), abs=0.3)
    assert found["dark-channel gap"] == pytest.approx(0, abs=1e-3)  # As much rises as sinks.


def test_blur_lights_up_what_is_dark_and_thin():
    image = np.full((96, 96, 3), 220 / 255, np.float32)
    image[:, ::12] = 20 / 255
    thin = measure_patches(image)[..., FEATURES.index("dark-channel gap")]
    soft = measure_patches(blurred(image, 4.0))[..., FEATURES.index("dark-channel gap")]
    assert (thin > 1).all()
    assert (soft[6:-6, 6:-6] < thin[6:-6, 6:-6] / 3).all()


def test_the_weights_tell_how_they_were_fitted_and_how_well():
    fitted = json.loads(FITTED.read_text(encoding="utf-8"))
    assert "selfsharp.training.patch_classifier" in fitted["command"]
    assert tuple(fitted["weights"]) == FEATURES
    for scores in fitted["held out"].values():
        assert scores["cells"] > 1000
        assert 0.75 < scores["area under ROC"] < 1
