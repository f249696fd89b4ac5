"""A suite turns a folder of photos into a report, the same one every time."""

import json
import math
import shutil
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as PillowImage

from selfsharp.benchmark.report import Mean, mean_of, summarise
from selfsharp.benchmark.run import run_suite
from selfsharp.benchmark.suites import SUITES, gain
from selfsharp.config import BenchmarkSettings
from selfsharp.image import quantize
from selfsharp.model_folder import find_model, read_card, write_card
from selfsharp.restore.restorer import Restorer

every_suite = pytest.mark.parametrize("suite", sorted(SUITES))


@pytest.fixture(scope="module")
def pictures(photo, tmp_path_factory):
    """Two photos of 96x96."""
    folder = tmp_path_factory.mktemp("pictures")
    tiled = np.tile(quantize(photo), (2, 2, 1))
    for name, picture in (("one", tiled[:96, :96]), ("two", tiled[20:116, 30:126, ::-1])):
        PillowImage.fromarray(np.ascontiguousarray(picture)).save(folder / f"{name}.png")
    return folder


@contextmanager
def silence(title):
    yield lambda done, total: None


def measure(suite, pictures, out_dir, **others):
    settings = BenchmarkSettings(suite=suite, pictures=pictures, out_dir=out_dir, threads=1)
    report = run_suite(replace(settings, **others), silence)
    return report, json.loads(report.with_suffix(".json").read_text(encoding="utf-8"))


@every_suite
def test_a_report_is_a_table_its_numbers_and_a_sheet_of_pictures(suite, pictures, tmp_path):
    report, facts = measure(suite, pictures, tmp_path / "new" / "results")
    assert sorted(path.name for path in report.parent.iterdir()) == [
        f"{suite}.jpg",
        f"{suite}.json",
        f"{suite}.md",
    ]
    assert (facts["suite"], facts["model"], facts["photos"]) == (suite, "base", 2)
    table = report.read_text(encoding="utf-8")
    assert table.startswith(f"# {suite}\n")
    assert "| one |" in table
    assert "| two |" in table
    with PillowImage.open(report.with_suffix(".jpg")) as sheet:
        sheet.load()
        assert sheet.height > 2 * 48


@every_suite
def test_equal_seeds_give_equal_rows(suite, pictures, tmp_path):
    first, second = (measure(suite, pictures, tmp_path / name)[1]["rows"] for name in "ab")
    assert first == second


def test_another_seed_gives_another_blur(pictures, tmp_path):
    first, second = (
        measure("partly", pictures, tmp_path / str(seed), seed=seed)[1]["rows"] for seed in (0, 1)
    )
    assert first[0]["before"] != second[0]["before"]


@every_suite
def test_every_number_is_finite_but_the_psnr_of_equal_images(suite, pictures, tmp_path):
    for row in measure(suite, pictures, tmp_path)[1]["rows"]:
        numbers = [float(row[name]) for name in row if name not in ("photo", "mask")]
        assert len(numbers) >= 3
        assert not np.isnan(numbers).any()
        infinite = [name for name in row if row[name] == "inf"]
        assert infinite == ([] if row.get("identical") != 1 else ["PSNR"])


def test_partly_tells_what_doing_nothing_scores_and_both_masks(pictures, tmp_path):
    report, facts = measure("partly", pictures, tmp_path)
    before = np.mean([row["before"] for row in facts["rows"]])
    table = report.read_text(encoding="utf-8")
    assert f"| do nothing | {before:.3f} |" in table
    assert "| found mask |" in table
    assert "| true mask |" in table
    assert [row["mask"] for row in facts["rows"]] == ["found", "true"] * 2


def test_with_the_true_mask_everything_far_from_the_blur_is_identical(pictures, tmp_path):
    rows = measure("partly", pictures, tmp_path)[1]["rows"]
    assert [row["far identical"] for row in rows if row["mask"] == "true"] == [1, 1]


def test_the_json_is_what_every_reader_of_json_takes(pictures, tmp_path):
    report, _ = measure("identity", pictures, tmp_path)

    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    json.loads(report.with_suffix(".json").read_text(encoding="utf-8"), parse_constant=refuse)


