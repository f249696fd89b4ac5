"""A folder of photos is restored as a whole, whatever happens on the way.

``SELFSHARP_PHOTOS=200 SELFSHARP_KILLS=5`` makes it a larger folder, killed more often.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from selfsharp.cli import main
from selfsharp.output_file import TEMPORARY
from selfsharp.restore.folder import LOG, plan_folder, restore_folder
from selfsharp.restore.workers import Options

COUNT = int(os.environ.get("SELFSHARP_PHOTOS", "12"))
KILLS = int(os.environ.get("SELFSHARP_KILLS", "2"))


def make_photos(folder: Path, count: int) -> None:
    """Small photos in sub-folders; red ones are blurred, as the made-up model sees it."""
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, 256, (24, 32, 3), dtype=np.uint8)
        pixels[:, :16, 0] = 255 * (number % 4 != 0)
        path = folder / f"{number % 3}" / f"{number}.{('png', 'jpg', 'tif')[number % 3]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        PillowImage.fromarray(pixels).save(path)


def results(folder: Path) -> dict[str, str]:
    """Every file below a folder but the log, with its checksum."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != LOG
    }


def start(folder: Path, out: Path, model: Path, jobs: int = 2) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "selfsharp", "restore", folder, "--out-dir", out]
    command += ["--model", model, "--jobs", str(jobs), "--threads", "1"]
    return subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def kill_and_go_on(source: Path, out: Path, model: Path, count: int, kills: int, seed: int) -> None:
    """Kills a run when so many results are there, at random, and starts it again each time."""
    generator = np.random.default_rng(seed)
    for at in sorted(generator.integers(1, max(2, count - 2), kills)):
        run = start(source, out, model)
        deadline = time.monotonic() + 120
        while run.poll() is None and len(whole(out)) < at and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(float(generator.random()) * 0.05)
        run.send_signal(signal.SIGKILL)
        run.communicate()
        for path in whole(out):
            with PillowImage.open(path) as picture:
                picture.load()


def whole(out: Path) -> list[Path]:
    return [path for path in out.rglob("*-selfsharp.*") if not path.name.startswith(TEMPORARY)]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    make_photos(folder, COUNT)
    return folder


@pytest.fixture(scope="module")
def undisturbed(source: Path, made_up: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    arguments = ["restore", str(source), "--out-dir", str(out), "--model", str(made_up)]
    assert main([*arguments, "--jobs", "2", "--threads", "1"]) == 0
    return out


def log(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / LOG).read_text().splitlines()]


def test_every_photo_has_a_whole_result_and_a_line_in_the_log(source: Path, undisturbed: Path):
    found = results(undisturbed)
    assert len(found) == COUNT
    assert "1/4-selfsharp.jpg" in found
    entries = log(undisturbed)
    assert {entry["output"] for entry in entries} == set(found)
    assert {entry["status"] for entry in entries} == {"restored", "unchanged"}
    unchanged = [entry for entry in entries if entry["status"] == "unchanged"]
    assert COUNT / 4 <= len(unchanged) < COUNT
    for entry in unchanged:
        same = (source / entry["photo"]).read_bytes()
        assert (undisturbed / entry["output"]).read_bytes() == same


def test_killed_at_any_moment_it_goes_on_to_the_same_end(
    source: Path, undisturbed: Path, made_up: Path, tmp_path: Path
):
    out = tmp_path / "out"
    kill_and_go_on(source, out, made_up, count=COUNT, kills=KILLS, seed=3)
    run = start(source, out, made_up)
    told, errors = run.communicate()
    assert (run.returncode, errors) == (0, "")
    assert "skipped" in told
    assert results(out) == results(undisturbed)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_ctrl_c_leaves_whole_results_and_a_summary(source: Path, made_up: Path, tmp_path: Path):
    run = start(source, tmp_path / "out", made_up, jobs=1)
    deadline = time.monotonic() + 120
    while not whole(tmp_path / "out") and time.monotonic() < deadline:
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    told, errors = run.communicate()
    assert run.returncode in (0, 130)
    assert len(errors.splitlines()) <= 1
    assert "restored" in told
    assert not list((tmp_path / "out").rglob(f"{TEMPORARY}*"))


