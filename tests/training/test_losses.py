"""Losses against the same formulas in NumPy and float64."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from selfsharp.training.losses import (  # noqa: E402
    detection_loss,
    frequency_loss,
    pixel_loss,
)


@pytest.fixture
def crops() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Restored, target and weight; the second crop's blurred part is small."""
    generator = np.random.default_rng(5)
    restored, target = generator.random((2, 2, 3, 16, 24), np.float32)
    weight = np.full((2, 1, 16, 24), 0.1, np.float32)
    weight[0] = 1
    weight[1, :, 3:7, 5:9] = 1
    return restored, target, weight


def measured(loss, *arrays: np.ndarray) -> float:
    return float(loss(*(torch.from_numpy(array) for array in arrays)))


def test_pixel_loss_is_the_weighed_mean_of_each_crop(crops):
    restored, target, weight = (array.astype(np.float64) for array in crops)
    distance = np.sqrt((restored - target) ** 2 + 1e-6)
    weight = np.broadcast_to(weight, distance.shape)
    expected = np.mean([np.average(d, weights=w) for d, w in zip(distance, weight, strict=True)])
    assert measured(pixel_loss, *crops) == pytest.approx(expected, rel=1e-5)


def test_pixels_without_weight_do_not_count(crops):
    restored, target, weight = crops
    weight[:, :, :8] = 0
    losses = [measured(loss, restored, target, weight) for loss in (pixel_loss, frequency_loss)]
    restored[:, :, :8] = 7
    assert losses == [
        measured(loss, restored, target, weight) for loss in (pixel_loss, frequency_loss)
    ]


def test_a_crop_without_any_weight_counts_nothing(crops):
    restored, target, weight = crops
    first = measured(pixel_loss, restored[:1], target[:1], weight[:1])
    weight[1] = 0
    assert measured(pixel_loss, restored, target, weight) == pytest.approx(first / 2, rel=1e-5)


def test_frequency_loss_is_the_mean_distance_of_the_spectra(crops):
    restored, target, weight = (array.astype(np.float64) for array in crops)
    spectra = [np.fft.rfft2(image * weight, norm="ortho") for image in (restored, target)]
    expected = np.abs(spectra[0] - spectra[1]).mean()
    assert measured(frequency_loss, *crops) == pytest.approx(expected, rel=1e-5)


def test_a_perfect_restoration_costs_next_to_nothing(crops):
    _, target, weight = crops
    assert measured(pixel_loss, target, target, weight) == pytest.approx(1e-3, rel=1e-3)
    assert measured(frequency_loss, target, target, weight) == 0


# -------------------------------------------------------------------------- the detector's


def cells(plane: np.ndarray) -> np.ndarray:
    """The mean of every 4x4 pixels."""
    batch, height, width = plane.shape
    return plane.reshape(batch, height // 4, 4, width // 4, 4).mean(axis=(2, 4))


def test_detection_loss_agrees_with_its_formula_in_float64():
    generator = np.random.default_rng(6)
    found = generator.normal(scale=2, size=(2, 2, 6, 5)).astype(np.float32)
    label = generator.integers(-1, 2, (2, 24, 20))
    label[0, :, :12] = 1
    radius = np.where(label != 0, generator.uniform(-1, 6, label.shape), 0)
    truth = np.stack([label, radius], axis=1).astype(np.float32)

    share, logit = cells(np.maximum(label, 0)), found[:, 0].astype(np.float64)
    certain = cells(label >= 0) * (1 - 2 * np.minimum(share, 1 - share))
    entropy = np.logaddexp(0, logit) - share * logit
    wanted, known = cells(np.maximum(radius, 0)), cells(radius > 0)
    off = np.abs(found[:, 1] - wanted)
    off = np.where(off < 0.5, off**2, off - 0.25) / (0.5 + wanted)
    expected = (entropy * certain).mean() + (off * known).mean()
    assert measured(detection_loss, found, truth) == pytest.approx(expected, rel=1e-5)


def test_undecided_pixels_of_unknown_radius_cost_nothing():
    found = np.random.default_rng(7).normal(size=(1, 2, 4, 4)).astype(np.float32)
    assert measured(detection_loss, found, np.full((1, 2, 16, 16), -1, np.float32)) == 0


def test_a_right_answer_costs_less_than_a_wrong_one():
    truth = np.zeros((1, 2, 16, 16), np.float32)
    truth[:, 0, :, 8:], truth[:, 1, :, 8:] = 1, 3
    right = np.zeros((1, 2, 4, 4), np.float32)
    right[:, 0], right[:, 1] = np.where(np.arange(4) < 2, -9, 9), 3
    wrong_label, wrong_radius = right * np.float32([-1, 1])[:, None, None], right.copy()
    wrong_radius[:, 1] = 5
    best = measured(detection_loss, right, truth)
    assert best < 0.001
    assert measured(detection_loss, wrong_label, truth) > 1
    assert measured(detection_loss, wrong_radius, truth) > 0.1
