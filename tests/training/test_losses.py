"""Losses against the same formulas in NumPy and float64."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from selfsharp.training.losses import (  # noqa: E402
    as_seen,
    coarse_loss,
    content_loss,
    decibel_loss,
    detection_loss,
    frequency_loss,
    gradient_loss,
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


def test_decibel_loss_is_the_mean_log_of_each_crops_squared_error(crops):
    restored, target, weight = (array.astype(np.float64) for array in crops)
    squared, noise = (restored - target) ** 2, 255.0**-2
    weight = np.broadcast_to(weight, squared.shape)
    errors = [np.average(e, weights=w) for e, w in zip(squared, weight, strict=True)]
    expected = np.mean(np.log(np.array(errors) / noise + 1)) / 2
    assert measured(decibel_loss, *crops) == pytest.approx(expected, rel=1e-5)


def test_by_decibels_a_tenth_of_the_error_gains_as_much_in_every_crop(crops):
    target, weight = crops[1], np.ones_like(crops[2])
    drops = []
    for size in (0.3, 3.0):
        off = np.full_like(target, size)
        losses = [measured(decibel_loss, target + x, target, weight) for x in (off, off / 10)]
        drops.append(losses[0] - losses[1])
    assert drops == pytest.approx([np.log(10)] * 2, rel=0.02)


def test_pixels_without_weight_do_not_count(crops):
    restored, target, weight = crops
    weight[:, :, :8] = 0
    every = (pixel_loss, decibel_loss, frequency_loss)
    losses = [measured(loss, restored, target, weight) for loss in every]
    restored[:, :, :8] = 7
    assert losses == [measured(loss, restored, target, weight) for loss in every]


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


def test_what_a_person_sees_counts_flat_places_and_masks_as_they_are():
    label = torch.tensor([[[1, -1, 0, -1, 0, 1, -1.0]]])
    radius = torch.tensor([[[-1, -1, -1, 2, 0, 3, 0.4]]])
    seen = as_seen(torch.stack([label, radius], dim=1))
    assert seen.flatten().tolist() == [1, 1, 0, 1, 0, 1, -1]


def test_a_third_answer_costs_its_own_cross_entropy():
    generator = np.random.default_rng(9)
    truth = np.stack([np.ones((1, 16, 16)), np.full((1, 16, 16), -1)], axis=1).astype(np.float32)
    truth[:, 0, :, :8] = 0
    found = generator.normal(size=(1, 3, 4, 4)).astype(np.float32)
    logit, share = found[:, 2].astype(np.float64), cells(truth[:, 0])
    expected = measured(detection_loss, found[:, :2], truth)
    expected += (np.logaddexp(0, logit) - share * logit).mean()
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


# ---------------------------------------------------------------- edges, scales and content


def test_gradient_loss_agrees_with_its_formula_in_float64(crops):
    restored, target, weight = (array.astype(np.float64) for array in crops)
    expected = 0.0
    for axis in (2, 3):
        steps = np.abs(np.diff(restored - target, axis=axis))
        fine = np.minimum(*(np.delete(weight, end, axis) for end in (0, -1)))
        fine = np.broadcast_to(fine, steps.shape)
        expected += np.mean([np.average(s, weights=w) for s, w in zip(steps, fine, strict=True)])
    assert measured(gradient_loss, *crops) == pytest.approx(expected / 2, rel=1e-5)


def test_gradient_loss_does_not_mind_an_even_shift(crops):
    _, target, weight = crops
    assert measured(gradient_loss, target + np.float32(0.25), target, weight) < 1e-6


def test_coarse_loss_is_the_pixel_loss_of_smaller_crops(crops):
    image, target, weight = (torch.from_numpy(array) for array in crops)
    small = [torch.nn.functional.avg_pool2d(x, 2) for x in (image, target, weight)]
    smaller = [torch.nn.functional.avg_pool2d(x, 4) for x in (image, target, weight)]
    residuals = [torch.full_like(small[0], 0.1), torch.zeros_like(smaller[0])]
    expected = pixel_loss(small[0] + 0.1, *small[1:]) + pixel_loss(*smaller)
    found = coarse_loss(residuals, image, target, weight)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


def test_content_loss_sums_the_parts_each_by_its_own_area():
    generator = np.random.default_rng(8)
    found, wanted = generator.random((2, 3, 5, 4, 6), np.float32)
    blurred = np.zeros((3, 1, 16, 24), np.float32)
    blurred[0, :, :4, :4] = 1  # One place of features alone.
    blurred[1, :, :, 6:18] = 1  # Half-covered places.
    gammas = {"clear": 2.0, "blurred": 7.0}  # The third crop has no blurred part.
    expected = 0.0
    for crop in range(3):
        distance = ((found[crop] - wanted[crop]).astype(np.float64) ** 2).mean(axis=0)
        share = cells(blurred[crop].astype(np.float64))[0]
        for gamma, area in ((2.0, 1 - share), (7.0, share)):
            if area.sum():
                expected += gamma * (distance * area).sum() / area.sum() / 3
    measured_loss = content_loss(*map(torch.from_numpy, (found, wanted, blurred)), gammas)
    assert float(measured_loss) == pytest.approx(expected, rel=1e-5)


def test_content_loss_over_the_whole_knows_no_parts():
    found, wanted = np.random.default_rng(9).random((2, 2, 5, 4, 6), np.float32)
    blurred = torch.zeros(2, 1, 16, 24)
    blurred[..., :3] = 1
    loss = content_loss(torch.from_numpy(found), torch.from_numpy(wanted), blurred, {"whole": 3.0})
    assert float(loss) == pytest.approx(3 * ((found - wanted) ** 2).mean(), rel=1e-5)


def test_a_small_part_counts_as_much_as_a_large_one():
    wanted = torch.zeros(1, 2, 8, 8)
    for width in (4, 16, 28):
        blurred = torch.zeros(1, 1, 32, 32)
        blurred[..., :width] = 1
        found = torch.nn.functional.avg_pool2d(blurred, 4).expand(1, 2, 8, 8)
        losses = [
            float(content_loss(found, wanted, blurred, {label: 1.0}))
            for label in ("blurred", "clear")
        ]
        assert losses == pytest.approx([1, 0])
