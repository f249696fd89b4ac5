"""The whole road on a tiny recipe: train, stop, go on, export, restore, measure."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

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
