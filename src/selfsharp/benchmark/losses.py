"""Draws how trainings went: every loss and every score of validation over the crops seen."""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from selfsharp.benchmark.plots import Panel, can_plot, draw_panels

LOG = "log.jsonl"
POINTS = 40
"""Points of a line at most; where a log has more, neighbours are averaged."""
WIDE = 10
"""How many times the smallest the largest loss has to be for a logarithmic axis."""
UNITS = {
    "harm": "change of sharp crops, grey levels",
    "sharp": "share found right",
    "blurred": "share found right",
    "radius": "relative error",
}
"""What validation scores are counted in, where it is not a gain in dB."""
NO_LOSS = ("crops", "seconds", "waiting", "validation")

Series = dict[str, dict[int, float]]
"""Values by their name and by the crops seen."""


def draw_losses(runs: Sequence[Path], path: Path) -> None:
    """Draws the logs of run folders into one PNG file: a panel for each loss and score.

    A line is a run. Where a log is long, a point is the mean of neighbouring lines of it, and
    the band around it is their range. What falls to a tenth or less has a logarithmic axis.

    Raises:
        ValueError: a folder has no log, or one without losses; or matplotlib is missing.
    """
    if not can_plot():
        raise ValueError("matplotlib is not installed; pip install 'selfsharp[benchmark]'")
    logs = {name: read_log(run) for name, run in zip(_names(runs), runs, strict=True)}
    losses = [_panel(name, _of(logs, name, 0), name) for name in _in_any(logs, 0)]
    scores = [
        _panel(f"validation: {name}", _of(logs, name, 1), UNITS.get(name, "gain in dB"))
        for name in _in_any(logs, 1)
    ]
    draw_panels([*losses, *scores], path, wide=3)


def read_log(run: Path) -> tuple[Series, Series]:
    """The losses and the validation scores in the log of a run folder.

    What a training saw before it went back to an earlier checkpoint is left out.

    Raises:
        ValueError: there is no log, a line of it is none, or nothing was logged yet.
    """
    log = run / LOG
    try:
        lines = log.read_text(encoding="utf-8").splitlines()
    except OSError:
        raise ValueError(f"{run} has no {LOG}; name the folder of a training") from None
    losses: Series = {}
    scores: Series = {}
    for number, line in enumerate(lines, 1):
        entry = _entry(line, f"{log}, line {number}")
        crops = entry["crops"]
        for values in (*losses.values(), *scores.values()):
            for later in [seen for seen in values if seen > crops]:
                del values[later]
        for name, value in entry.items():
            if name not in NO_LOSS:
                losses.setdefault(name, {})[crops] = value
        for name, value in entry.get("validation", {}).items():
            scores.setdefault(name, {})[crops] = value
    if not losses:
        raise ValueError(f"{log} has no losses yet; they come every 100 steps")
    return losses, scores


def _entry(line: str, place: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
        entry["crops"] = int(entry["crops"])
    except (json.JSONDecodeError, KeyError, TypeError, ValueError):
        raise ValueError(f"{place} is no line of a training's log") from None
    return entry


def _names(runs: Sequence[Path]) -> list[str]:
    """What to call each run: its folder's name, with as much of its path as tells it apart."""
    paths = [run.resolve() for run in runs]
    if len(set(paths)) < len(paths):
        raise ValueError("a run is named twice; name each once")
    length = 1
    while len({path.parts[-length:] for path in paths}) < len(paths):
        length += 1
    return ["/".join(path.parts[-length:]) for path in paths]


def _in_any(logs: dict[str, tuple[Series, Series]], which: int) -> list[str]:
    """The names of all losses (0) or scores (1), in the order in which they appear."""
    return list(dict.fromkeys(name for log in logs.values() for name in log[which]))


def _of(logs: dict[str, tuple[Series, Series]], name: str, which: int) -> Series:
    """One loss or score, of every run that has it."""
    return {run: log[which][name] for run, log in logs.items() if log[which].get(name)}


def _panel(title: str, runs: Series, up: str) -> Panel:
    lines, bands = {}, {}
    for run, values in runs.items():
        seen = sorted(values)
        size = -(-len(seen) // POINTS)
        groups = [seen[start : start + size] for start in range(0, len(seen), size)]
        lines[run] = [(fmean(group), fmean([values[at] for at in group])) for group in groups]
        if size > 1:
            each = [[values[at] for at in group] for group in groups]
            places = [fmean(group) for group in groups]
            bands[run] = [(at, min(of), max(of)) for at, of in zip(places, each, strict=True)]
    every = [value for values in runs.values() for value in values.values()]
    wide = max(every) > WIDE * min(every) > 0
    return Panel(title, "crops seen", up, lines, bands, logarithmic=wide)