def test_a_mean_leaves_infinite_values_out_and_says_how_many():
    assert str(mean_of([40.0, math.inf, 50.0, math.inf])) == "45.000 (2 of 4 infinite, left out)"
    assert str(mean_of([1.0, 2.0])) == "1.500"
    assert str(mean_of([math.inf, math.inf])) == "inf (all 2)"


def test_a_summary_of_partly_identical_photos_is_about_the_others():
    rows = [{"identical": 1.0, "PSNR": math.inf, "share": 0.0}] * 3
    rows.append({"identical": 0.5, "PSNR": 40.0, "share": 0.5})
    means = summarise("identity", rows)["found"]
    assert means["PSNR"] == Mean(40.0, left_out=3, count=4)
    assert means["identical"] == Mean(0.875, left_out=0, count=4)
    assert means["made worse"].value == 0.25


def test_nothing_is_gained_where_input_and_output_are_the_original(made_up):
    flat = np.full((96, 96, 3), 0.5, np.float32)
    assert gain(math.inf, math.inf) == 0
    assert gain(31.0, 30.0) == 1
    rows, _ = SUITES["identity"](Restorer(made_up, threads=1), flat, [0, 0])
    assert rows[0]["PSNR"] == math.inf


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"suite": "nonsense"}, "nonsense"),
        ({"pictures": "missing"}, "missing"),
        ({"pictures": "."}, "no photo"),
        ({"model": "nonsense"}, "nonsense"),
    ],
)
def test_what_is_not_there_is_refused_in_one_line(change, named, pictures, tmp_path):
    if "pictures" in change:
        change = {"pictures": tmp_path / change["pictures"]}
    settings = BenchmarkSettings(pictures=pictures, out_dir=tmp_path / "out", threads=1)
    with pytest.raises(ValueError, match=rf"\A.*{named}.*\Z"):
        run_suite(_changed(settings, change), silence)
    assert not (tmp_path / "out").exists()


def _changed(settings, change):
    """The settings with a change that the command line would refuse already."""
    changed = replace(settings)
    for name, value in change.items():
        object.__setattr__(changed, name, value)
    return changed


def test_the_card_gets_the_means_when_asked(pictures, tmp_path):
    model = shutil.copytree(find_model("base"), tmp_path / "model")
    _, facts = measure("identity", pictures, tmp_path, model=str(model), into_card=True)
    scores = read_card(model).scores
    mean = mean_of([float(row["PSNR"]) for row in facts["rows"]])
    told = scores["identity, found mask, PSNR in dB"]
    assert float(told) == pytest.approx(mean.value, abs=1e-4)
    assert ("identity, found mask, PSNR in dB, infinite and left out" in scores) == bool(
        mean.left_out
    )
    assert "selfsharp benchmark" in scores["command"]
    assert Restorer(model, threads=1).card.sha256 == read_card(find_model("base")).sha256


def test_figures_of_an_earlier_run_do_not_stay_in_the_card(pictures, tmp_path, made_up):
    model = shutil.copytree(made_up, tmp_path / "model")
    old = {"identity, found mask, PSNR in dB, infinite and left out": "9 of 9", "partly, x": 1}
    write_card(model, replace(read_card(model), scores=old))
    flat = tmp_path / "flat"
    flat.mkdir()
    PillowImage.new("RGB", (96, 96), (90, 120, 90)).save(flat / "grey.png")
    measure("identity", flat, tmp_path, model=str(model), into_card=True)
    scores = read_card(model).scores
    assert scores["identity, found mask, PSNR in dB"] == "inf"
    assert scores["identity, found mask, PSNR in dB, infinite and left out"] == "1 of 1"
    assert scores["partly, x"] == 1
    assert "Infinity" not in (model / "card.json").read_text(encoding="utf-8")
    measure("identity", pictures, tmp_path, model=str(model), into_card=True)
    assert "1 of 1" not in read_card(model).scores.values()
