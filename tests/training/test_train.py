"""The training loop: a stopped training goes on as if it had never been stopped."""

import json
import math
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

torch = pytest.importorskip("torch")

from selfsharp.config import Recipe  # noqa: E402
from selfsharp.training import train as training_module  # noqa: E402
from selfsharp.training import validate as validation_module  # noqa: E402
from selfsharp.training.checkpoint import read_checkpoint, save_average  # noqa: E402
from selfsharp.training.state import build_network, start  # noqa: E402
from selfsharp.training.step import step  # noqa: E402
from selfsharp.training.train import train  # noqa: E402


@pytest.fixture
def unscored(monkeypatch) -> None:
    """Trainings without validation, which takes longer than these trainings."""
    monkeypatch.setattr(training_module, "validate", lambda *_: {})
    monkeypatch.setattr(training_module, "draw_sheet", lambda *_: np.zeros((8, 8, 3), np.uint8))


def stop_after(monkeypatch, steps: int) -> None:
    """Presses Ctrl-C in the middle of the last of so many steps."""
    done = iter(range(1, steps + 1))

    def interrupted(*arguments):
        if next(done, None) == steps:
            os.kill(os.getpid(), signal.SIGINT)
        return step(*arguments)

    monkeypatch.setattr(training_module, "step", interrupted)


def make_batch(recipe: Recipe) -> dict[str, torch.Tensor]:
    """Something that can be learnt: the same image, darker."""
    image = torch.rand(2, 3, recipe.crop, recipe.crop, generator=torch.Generator().manual_seed(0))
    ones = torch.ones(2, 1, recipe.crop, recipe.crop)
    blur = torch.cat([ones, ones], dim=1)
    proposals = image.repeat(1, 2, 1, 1)
    planes = {"image": image, "target": image / 2, "blur": blur, "proposals": proposals}
    return planes | {"weight": ones}


@pytest.mark.parametrize(
    "settings",
    [{}, {"blur_on_device": True}, {"optimizer": "muon"}],
    ids=["loader", "device", "muon"],
)
def test_a_stopped_training_ends_with_the_weights_of_one_never_stopped(
    tmp_path, recipe, unscored, monkeypatch, settings
):
    recipe = replace(recipe, **settings)
    whole, _ = read_checkpoint(train(recipe, tmp_path / "whole"))
    with monkeypatch.context() as patch:
        stop_after(patch, 3)
        _, facts = read_checkpoint(train(recipe, tmp_path / "stopped"))
    assert facts["crops"] == 6
    resumed, facts = read_checkpoint(train(recipe, tmp_path / "stopped"))
    assert facts["crops"] == 16
    assert resumed.keys() == whole.keys()
    for name, value in whole.items():
        assert torch.equal(resumed[name], value), name


def test_where_a_batch_is_blurred_makes_no_difference_to_what_is_learnt(tmp_path, recipe, unscored):
    by_loader, _ = read_checkpoint(train(recipe, tmp_path / "loader"))
    by_device, _ = read_checkpoint(train(replace(recipe, blur_on_device=True), tmp_path / "device"))
    begun = start(recipe).network.state_dict()
    for name, value in by_loader.items():
        if name.startswith("weights/"):
            learnt = (value - begun[name.removeprefix("weights/")]).norm()
            assert (by_device[name] - value).norm() < 0.05 * learnt, name


def test_training_changes_the_weights_and_the_average_lags_behind(tmp_path, recipe, unscored):
    tensors, _ = read_checkpoint(train(recipe, tmp_path / "run"))
    before = start(recipe).network.state_dict()["stem.weight"]
    after, average = tensors["weights/stem.weight"], tensors["average/stem.weight"]
    assert (after - before).norm() > (average - before).norm() > 0


def test_a_run_folder_explains_itself(tmp_path, recipe, monkeypatch):
    monkeypatch.setattr(validation_module, "CROPS", 1)
    newest = train(recipe, tmp_path / "run")
    told = (newest.parent / "README.md").read_text()
    for path in newest.parent.iterdir():
        assert path.name == "README.md" or path.name in told or path.name == "pictures.json"
    for name in ("recipe.json", "log.jsonl", "checkpoint.safetensors", "average.safetensors"):
        assert (newest.parent / name).is_file()
    assert PillowImage.open(newest.parent / "samples.png").size == (3 * 128, 4 * 128)
    assert list((newest.parent / "tensorboard").iterdir())
    assert json.loads((newest.parent / "recipe.json").read_text())["crops"] == 16
    last = json.loads((newest.parent / "log.jsonl").read_text().splitlines()[-1])
    assert last["crops"] == 16
    assert set(last["validation"]) == {"shake", "partly", "mixed"}
    assert all(math.isfinite(gain) for gain in last["validation"].values())


@pytest.mark.parametrize("crops", [16, 4])
def test_a_finished_training_has_nothing_left_to_do(tmp_path, recipe, unscored, crops):
    done, _ = read_checkpoint(train(recipe, tmp_path / "run"))
    again, facts = read_checkpoint(train(replace(recipe, crops=crops), tmp_path / "run"))
    assert facts["crops"] == 16
    assert all(torch.equal(again[name], value) for name, value in done.items())


def test_an_average_alone_gives_its_weights_to_a_new_training(tmp_path, recipe, unscored):
    averaged = train(recipe, tmp_path / "run").with_name("average.safetensors")
    training = start(recipe, averaged)
    assert training.crops == 0
    kept, _ = read_checkpoint(averaged)
    for name, value in training.network.state_dict().items():
        assert torch.equal(value, kept[f"average/{name}"].float()), name


