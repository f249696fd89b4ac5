"""Samples and losses of the estimator."""

import json
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage

torch = pytest.importorskip("torch")

from selfsharp.blur.alternation import SIZE  # noqa: E402
from selfsharp.blur.blurred_part import BlurredPart  # noqa: E402
from selfsharp.blur.convolve import convolve  # noqa: E402
from selfsharp.blur.deconvolve import divide_plane  # noqa: E402
from selfsharp.blur.kinds import gaussian, shake  # noqa: E402
from selfsharp.blur.learnt_round import LearntRound  # noqa: E402
from selfsharp.blur.psf import tidied  # noqa: E402
from selfsharp.blur.regions import everywhere  # noqa: E402
from selfsharp.blur.scatter import diffuseness  # noqa: E402
from selfsharp.image import quantize, read_photo  # noqa: E402
from selfsharp.networks.estimator import Estimator  # noqa: E402
from selfsharp.recipe import Recipe  # noqa: E402
from selfsharp.training.batches import Batches, stack_rounds  # noqa: E402
from selfsharp.training.checkpoint import read_checkpoint  # noqa: E402
from selfsharp.training.psf_losses import lost_by_each, psf_losses  # noqa: E402
from selfsharp.training.psf_losses import tidied as tidied_batch  # noqa: E402
from selfsharp.training.rounds import (  # noqa: E402
    Round,
    draw_round,
    fitted,
    mistaken,
    turned_round,
)
from selfsharp.training.state import start  # noqa: E402
from selfsharp.training.step import step  # noqa: E402
from selfsharp.training.train import train  # noqa: E402


@pytest.fixture
def recipe() -> Recipe:
    mix = replace(Recipe().mix, kinds={"shake": 1.0}, regions={"everywhere": 1.0}, estimated=0.3)
    options = {"width": 8, "kernels": 8}
    return Recipe(
        network="estimator",
        options=options,
        crop=96,
        batch=2,
        crops=40,
        mix=mix,
        warm_up=2,
        learning_rate=2e-3,
        precision="float32",
    )


def a_psf(seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    psf = fitted(shake.psf_of_extent(float(generator.uniform(6, 24)), generator))
    assert psf is not None
    return psf


def as_batch(*psfs: np.ndarray) -> "torch.Tensor":
    return torch.from_numpy(np.stack(psfs))


def test_equal_numbers_give_equal_samples(full_pool, recipe):
    one, other, third = (draw_round(full_pool, recipe, number) for number in (5, 5, 6))
    for field in fields(Round):
        assert np.array_equal(getattr(one, field.name), getattr(other, field.name))
    assert not np.array_equal(one.truth, third.truth)
    for psf in (one.truth, one.psf):
        assert psf.shape == (SIZE, SIZE)
        assert psf.sum() == pytest.approx(1, abs=1e-4)


def test_a_sample_is_blurred_by_its_true_psf_turned_or_not(full_pool, recipe):
    """Undone, the true PSF leaves fewer and larger gradients than one that is turned."""
    marks = []
    for number in range(6):
        one = turned_round(draw_round(full_pool, recipe, number), recipe, number)
        psfs = one.truth, np.ascontiguousarray(one.truth.T)
        marks.append([diffuseness(one.given, np.ones_like(one.given), psf) for psf in psfs])
    right, wrong = np.mean(marks, axis=0)
    assert right < wrong


def test_a_distinct_sample_is_kept_and_turned(full_pool, recipe):
    batches = Batches(full_pool, replace(recipe, distinct=2), 0)
    first, again = batches[0], batches[1]
    assert set(first) == {field.name for field in fields(Round)}
    assert first["given"].shape[:2] == (2, 1)
    seen = {name: planes.flatten(1).sort(1).values for name, planes in first.items()}
    for name, planes in again.items():
        assert torch.equal(planes.flatten(1).sort(1).values, seen[name]), name
    assert not torch.equal(first["truth"], again["truth"])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**16))
def test_a_mistaken_psf_is_a_psf_and_a_mistake(seed):
    truth, generator = a_psf(seed), np.random.default_rng(seed)
    wrong = mistaken(truth, generator)
    assert wrong.shape == truth.shape
    assert wrong.sum() == pytest.approx(1, abs=1e-4)
    assert wrong.min() >= 0
    assert float(lost_by_each(as_batch(wrong), as_batch(truth))[0]) > 0.01


def test_a_psf_that_is_too_wide_is_not_looked_for():
    generator = np.random.default_rng(0)
    assert fitted(gaussian.psf(30.0, generator)) is None
    narrow = gaussian.psf(3.0, generator)
    laid = fitted(narrow)
    assert laid is not None
    assert laid.shape == (SIZE, SIZE)
    assert laid.max() == pytest.approx(float(narrow.max()), rel=1e-3)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**16), st.integers(-3, 3), st.integers(-3, 3))
def test_the_true_psf_loses_nothing_wherever_it_lies(seed, down, right):
    truth = np.pad(a_psf(seed)[4:-4, 4:-4], 4)
    truth = truth / truth.sum()
    shifted = np.roll(truth, (down, right), (0, 1))
    error, light = psf_losses(as_batch(shifted), as_batch(truth))
    assert float(error) == pytest.approx(0, abs=1e-6)
    assert float(light) == pytest.approx(0, abs=1e-4)
    assert float(lost_by_each(as_batch(shifted), as_batch(truth))[0]) == pytest.approx(0, abs=1e-2)


