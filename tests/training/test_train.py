"""The training loop: a stopped training goes on as if it had never been stopped."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

torch = pytest.importorskip("torch")

from selfsharp.config import Recipe  # noqa: E402
from selfsharp.image import quantize  # noqa: E402
from selfsharp.training import train as training_module  # noqa: E402
from selfsharp.training import validate as validation_module  # noqa: E402
from selfsharp.training.checkpoint import read_checkpoint  # noqa: E402
from selfsharp.training.train import (  # noqa: E402
    build_network,
    learning_rate,
    start,
    step,
    train,
)


@pytest.fixture
def recipe(tmp_path, photo) -> Recipe:
    """A network of two small scales and four small photos."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(4):
        pixels = np.rot90(quantize(photo), number)
        PillowImage.fromarray(pixels).save(folder / f"{number}.png")
    return Recipe(
        network="unet",
        options={"widths": [8, 8], "down": [1, 1], "up": [1]},
        pictures=(folder,),
        crop=32,
        batch=2,
        crops=16,
        warm_up=4,
        workers=0,
        threads=1,
        precision="float32",
    )


@pytest.fixture(autouse=True)
def keep_threads():
    """A recipe sets PyTorch's threads; other tests get theirs back."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def unscored(monkeypatch) -> None:
    """Trainings without validation, which takes longer than these trainings."""
    monkeypatch.setattr(training_module, "validate", lambda *_: {})


def stop_after(monkeypatch, steps: int) -> None:
    """Presses Ctrl-C in the step after so many."""
    left = iter(range(steps))

    def interrupted(*arguments):
        if next(left, None) is None:
            raise KeyboardInterrupt
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


def test_a_stopped_training_ends_with_the_weights_of_one_never_stopped(
    tmp_path, recipe, unscored, monkeypatch
):
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


def test_training_changes_the_weights_and_the_average_lags_behind(tmp_path, recipe, unscored):
    tensors, _ = read_checkpoint(train(recipe, tmp_path / "run"))
    before = start(recipe).network.state_dict()["stem.weight"]
    after, average = tensors["weights/stem.weight"], tensors["average/stem.weight"]
    assert (after - before).norm() > (average - before).norm() > 0


def test_a_run_folder_explains_itself(tmp_path, recipe, monkeypatch):
    monkeypatch.setattr(validation_module, "CROPS", 1)
    newest = train(recipe, tmp_path / "run")
    names = {"recipe.json", "log.jsonl", "checkpoint.safetensors", "average.safetensors"}
    assert {path.name for path in newest.parent.iterdir()} == names
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


def test_steps_on_one_batch_lower_its_loss(recipe):
    training, batch = start(replace(recipe, crops=400)), make_batch(recipe)
    losses = [step(training, batch) for _ in range(30)]
    assert losses[-1] < 0.8 * losses[0]
    assert training.crops == 60


def test_a_detector_is_trained_by_the_same_steps(recipe):
    options = {"widths": [8, 8], "down": [1, 1], "up": [1]}
    training = start(replace(recipe, network="detector", options=options))
    truth = torch.zeros(2, 2, 32, 32)
    truth[0] = 1
    batch = {"image": torch.rand(2, 3, 32, 32), "truth": truth}
    losses = [step(training, batch) for _ in range(8)]
    assert losses[-1] < losses[0]


def test_learning_rate_rises_stays_and_falls():
    recipe = Recipe(crops=1000, batch=10, warm_up=200, cool_down=0.4, learning_rate=1e-3)
    rates = [learning_rate(recipe, crops) for crops in range(0, 1000, 10)]
    rise, stay, fall = rates[:20], rates[19:61], rates[60:]
    assert rates[0] == pytest.approx(1e-3 / 20)
    assert all(np.diff(rise) > 0)
    assert stay == pytest.approx([1e-3] * len(stay))
    assert all(np.diff(fall) < 0)
    assert rates[-1] < 0.02e-3


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
