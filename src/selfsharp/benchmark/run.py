"""Runs a suite over a folder of photos and gathers what it measures."""

import json
import math
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from selfsharp.benchmark.report import summarise, write_report
from selfsharp.benchmark.suites import SUITES, Row
from selfsharp.config import BenchmarkSettings
from selfsharp.datasets import find_photos
from selfsharp.image import Image, read_photo
from selfsharp.model_folder import find_model, read_card, write_card
from selfsharp.restore.restorer import Restorer

ProgressBar = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]


def run_suite(settings: BenchmarkSettings, progress: ProgressBar) -> Path:
    """Measures a model; returns the path of the Markdown report.

    Raises:
        ValueError: the suite, the model or the pictures are not there.
    """
    if settings.suite not in SUITES:
        raise ValueError(f"unknown suite {settings.suite!r}; choose one of: {', '.join(SUITES)}")
    assert settings.pictures is not None
    paths = find_photos(settings.pictures)
    restorer = Restorer(settings.model, settings.threads)
    settings.out_dir.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    shown: dict[str, list[Image]] = {}
    start = time.perf_counter()
    with progress(settings.suite) as advance:
        for number, path in enumerate(paths):
            advance(number, len(paths))
            name = path.relative_to(settings.pictures).with_suffix("").as_posix()
            image = read_photo(path).image
            found, pictures = SUITES[settings.suite](restorer, image, [settings.seed, number])
            rows += [{"photo": name, **row} for row in found]
            shown[name] = pictures
    facts = {
        "suite": settings.suite,
        "model": restorer.card.name,
        "photos": len(paths),
        "seed": settings.seed,
        "threads": settings.threads or os.cpu_count(),
        "seconds": round(time.perf_counter() - start, 1),
    }
    report = settings.out_dir / f"{settings.suite}.md"
    (settings.out_dir / f"{settings.suite}.json").write_text(
        json.dumps({**facts, "rows": [_writable(row) for row in rows]}, indent=1, allow_nan=False)
        + "\n",
        encoding="utf-8",
    )
    write_report(report, facts, rows, shown)
    if settings.into_card:
        _into_card(settings, rows)
    return report


def _into_card(settings: BenchmarkSettings, rows: list[Row]) -> None:
    """Writes the means into the model's card, with the command that measures them."""
    folder = find_model(settings.model)
    card = read_card(folder)
    scores: dict[str, object] = {
        "command": "selfsharp benchmark SUITE --pictures KODAK24",
        "date": time.strftime("%Y-%m-%d"),
    }
    for kind, means in summarise(settings.suite, rows).items():
        for name, mean in means.items():
            unit = " in dB" if name in ("before", "gain", "whole gain", "PSNR") else ""
            score = f"{settings.suite}, {kind} mask, {name}{unit}"
            scores |= _writable({score: round(mean.value, 4)})
            if mean.left_out:
                scores[f"{score}, infinite and left out"] = f"{mean.left_out} of {mean.count}"
    # Nothing of an earlier run stays beside the new figures.
    others = {
        name: value
        for name, value in card.scores.items()
        if not name.startswith(f"{settings.suite}, ")
    }
    write_card(folder, replace(card, scores={**others, **scores}))


def _writable(numbers: Row) -> Row:
    """The row as JSON can hold it: an infinite number becomes the text `inf`."""
    return {
        name: value if isinstance(value, str) or math.isfinite(value) else str(value)
        for name, value in numbers.items()
    }
