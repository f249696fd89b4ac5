"""What is kept of a benchmark that was stopped, and when it no longer counts."""

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from selfsharp.benchmark import keep
from selfsharp.benchmark.keep import Keep, as_in_file, as_values
from selfsharp.benchmark.row import Row, Truth
from selfsharp.benchmark.run import command_of, run_suite
from selfsharp.cli import main
from selfsharp.config import BenchmarkSettings
from selfsharp.image import quantize

ROWS = ("nothing", "unsharp_mask", "model", "wiener")
RESTORED = 2 * 4 * 5
"""Two photos in four cells, by the four rows; a model has two."""


def taken_over(content: dict) -> str:
    return content["timings"].get("pictures kept from before", "none")


@pytest.mark.parametrize("suite", ["table1", "gopro", "identity", "natural"])
def test_a_second_run_takes_over_every_picture_and_every_figure(suite, measure, tmp_path):
    rows = tuple(row for row in ROWS if suite == "table1" or row != "wiener")
    alone = measure(suite, rows=rows, out_dir=tmp_path / "alone")[1]
    first = measure(suite, rows=rows, keep=tmp_path / "kept", out_dir=tmp_path / "a")[1]
    second = measure(suite, rows=rows, keep=tmp_path / "kept", out_dir=tmp_path / "b")[1]
    made = len(first["figures"])
    assert taken_over(first) == "none"
    assert taken_over(second) == f"{made} of {made}"
    assert first["figures"] == second["figures"] == alone["figures"]
    seconds = [[line["seconds"] for line in run["timings"]["figures"]] for run in (first, second)]
    assert seconds[0] == seconds[1]
    for sheet in (tmp_path / "a").glob("*.jpg"):
        assert sheet.read_bytes() == (tmp_path / "b" / sheet.name).read_bytes()


def test_a_run_that_was_stopped_goes_on(measure, tiny, tmp_path, made_up):
    @contextmanager
    def stop_after_three(title):
        def advance(done, total):
            if done == 3:
                raise KeyboardInterrupt

        yield advance

    settings = BenchmarkSettings(
        "table1",
        pictures=tiny["table1"],
        model=(str(made_up),),
        rows=ROWS,
        out_dir=tmp_path / "results",
        keep=tmp_path / "kept",
        jobs=1,
    )
    with pytest.raises(KeyboardInterrupt):
        run_suite(settings, stop_after_three)
    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "kept").iterdir()}
    assert 3 * 5 <= len(kept) < RESTORED
    _, content = measure("table1", rows=ROWS, keep=tmp_path / "kept")
    assert taken_over(content) == f"{len(kept)} of {RESTORED}"
    now = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "kept").iterdir()}
    assert len(now) == RESTORED
    assert kept.items() <= now.items()


def test_what_makes_a_picture_another_one(tmp_path, monkeypatch):
    image = as_values(np.arange(48, dtype=np.uint8).reshape(4, 4, 3))
    truth = Truth(np.ones((4, 4), np.float32), np.ones((1, 1), np.float32))
    row = Row("wiener", lambda image, truth: image, told="blur", version="1")
    kept = Keep(tmp_path, threads=1)
    kept.add(row, image, truth, 1 - image, 0.25)
    found = kept.find(row, image, truth)
    assert found is not None
    np.testing.assert_array_equal(found[0], as_in_file(1 - image))
    assert found[1] == 0.25
    other_mask = replace(truth, mask=np.zeros((4, 4), np.float32))
    other_psf = replace(truth, psf=np.ones((3, 3), np.float32) / 9)
    assert kept.find(row, image[::-1].copy(), truth) is None
    assert kept.find(row, image.reshape(2, 8, 3), truth) is None
    assert kept.find(row, image, other_mask) is None
    assert kept.find(row, image, other_psf) is None
    assert kept.find(replace(row, version="2"), image, truth) is None
    assert kept.find(replace(row, name="Wiener"), image, truth) is None
    assert Keep(tmp_path, threads=2).find(row, image, truth) is None
    monkeypatch.setattr(keep, "code", lambda: "changed")
    assert kept.find(row, image, truth) is None


RUN_EVERY_ROW = """
import sys
import numpy as np
from selfsharp.benchmark.row import Truth
from selfsharp.benchmark.rows import ROWS, choose_rows
from selfsharp.config import BenchmarkSettings
image = np.random.default_rng(0).random((64, 64, 3), np.float32)
truth = Truth(np.ones((64, 64), np.float32), np.full((3, 3), 1 / 9, np.float32))
names = [name for name in ROWS.names() if name not in ("peer", "references")]
settings = BenchmarkSettings("table1", rows=tuple(names))
for row in choose_rows(settings, names):
    row.restore(image, truth)
print(*(name for name in sys.modules if name.startswith("selfsharp.")))
"""


def test_no_row_runs_code_that_lies_apart():
    """A change there must not leave a picture standing that it would have changed."""
    command = [sys.executable, "-c", RUN_EVERY_ROW]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    ran = {name.split(".")[1] for name in done.stdout.split()}
    assert {"restore", "blur"} <= ran
    assert all((keep.PACKAGE / name).exists() for name in keep.APART)
    # What the formats read is the image itself, which tells kept pictures apart.
    assert ran & {name.removesuffix(".py") for name in keep.APART} <= {"formats"}


def test_a_row_is_told_no_more_than_it_is_told(tmp_path):
    image = np.zeros((4, 4, 3), np.float32)
    row = Row("blind", lambda image, truth: image)
    kept = Keep(tmp_path, threads=1)
    kept.add(row, image, Truth(np.ones((4, 4), np.float32)), image, 1.0)
    assert kept.find(row, image, None) is not None


@pytest.mark.parametrize("harm", ["cut", "emptied", "other text"])
def test_a_broken_picture_is_made_anew(harm, measure, tmp_path):
    first = measure("identity", rows=("unsharp_mask",), keep=tmp_path / "kept")[1]
    whole = sorted((tmp_path / "kept").iterdir())
    content = whole[0].read_bytes()
    harmed = {"cut": content[: len(content) // 2], "emptied": b"", "other text": b"no PNG"}
    whole[0].write_bytes(harmed[harm])
    second = measure("identity", rows=("unsharp_mask",), keep=tmp_path / "kept")[1]
    assert taken_over(second) == "1 of 2"
    assert second["figures"] == first["figures"]
    assert whole[0].read_bytes()[:8] == content[:8]


def test_suites_that_restore_nothing_have_nothing_to_keep(tiny, tmp_path, capsys):
    words = ["--pictures", str(tiny["map"]), "--keep", str(tmp_path / "kept")]
    assert main(["benchmark", "map", *words]) == 2
    assert "map restores no pictures to keep; leave --keep out" in capsys.readouterr().err


def test_a_file_is_no_folder_to_keep_pictures_in(tiny, tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    words = ["--pictures", str(tiny["table1"]), "--keep", str(tmp_path / "file")]
    assert main(["benchmark", "table1", *words]) == 2
    assert "file cannot be a folder for pictures; name another" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine"


def test_where_pictures_are_kept_is_no_part_of_the_command(tmp_path):
    assert "keep" not in command_of(BenchmarkSettings("table1", keep=tmp_path))


@given(arrays(np.uint8, (3, 5, 3), elements=st.integers(0, 255)))
def test_what_a_file_holds_stays_as_it_is(pixels):
    np.testing.assert_array_equal(quantize(as_values(pixels)), pixels)
    np.testing.assert_array_equal(as_in_file(as_values(pixels)), as_values(pixels))
