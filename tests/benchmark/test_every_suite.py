"""What every suite promises: a report, the same one every time."""

import importlib
import json
import re

import pytest
from PIL import Image as PillowImage

from selfsharp.benchmark import large_readings, programs
from selfsharp.benchmark.rows import ROWS
from selfsharp.benchmark.suites import SUITES, levels, psf, speed
from selfsharp.cli import main

every_suite = pytest.mark.parametrize("suite", SUITES.names())
QUICK = ("nothing", "unsharp_mask", "model", "wiener")
USED = {"table1": QUICK, "levels": ("model",), "map": (), "psf": (), "speed": (), "tiles": ()}
PICTURES = {
    "table1": [f"{p}-{k}.jpg" for p in ("partly", "fully") for k in ("gaussian", "shake")],
    "levels": [".png"],
    "psf": [".png"],
    "speed": [".png"],
}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Less of everything, so that a suite takes seconds."""
    monkeypatch.setattr(levels, "RADII", (0.0, 2.0))
    monkeypatch.setattr(psf, "SIDES", (64, 0))
    monkeypatch.setattr(speed, "SIZES", (0.02, 0.04))
    monkeypatch.setattr(speed, "SHARES", (0.0, 1.0))
    monkeypatch.setattr(speed, "REPEATS", 1)
    monkeypatch.setattr(speed, "SIZE", 0.02)
    monkeypatch.setattr(large_readings, "MEGAPIXELS", 0.03)
    # Every way is a process for each reading: one and two threads, and all else at the other end.
    monkeypatch.setattr(programs, "WAYS", (*programs.WAYS[:2], programs.WAYS[-1]))


def test_every_suite_is_named_in_the_help(capsys):
    with pytest.raises(SystemExit):
        main(["benchmark", "--help"])
    told = " ".join(re.sub(r"[│╭╮─]", " ", capsys.readouterr().out).split())
    assert all(re.search(rf"\b{name}\b", told) for name in SUITES.names())
    assert all(re.search(rf"\b{name}\b", told) for name in ROWS.names())


@every_suite
def test_a_suite_defines_what_its_folder_asks_for(suite):
    member = SUITES.load(suite)
    assert member.PICTURES.startswith("a folder of ")
    assert set(member.ROWS) <= set(ROWS.names())
    assert callable(member.run)


def refuse(name):
    """Some readers of JSON take no NaN and no infinity."""
    raise AssertionError(f"{name} is no JSON")


@every_suite
def test_a_report_is_a_page_its_numbers_and_pictures(suite, measure):
    report, content = measure(suite, rows=USED.get(suite, ("nothing", "model")))
    ends = [end if end[0] == "." else f"-{end}" for end in PICTURES.get(suite, [".jpg"])]
    has_matplotlib = importlib.util.find_spec("matplotlib") is not None
    drawn = [suite + end for end in ends if has_matplotlib or not end.endswith(".png")]
    written = sorted(path.name for path in report.parent.iterdir())
    assert written == sorted([f"{suite}.md", f"{suite}.json", *drawn])
    json.loads(report.with_suffix(".json").read_text(encoding="utf-8"), parse_constant=refuse)
    page = report.read_text(encoding="utf-8")
    assert page.startswith(f"# {suite}\n")
    assert f"selfsharp benchmark {suite} --pictures" in page
    assert all(f"]({name})" in page for name in drawn)
    assert ("matplotlib is not installed" in page) == (len(drawn) < len(ends))
    for name in drawn:
        with PillowImage.open(report.with_name(name)) as picture:
            picture.load()
            assert min(picture.size) > 200
    assert content["suite"] == suite
    assert content["seed"] == 0
    assert list(content["models"].values()) != []
    assert {"date", "cores", "seconds", "figures"} <= set(content["timings"])


@pytest.mark.parametrize("suite", [name for name in SUITES.names() if name != "speed"])
def test_a_second_run_gives_the_same_figures_to_the_last_digit(suite, measure, tmp_path):
    rows = USED.get(suite, ("nothing", "model"))
    one, first = measure(suite, rows=rows, out_dir=tmp_path / "a", jobs=1)
    two, second = measure(suite, rows=rows, out_dir=tmp_path / "b", jobs=3)
    assert first["figures"] == second["figures"]
    assert first["figures"]
    for path in one.parent.iterdir():
        if path.suffix in (".jpg", ".png"):
            assert path.read_bytes() == two.with_name(path.name).read_bytes()


@pytest.mark.parametrize("part", ["region", "sizes", "large"])
def test_speed_measures_the_parts_that_are_asked_for(part, measure):
    titles = {"region": ["A region"], "sizes": ["Readings", "Slopes and ratios"]}
    report, content = measure("speed", parts=(part,))
    page = report.read_text(encoding="utf-8")
    found = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]
    assert [t for t in found if t != "This run"] == titles.get(part, ["A large photo"])
    assert content["timings"]["figures"]


def test_speed_of_nothing_is_refused(measure):
    with pytest.raises(ValueError, match=r"\A--parts names nothing.*; give region"):
        measure("speed", parts=())


@every_suite
def test_without_pictures_a_suite_says_what_it_takes(suite, capsys):
    assert main(["benchmark", suite]) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert SUITES.load(suite).PICTURES in told
    assert "--pictures" in told


@every_suite
def test_a_folder_without_pictures_is_refused_and_nothing_is_written(suite, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    command = ["benchmark", suite, "--pictures", str(tmp_path / "empty")]
    assert main([*command, "--out-dir", str(tmp_path / "out")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_without_matplotlib_tables_are_written_and_one_line_tells(measure, monkeypatch):
    from selfsharp.benchmark import report as reports

    monkeypatch.setattr(reports, "can_plot", lambda: False)
    report, _ = measure("levels")
    page = report.read_text(encoding="utf-8")
    assert sum("matplotlib is not" in line for line in page.splitlines()) == 1
    assert "selfsharp[benchmark]" in page
    assert "| radius | defocus |" in page
    assert not report.with_suffix(".png").exists()