def test_what_is_done_is_skipped_unless_it_was_done_otherwise(
    source: Path, made_up: Path, tmp_path: Path
):
    few = tmp_path / "few"
    make_photos(few, 2)
    again = {"jobs": 1}
    first = restore_folder(few, tmp_path / "out", Options(str(made_up), threads=1), **again)
    assert {entry.status for entry in first} <= {"unchanged", "restored"}
    second = restore_folder(few, tmp_path / "out", Options(str(made_up), threads=1), **again)
    assert [entry.status for entry in second] == ["skipped"] * 2
    third = restore_folder(few, tmp_path / "out", Options(str(made_up), 0.5, 1), **again)
    assert [entry.status for entry in third] == ["failed"] * 2
    assert all("made with other settings" in entry.error for entry in third)


def test_a_bad_photo_fails_alone(made_up: Path, tmp_path: Path, capsys):
    make_photos(tmp_path / "in", 2)
    (tmp_path / "in" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    arguments = ["restore", str(tmp_path / "in"), "--out-dir", str(tmp_path / "out")]
    assert main([*arguments, "--model", str(made_up), "--jobs", "1", "--threads", "1"]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert "bad.png is damaged" in captured.err
    assert len(results(tmp_path / "out")) == 2


def test_links_out_of_the_folder_are_left_out_and_results_are_not_restored(tmp_path: Path):
    make_photos(tmp_path / "in", 3)
    make_photos(tmp_path / "elsewhere", 1)
    (tmp_path / "in" / "link.png").symlink_to(tmp_path / "elsewhere" / "0" / "0.png")
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "elsewhere")
    make_photos(tmp_path / "in" / "results", 2)
    plan = plan_folder(tmp_path / "in", tmp_path / "in" / "results")
    assert [path.name for path, _ in plan.tasks] == ["0.png", "1.jpg", "2.tif"]
    assert len(plan.left_out) == 1
    assert "link.png is a link that leads out" in plan.left_out[0]


def test_results_do_not_follow_links_out_of_their_folder(made_up: Path, tmp_path: Path):
    make_photos(tmp_path / "in", 1)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "0").symlink_to(tmp_path / "elsewhere")
    (entry,) = restore_folder(tmp_path / "in", tmp_path / "out", Options(str(made_up), threads=1))
    assert entry.status == "failed"
    assert "leads out of" in entry.error
    assert not list((tmp_path / "elsewhere").iterdir())


def test_two_runs_do_not_write_into_one_folder(source: Path, made_up: Path, tmp_path: Path):
    fcntl = pytest.importorskip("fcntl")
    (tmp_path / LOG).touch()
    with (tmp_path / LOG).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(ValueError, match="another run is writing"):
            restore_folder(source, tmp_path, Options(str(made_up)))


def test_a_broken_last_line_of_the_log_does_no_harm(made_up: Path, tmp_path: Path):
    make_photos(tmp_path / "in", 1)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / LOG).write_text('{"photo": "0/0.p')
    restore_folder(tmp_path / "in", tmp_path / "out", Options(str(made_up), threads=1))
    lines = (tmp_path / "out" / LOG).read_text().splitlines()
    assert lines[0] == '{"photo": "0/0.p'
    assert json.loads(lines[1])["status"] == "unchanged"


def test_a_process_that_dies_takes_only_its_photo_with_it(
    made_up: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A decoder that crashes is played by a module that ends its process."""
    make_photos(tmp_path / "in", 2)
    (tmp_path / "in" / "crash.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(99))
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "pillow_heif.py").write_text("import os\nos._exit(77)\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'modules'}{os.pathsep}{sys.path[0]}")
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    options = Options(str(made_up), threads=1)
    entries = restore_folder(tmp_path / "in", tmp_path / "out", options, jobs=1)
    status = {entry.photo: entry.status for entry in entries}
    assert status.pop("crash.heic") == "failed"
    assert set(status) == {"0/0.png", "1/1.jpg"}
    assert set(status.values()) <= {"unchanged", "restored"}
    (error,) = (entry.error for entry in entries if entry.error)
    assert "exit code 77" in error