def test_a_network_that_is_told_more_begins_with_what_one_told_less_has_learnt(
    tmp_path, recipe, unscored
):
    mending = replace(recipe, network="mending")
    checkpoint = train(mending, tmp_path / "run")
    learnt, _ = read_checkpoint(checkpoint)
    training = start(replace(recipe, network="self_reference"), checkpoint)
    assert training.crops == 0
    assert training.average.keys() == training.network.state_dict().keys()
    for kind, found in (("weights", training.network.state_dict()), ("average", training.average)):
        for name, value in found.items():
            old = learnt[f"{kind}/{name}"].float()
            first = tuple(slice(0, length) for length in old.shape)
            assert torch.equal(value[first], old), name
            assert value.count_nonzero() == old.count_nonzero(), name
    again = train(replace(recipe, network="self_reference"), tmp_path / "more", checkpoint)
    assert read_checkpoint(again)[1]["crops"] == 16


def test_a_network_with_fewer_scales_begins_with_what_it_has_of_a_larger_one(
    tmp_path, recipe, unscored
):
    checkpoint = train(recipe, tmp_path / "run")
    learnt, _ = read_checkpoint(checkpoint)
    smaller = replace(recipe, options={"widths": [8], "down": [1], "up": []})
    training = start(smaller, checkpoint)
    assert training.crops == 0
    assert training.average.keys() == training.network.state_dict().keys()
    for name, value in training.network.state_dict().items():
        assert torch.equal(value, learnt[f"weights/{name}"].float()), name
    again = train(smaller, tmp_path / "smaller", checkpoint)
    assert read_checkpoint(again)[1]["crops"] == 16


def test_a_checkpoint_of_another_network_is_refused_in_one_line(tmp_path, recipe, unscored):
    checkpoint = train(recipe, tmp_path / "run")
    wider = replace(recipe, options={"widths": [12, 12], "down": [1, 1], "up": [1]})
    with pytest.raises(ValueError, match=r"\A.+ does not fit unet: .+\Z"):
        start(wider, checkpoint)


def test_a_loss_that_is_not_finite_stops_the_training_before_the_weights_change(recipe):
    training, batch = start(recipe), make_batch(recipe)
    before = {name: value.clone() for name, value in training.network.state_dict().items()}
    batch["target"][0, 0, 0, 0] = math.nan
    with pytest.raises(FloatingPointError, match=r"\Athe loss is nan after 0 crops.+\Z"):
        step(training, batch)
    for name, value in training.network.state_dict().items():
        assert torch.equal(value, before[name]), name


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_steps_on_one_batch_lower_its_loss(recipe, optimizer):
    recipe = replace(recipe, optimizer=optimizer)
    training, batch = start(replace(recipe, crops=400)), make_batch(recipe)
    losses = [step(training, batch)["loss"] for _ in range(30)]
    assert losses[-1] < 0.8 * losses[0]
    assert training.crops == 60


def test_a_detector_is_trained_by_the_same_steps(recipe):
    options = {"widths": [8, 8], "down": [1, 1], "up": [1]}
    training = start(replace(recipe, network="detector", options=options))
    truth = torch.zeros(2, 2, 32, 32)
    truth[0] = 1
    batch = {"image": torch.rand(2, 3, 32, 32), "truth": truth}
    losses = [step(training, batch)["loss"] for _ in range(8)]
    assert losses[-1] < losses[0]


def test_parts_that_are_frozen_stay_as_they_are(recipe):
    options = {"widths": [8, 8], "down": [1, 1], "up": [1], "context": [8]}
    frozen = ("stem", "body", "head")
    training = start(replace(recipe, network="detector", options=options, frozen=frozen))
    before = {name: value.clone() for name, value in training.network.state_dict().items()}
    batch = {"image": torch.rand(2, 3, 32, 32), "truth": torch.ones(2, 2, 32, 32)}
    for _ in range(3):
        step(training, batch)
    for name, value in training.network.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith(frozen), name
        assert torch.equal(training.average[name], before[name]) == name.startswith(frozen), name


def test_frozen_parts_that_there_are_not_are_refused_in_one_line(recipe):
    with pytest.raises(ValueError, match=r"\Afrozen trunk: .+; it has stem, body, head.*\Z"):
        start(replace(recipe, frozen=("trunk",)))


def test_a_detector_with_context_goes_on_from_one_without(recipe, tmp_path):
    recipe = replace(recipe, network="detector", options={})
    plain = start(recipe)
    save_average(tmp_path / "plain", plain.average, plain.facts())
    both = start(replace(recipe, options={"context": [16, 16]}), tmp_path / "plain")
    assert both.crops == 0
    for name, value in plain.average.items():
        assert torch.equal(both.average[name], value.half().float()), name


@pytest.mark.parametrize("network", ["unet", "detector"])
def test_an_option_that_there_is_not_is_refused_in_one_line(network):
    with pytest.raises(ValueError, match=rf"\Aoptions of {network}: .+\Z"):
        build_network(Recipe(network=network, options={"depth": 3}))


def test_an_unknown_network_is_refused_in_one_line():
    with pytest.raises(ValueError, match=r"\Aunknown generator 'nothing'.+\Z"):
        build_network(Recipe(network="nothing"))


def test_a_recipe_without_pictures_is_refused_in_one_line(tmp_path):
    with pytest.raises(ValueError, match=r"\Athe recipe names no pictures.+\Z"):
        train(Recipe(), Path(tmp_path / "run"))
