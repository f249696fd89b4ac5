"""Figures of how trainings went, drawn from their logs."""

import json

import numpy as np
import pytest
from PIL import Image as PillowImage

from selfsharp.benchmark import losses as module
from selfsharp.benchmark.losses import POINTS, draw_losses, read_log
from selfsharp.cli import main

pytest.importorskip("matplotlib")


def write_run(folder, entries):
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(entry) for entry in entries]
    (folder / "log.jsonl").write_text("".join(line + "\n" for line in lines))
    return folder


def step(crops, **values):
    return {"crops": crops, "seconds": crops / 10, "waiting": 0.01, **values}


@pytest.fixture
def long_run(tmp_path):
    """A loss that falls to a half, a critic that turns negative, and two validations."""
    entries = [step(at, loss=1 - at / 4000, critic=1 - at / 1000) for at in range(10, 2001, 10)]
    entries.insert(100, {"crops": 1000, "seconds": 1.0, "validation": {"shake": 0.2, "harm": 1.5}})
    entries.append({"crops": 2000, "seconds": 2.0, "validation": {"shake": 0.4, "harm": 0.5}})
    return write_run(tmp_path / "long", entries)


@pytest.fixture
def panels(monkeypatch):
    """What was drawn, in place of a drawing."""
    drawn = {}
    monkeypatch.setattr(
        module, "draw_panels", lambda made, path, **_: drawn.update({p.title: p for p in made})
    )
    return drawn


def test_a_log_has_losses_and_scores_by_the_crops_seen(long_run):
    losses, scores = read_log(long_run)
    assert losses.keys() == {"loss", "critic"}
    assert losses["loss"][10] == pytest.approx(0.9975)
    assert len(losses["loss"]) == 200
    assert scores == {"shake": {1000: 0.2, 2000: 0.4}, "harm": {1000: 1.5, 2000: 0.5}}


def test_what_came_before_a_training_went_back_is_left_out(tmp_path):
    entries = [step(100, loss=3.0), step(200, loss=9.0), step(300, loss=9.5), step(150, loss=2.0)]
    losses, _ = read_log(write_run(tmp_path / "run", entries))
    assert losses == {"loss": {100: 3.0, 150: 2.0}}


def test_a_panel_for_each_loss_and_score_and_a_line_for_each_run_that_has_it(
    tmp_path, long_run, panels
):
    short = write_run(tmp_path / "short", [step(500, loss=0.7, pixel=0.6)])
    draw_losses([long_run, short], tmp_path / "losses.png")
    assert list(panels) == ["loss", "critic", "pixel", "validation: shake", "validation: harm"]
    assert panels["loss"].lines.keys() == {"long", "short"}
    assert panels["critic"].lines.keys() == {"long"}
    assert panels["pixel"].lines == {"short": [(500, 0.6)]}
    assert panels["validation: shake"].up == "gain in dB"
    assert "grey levels" in panels["validation: harm"].up
    assert not any(panel.logarithmic for panel in panels.values())


def test_a_loss_that_falls_far_has_a_logarithmic_axis_unless_it_turns_negative(tmp_path, panels):
    far = [step(1, loss=100.0, critic=100.0, pixel=2.0), step(2, loss=0.1, critic=-1.0, pixel=1.0)]
    draw_losses([write_run(tmp_path / "run", far)], tmp_path / "losses.png")
    assert [name for name, panel in panels.items() if panel.logarithmic] == ["loss"]


def test_a_long_line_is_of_means_and_the_band_has_all_that_was_averaged(tmp_path, long_run, panels):
    draw_losses([long_run], tmp_path / "losses.png")
    line, band = (np.array(getattr(panels["loss"], name)["long"]) for name in ("lines", "bands"))
    assert len(line) <= POINTS
    # Means of a straight line lie on it.
    np.testing.assert_allclose(line[:, 1], 1 - line[:, 0] / 4000, atol=1e-9)
    assert band[0, 2] == pytest.approx(0.9975)
    assert band[-1, 1] == pytest.approx(0.5)
    assert (band[:, 1] < line[:, 1]).all()
    assert panels["validation: shake"].bands == {}


def test_runs_of_one_name_are_told_apart(tmp_path, panels):
    runs = [write_run(tmp_path / place / "base", [step(1, loss=1.0)]) for place in ("a", "b")]
    draw_losses(runs, tmp_path / "losses.png")
    assert panels["loss"].lines.keys() == {"a/base", "b/base"}
    with pytest.raises(ValueError, match="named twice"):
        draw_losses([runs[0], runs[0]], tmp_path / "losses.png")


def test_the_command_draws_into_the_run_folder_and_overwrites_when_told(long_run, capsys):
    assert main(["losses", str(long_run)]) == 0
    drawn = PillowImage.open(long_run / "losses.png").convert("L")
    assert min(drawn.size) > 400
    assert np.asarray(drawn).std() > 5
    assert main(["losses", str(long_run)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["losses", str(long_run), "--overwrite"]) == 0


@pytest.mark.parametrize("line", ["{", "[]", '{"loss": 1.0}', '{"crops": "many"}'])
def test_a_log_of_something_else_is_refused_in_one_line(tmp_path, line):
    run = write_run(tmp_path / "run", [step(1, loss=1.0)])
    with (run / "log.jsonl").open("a") as log:
        log.write(line + "\n")
    with pytest.raises(ValueError, match=r"\A.+log.jsonl, line 2 is no line.+\Z"):
        read_log(run)


def test_a_training_that_has_just_begun_is_refused_in_one_line(tmp_path):
    with pytest.raises(ValueError, match=r"\A.+has no losses yet.+\Z"):
        read_log(write_run(tmp_path / "run", []))
