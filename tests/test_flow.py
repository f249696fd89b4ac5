"""The whole road on a tiny recipe: train, stop, go on, export, restore, measure."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageFilter

pytest.importorskip("torch")

from selfsharp.cli import main
from selfsharp.image import read_photo
from selfsharp.metrics import psnr
from selfsharp.model_folder import read_card
from selfsharp.restore.restorer import Restorer

RECIPE = str(Path(__file__).parents[1] / "recipes" / "tiny.toml")


LENGTH = {"mending": [], "detector": ["--crops", "120"]}
"""The generator is trained for all of the recipe's crops, as it is to be good at something."""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(6):
        generator = np.random.default_rng(number)
        coarse = generator.integers(0, 256, (24, 32, 3), dtype=np.uint8)
        PillowImage.fromarray(coarse).resize((256, 192)).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def own_pictures(pictures, tmp_path) -> Path:
    """A few photos, and what lies in people's folders beside their sharp ones."""
    folder = tmp_path / "own-pictures"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.png").write_bytes((pictures / f"{number}.png").read_bytes())
    whole = (pictures / "3.png").read_bytes()
    (folder / "cut-off.png").write_bytes(whole[: len(whole) // 2])
    (folder / "notes.jpg").write_text("no photo")
    sharp = PillowImage.open(pictures / "4.png")
    sharp.filter(ImageFilter.GaussianBlur(4)).save(folder / "blurred.png")
    return folder


@pytest.fixture(scope="module")
def model(pictures, tmp_path_factory) -> Path:
    runs = tmp_path_factory.mktemp("runs")
    for network in ("mending", "detector"):
        run = ["--pictures", str(pictures), "--run", str(runs / network), "--network", network]
        assert main(["train", RECIPE, *run, "--crops", "60"]) == 0
        assert main(["train", RECIPE, *run, *LENGTH[network]]) == 0
    out = runs / "models" / "tiny"
    checkpoints = ["--detector", str(runs / "detector" / "average.safetensors")]
    checkpoints += ["--generator", str(runs / "mending" / "average.safetensors")]
    assert main(["export", *checkpoints, "-o", str(out), "--description", "A tiny one."]) == 0
    return out


def test_a_training_goes_on_where_it_stopped(model):
    run = model.parents[1] / "mending"
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [entry["crops"] for entry in log if "validation" in entry] == [60, 480]
    assert json.loads((run / "recipe.json").read_text())["crops"] == 480


def test_a_fine_tuning_is_stopped_goes_on_and_ends_in_a_model(
    model, own_pictures, tmp_path, monkeypatch, capsys
):
    runs, run = model.parents[1], tmp_path / "own"
    arguments = ["train", RECIPE, "--pictures", str(own_pictures), "--run", str(run)]
    arguments += ["--checkpoint", str(runs / "mending" / "average.safetensors")]
    arguments += ["--crops", "24", "--estimates", "0"]
    with monkeypatch.context() as patch:
        press_ctrl_c(patch, step=3)
        assert main(arguments) == 0
    told = capsys.readouterr()
    assert "stopped after 6 crops; saved, resume any time" in told.out
    assert "of 6 photos 2 cannot be read and are left out" in told.err
    broken, blurred = (run / "pictures.txt").read_text().split("are blurred themselves")
    assert "cut-off.png" in broken
    assert "notes.jpg" in broken
    assert "blurred.png" in blurred
    assert main(arguments) == 0
    assert main(arguments) == 0
    assert "nothing left to do: 24 crops are seen" in capsys.readouterr().out
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [entry["crops"] for entry in log if "loss" in entry] == [6, 24]
    assert [entry["crops"] for entry in log if "validation" in entry] == [24]

    checkpoints = ["--detector", str(runs / "detector" / "average.safetensors")]
    checkpoints += ["--generator", str(run / "average.safetensors")]
    own, out = tmp_path / "models" / "own", tmp_path / "out.png"
    assert main(["export", *checkpoints, "-o", str(own)]) == 0
    photo = str(own_pictures / "1.png")
    assert main(["restore", photo, "--model", str(own), "-o", str(out)]) == 0
    assert read_photo(out).image.shape == (192, 256, 3)


def press_ctrl_c(patch: pytest.MonkeyPatch, step: int) -> None:
    """Interrupts the training in the middle of one of its steps."""
    from selfsharp.training import train

    whole, numbers = train.step, iter(range(1, 1000))

    def interrupted(*given):
        if next(numbers) == step:
            os.kill(os.getpid(), signal.SIGINT)
        return whole(*given)

    patch.setattr(train, "step", interrupted)


def test_the_card_tells_of_the_training_and_of_no_folder(model, pictures):
    card = read_card(model)
    assert (card.name, card.network, card.description) == ("tiny", "mending", "A tiny one.")
    assert card.training["generator"]["crops"] == 480
    assert str(pictures) not in (model / "card.json").read_text()


def test_the_exported_model_restores_a_photo(model, pictures, tmp_path):
    source = pictures / "0.png"
    mask = tmp_path / "mask.png"
    PillowImage.fromarray(np.pad(np.full((64, 64), 255, np.uint8), 64)[:, :256]).resize(
        (256, 192), PillowImage.Resampling.NEAREST
    ).save(mask)
    out = tmp_path / "out.png"
    arguments = ["restore", str(source), "--mask", str(mask), "--model", str(model)]
    assert main([*arguments, "-o", str(out)]) == 0
    before, after = read_photo(source).image, read_photo(out).image
    changed = (before != after).any(axis=2)
    assert changed.any()
    assert not changed[np.asarray(PillowImage.open(mask)) == 0].any()


def test_the_tiny_model_beats_doing_nothing_on_its_own_task(model, pictures, tmp_path):
    """Gaussian blur, as it was trained on, over the whole of a photo and undone by command."""
    for number in range(3):
        sharp = pictures / f"{number}.png"
        blurred, out = tmp_path / f"{number}-blurred.png", tmp_path / f"{number}.png"
        how = ["--kind", "gaussian", "--radius", "2.5", "--region", "everywhere", "--noise", "0"]
        assert main(["blur", str(sharp), *how, "-o", str(blurred)]) == 0
        mask = str(tmp_path / f"{number}-blurred-mask.png")
        arguments = ["restore", str(blurred), "--mask", mask, "--model", str(model)]
        assert main([*arguments, "-o", str(out)]) == 0
        target = read_photo(sharp).image
        before, after = (psnr.measure(read_photo(path).image, target) for path in (blurred, out))
        assert after > before + 0.3


@pytest.mark.parametrize("suite", ["table1", "identity"])
def test_the_exported_model_is_measured(model, pictures, tmp_path, suite):
    few = tmp_path / "few"
    few.mkdir()
    (few / "0.png").write_bytes((pictures / "0.png").read_bytes())
    arguments = ["benchmark", suite, "--pictures", str(few), "--model", str(model)]
    arguments += ["--rows", "nothing", "model"]
    assert main([*arguments, "--out-dir", str(tmp_path / "results")]) == 0
    assert (tmp_path / "results" / f"{suite}.md").is_file()


def test_export_wants_a_detector_and_a_generator(model, capsys, tmp_path):
    runs = model.parents[1]
    generator = str(runs / "mending" / "average.safetensors")
    arguments = ["--detector", generator, "--generator", generator, "-o", str(tmp_path / "m")]
    assert main(["export", *arguments]) == 2
    assert "holds no detector" in capsys.readouterr().err


def test_a_model_folder_needs_no_torch_checkpoint(model):
    assert {path.name for path in model.iterdir()} == {
        "card.json",
        "detector.onnx",
        "generator.onnx",
    }
    assert Restorer(model, threads=1).card.sha256.keys() == {"detector", "generator"}
