"""Runs a suite and writes its report."""

import hashlib
import os
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

from selfsharp.benchmark.measure import Bench, ProgressBar
from selfsharp.benchmark.report import write_report
from selfsharp.benchmark.rows import choose_rows
from selfsharp.benchmark.suites import SUITES
from selfsharp.config import BenchmarkSettings
from selfsharp.model_folder import find_model, read_card, write_card


def run_suite(settings: BenchmarkSettings, progress: ProgressBar) -> Path:
    """Measures what the settings name; returns the path of the Markdown report.

    Raises:
        ValueError: the suite, a row, a model or the pictures are not there, or a setting is
            out of its range.
    """
    suite = SUITES.load(settings.suite)
    _check(settings, suite.PICTURES, suite.ROWS)
    bench = Bench(settings, choose_rows(settings, suite.ROWS), progress)
    start = time.perf_counter()
    report = suite.run(bench)
    facts = {
        "suite": settings.suite,
        "command": command_of(settings),
        **({"photos": len(bench.measured)} if bench.measured else {}),
        "seed": settings.seed,
        "models": {name: _version(name) for name in settings.models},
    }
    run = {
        "date": time.strftime("%Y-%m-%d"),
        "cores": os.cpu_count(),
        **(_pace(settings) if bench.records else {}),
        **_taken_over(bench),
        "seconds": round(time.perf_counter() - start, 1),
    }
    path = settings.out_dir / f"{settings.suite}.md"
    write_report(report, path, facts, run)
    if settings.into_card:
        for model, scores in report.scores.items():
            _into_card(model, settings, scores)
    return path


def command_of(settings: BenchmarkSettings) -> str:
    """The command that measures what the settings say."""
    words = ["selfsharp", "benchmark", settings.suite]
    for setting in fields(settings):
        value = getattr(settings, setting.name)
        default = setting.default if setting.default is not MISSING else None
        if setting.name in ("suite", "keep") or value == default:
            continue
        flag = "--" + setting.name.replace("_", "-")
        if setting.name in ("model", "peer"):
            words += [word for each in value for word in (flag, str(each))]
        elif isinstance(value, tuple):
            words += [flag, *map(str, value)]
        else:
            words += [flag] if value is True else [flag, str(value)]
    return shlex.join(words)


def _check(settings: BenchmarkSettings, pictures: str, rows: Sequence[str]) -> None:
    """Refuses, before anything is measured, what would end in vain.

    Args:
        pictures: the suite's word on what pictures it takes.
        rows: what is usual in the suite; none if it restores nothing.
    """
    if settings.pictures is None:
        raise ValueError(
            f"no pictures given; {settings.suite} takes {pictures}: name it with --pictures DIR"
        )
    least = {
        "limit": 1,
        "crop": 64,
        "sheet": 1,
        "seed": 0,
        "threads": 1,
        "jobs": 1,
        "peer-timeout": 0.001,
    }
    for name, low in least.items():
        value = getattr(settings, name.replace("-", "_"))
        if value is not None and not value >= low:
            raise ValueError(f"--{name} {value} is out of range; give {low} or more")
    if settings.keep and not rows:
        raise ValueError(f"{settings.suite} restores no pictures to keep; leave --keep out")
    for folder, use in ((settings.out_dir, "reports"), (settings.keep, "pictures")):
        if folder and not _can_be_folder(folder):
            raise ValueError(f"{folder} cannot be a folder for {use}; name another")


def _can_be_folder(folder: Path) -> bool:
    """Whether files can be written there, once the folder is made."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    return there.is_dir() and os.access(there, os.W_OK)


def _pace(settings: BenchmarkSettings) -> dict[str, int | None]:
    """What the seconds of rows depend on; processes of their own depend on neither."""
    return {"threads": settings.threads, "photos at a time": settings.jobs or os.cpu_count()}


def _taken_over(bench: Bench) -> dict[str, str]:
    """How many pictures an earlier run had restored, and told their seconds."""
    kept = sum(record.kept for record in bench.records)
    return {"pictures kept from before": f"{kept} of {len(bench.records)}"} if kept else {}


def _version(model: str) -> str:
    """What tells one model from another: the start of a checksum of its graphs' checksums."""
    card = read_card(find_model(model))
    sums = "".join(card.sha256[graph] for graph in card.graphs)
    return hashlib.sha256(sums.encode()).hexdigest()[:12]


def _into_card(model: str, settings: BenchmarkSettings, scores: Mapping[str, Any]) -> None:
    """Writes the means into a model's card, with the command that measures them, and the date."""
    folder = find_model(model)
    card = read_card(folder)
    of_suite = {"command": command_of(settings), "date": time.strftime("%Y-%m-%d"), **scores}
    # Nothing of an earlier run stays beside the new figures, nor of a suite that is no more.
    kept = {name for name in SUITES.names() if name != settings.suite}
    others = {name: value for name, value in card.scores.items() if name.partition(", ")[0] in kept}
    new = {f"{settings.suite}, {name}": value for name, value in of_suite.items()}
    write_card(folder, replace(card, scores={**others, **new}))