def test_what_a_psf_is_expected_to_lose_is_what_it_loses():
    """On a picture with the power spectrum of natural images, by the true and by wrong PSFs."""
    generator = np.random.default_rng(2)
    rows, columns = np.meshgrid(np.fft.fftfreq(256), np.fft.fftfreq(256), indexing="ij")
    falling = 1 / np.maximum(np.hypot(rows, columns), 1 / 256)
    noise = np.fft.fft2(generator.normal(size=(256, 256)))
    sharp = np.fft.ifft2(noise * falling).real
    sharp = (0.5 + 0.12 * (sharp - sharp.mean()) / sharp.std()).astype(np.float32)
    truth = a_psf(4)
    blurred = convolve(sharp[:, :, None], truth)[:, :, 0]
    blurred += generator.normal(scale=1 / 255, size=blurred.shape).astype(np.float32)
    wrong = [mistaken(truth, np.random.default_rng(seed)) for seed in range(6)]
    inner = slice(40, -40), slice(40, -40)

    def left(psf: np.ndarray) -> float:
        undone = divide_plane(blurred, everywhere(256, 256), psf)
        return float(((undone - sharp)[inner] ** 2).mean())

    lost = [10 * np.log10(left(psf) / left(truth)) for psf in wrong]
    expected = lost_by_each(as_batch(*wrong), as_batch(*[truth] * 6)).numpy()
    assert np.corrcoef(lost, expected)[0, 1] > 0.9
    np.testing.assert_allclose(expected, lost, atol=1.5)


@pytest.mark.parametrize("far", [0, 6])
def test_the_network_in_training_is_the_round_that_restoring_takes(far):
    torch.manual_seed(1)
    network = Estimator(8, 8, far).eval()
    generator = np.random.default_rng(3)
    grey, mask = generator.random((70, 91), np.float32), np.ones((70, 91), np.float32)
    mask[:12] = 0
    part, psf = BlurredPart.of(grey, mask, SIZE), a_psf(5)

    def run(module):
        return lambda planes: module(torch.from_numpy(planes)[None])[0].numpy()

    planes = [part.given, part.inside, part.trusted, psf]
    with torch.inference_mode():
        trained = network(*(torch.from_numpy(np.array(plane))[None, None] for plane in planes))
        found = LearntRound(run(network.edges), run(network.mend))(part, psf)
    np.testing.assert_allclose(found, tidied(trained[0, 0].numpy(), 0.02), atol=2e-5)
    assert found.max() > 0.005


def test_a_network_that_sees_far_begins_as_one_that_does_not():
    torch.manual_seed(2)
    near, far = Estimator(8, 8).eval(), Estimator(8, 8, 6).eval()
    far.load_state_dict(far.begun_from(near.state_dict()))
    undone = torch.rand(1, 4, 52, 60)
    with torch.inference_mode():
        torch.testing.assert_close(far.edges(undone), near.edges(undone))
        torch.nn.init.normal_(far.edges.far.grow.spread.weight)
        assert not torch.allclose(far.edges(undone), near.edges(undone))
    with pytest.raises(RuntimeError):
        near.load_state_dict(near.begun_from(far.state_dict()))


def test_steps_on_one_batch_bring_the_psf_closer(full_pool, recipe):
    training = start(replace(recipe, crops=400))
    batch = stack_rounds([draw_round(full_pool, recipe, number) for number in (1, 2)])
    losses = [step(training, batch) for _ in range(24)]
    assert {"loss", "error", "light", "lost"} <= set(losses[0])
    assert losses[20]["lost"] < losses[0]["lost"]
    assert losses[20]["loss"] < losses[0]["loss"]


def test_tidied_psfs_are_as_a_round_leaves_them():
    psfs = torch.rand(2, 1, SIZE, SIZE)
    for one, wanted in zip(tidied_batch(psfs), psfs, strict=True):
        assert np.array_equal(one[0].numpy(), tidied(wanted[0].numpy(), 0.02))


def test_a_training_of_the_estimator_is_judged_drawn_and_goes_on(tmp_path, photo, recipe):
    folder, run = tmp_path / "photos", tmp_path / "run"
    folder.mkdir()
    for number in range(4):
        pixels = np.rot90(quantize(np.tile(photo, (2, 2, 1))), number)
        PillowImage.fromarray(pixels).save(folder / f"{number}.png")
    small = replace(recipe, pictures=(folder,), crops=6, distinct=4, workers=0, threads=1)
    train(small, run)
    train(replace(small, crops=10), run)
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    scores = [entry["validation"] for entry in log if "validation" in entry]
    assert [set(one) for one in scores] == [{"at first", "one round", "two rounds"}] * 2
    assert all(np.isfinite(list(one.values())).all() for one in scores)
    # The same samples each time, before the network sees them.
    assert scores[0]["at first"] == scores[1]["at first"] > 0
    assert [entry["crops"] for entry in log if "validation" in entry] == [6, 10]
    assert read_photo(run / "samples.png").image.std() > 0.05
    tensors, facts = read_checkpoint(run / "checkpoint.safetensors")
    assert facts["crops"] == 10
    assert tensors
