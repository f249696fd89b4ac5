"""Reports: SUITE.md for people, SUITE.json for programs, and pictures beside them."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from selfsharp.benchmark.measure import Bench, Record
from selfsharp.benchmark.plots import MISSING, Panel, can_plot, draw_panels
from selfsharp.benchmark.row import Line
from selfsharp.benchmark.sheet import Strip, draw_sheet
from selfsharp.benchmark.statistics import mean_of
from selfsharp.benchmark.tables import Column, Table
from selfsharp.image import atomic_output
from selfsharp.picture import write_picture

QUALITY = 85
"""JPEG quality of sheets, which are large."""
FEW = 6
"""Photos under which figures are called a try-out."""


@dataclass(frozen=True)
class Report:
    """What a suite found.

    Attributes:
        about: what was measured, and how to read it; Markdown.
        tables: what everybody should see.
        details: figures of single photos, at the end.
        sheets: what is shown of photos, by the end of the picture's name.
        panels: plots.
        figures: what JSON holds of quality; the same for the same seed.
        timings: what JSON holds of time and memory.
        scores: figures for the cards of models, by model.
    """

    about: str
    tables: Sequence[Table]
    details: Sequence[Table] = ()
    sheets: Mapping[str, Sequence[Strip]] = field(default_factory=dict)
    panels: Sequence[Panel] = ()
    figures: Sequence[Mapping[str, Any]] = ()
    timings: Sequence[Mapping[str, Any]] = ()
    scores: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def write_report(
    report: Report, path: Path, facts: Mapping[str, Any], run: Mapping[str, Any]
) -> None:
    """Writes SUITE.md and, beside it, SUITE.json and pictures; each whole or not at all.

    Args:
        path: of the Markdown file.
        facts: what makes the figures what they are: suite, command, seed, ...
        run: what belongs to this run alone: date, threads, seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = _write_pictures(report, path)
    lines = [f"# {facts['suite']}", "", report.about, "", "```", str(facts["command"]), "```", ""]
    told = {name: value for name, value in facts.items() if name not in ("suite", "command")}
    lines += [_sentence(told)]
    if int(facts.get("photos", FEW)) < FEW:
        lines += ["", f"**Fewer than {FEW} photos: these figures are a try-out, no benchmark.**"]
    lines += [line for table in report.tables for line in _section(table)]
    lines += [line for picture in pictures for line in ("", f"![{picture}]({picture})")]
    if report.panels and not can_plot():
        lines += ["", MISSING]
    lines += [line for table in report.details for line in _section(table)]
    lines += ["", "## This run", "", _sentence(run)]
    with atomic_output(path, overwrite=True) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    content = {
        **facts,
        "figures": [_writable(line) for line in report.figures],
        "timings": {**run, "figures": [_writable(line) for line in report.timings]},
    }
    with atomic_output(path.with_suffix(".json"), overwrite=True) as temporary:
        text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def figures_of(bench: Bench) -> list[dict[str, Any]]:
    """The records' figures, without what differs from run to run."""
    return [{**_place(r), **r.figures, **_error(r)} for r in bench.records]


def timings_of(bench: Bench) -> list[dict[str, Any]]:
    """The records' seconds."""
    return [{**_place(r), "seconds": round(r.seconds, 4)} for r in bench.records]


def scores_of(
    records: Sequence[Record], rows: Sequence[Line], columns: Sequence[Column]
) -> dict[str, dict[str, Any]]:
    """The means of every model's rows, for its card."""
    scores: dict[str, dict[str, Any]] = {}
    for row in rows:
        of_row = [record for record in records if record.row == row.name and row.model]
        for cell in dict.fromkeys(record.cell for record in of_row):
            for column in columns:
                of_cell = [record.figures for record in of_row if record.cell == cell]
                values = [figures[column.key] for figures in of_cell if column.key in figures]
                if not values:
                    continue
                mean = mean_of(values)
                kind = row.name.rpartition(", ")[2]
                score = ", ".join(part for part in (cell, kind, column.title) if part)
                of_model = scores.setdefault(row.model, {})
                of_model |= _writable({score: round(mean.value, 4)})
                if mean.left_out:
                    of_model[f"{score}, infinite and left out"] = f"{mean.left_out} of {mean.count}"
    return scores


def telling(
    bench: Bench, records: Sequence[Record], rows: Sequence[Line], key: str
) -> dict[str, list[Strip]]:
    """The strips of each cell that tell most: of the worst, the middle and the best photos.

    By one figure of the first model among what is told nothing, or else of the last row.
    """
    named = {record.row for record in records}
    measured = [row for row in rows if row.name in named]
    models = [row for row in measured if row.model and row.told == "nothing"]
    judged = (models[:1] or measured[-1:])[0].name
    figures = {(r.cell, r.photo): r.figures.get(key, math.inf) for r in records if r.row == judged}
    sheets = {}
    for cell in dict.fromkeys(strip.cell for strip in bench.strips):
        of_cell = [strip for strip in bench.strips if strip.cell == cell]
        of_cell.sort(key=lambda strip: figures.get((strip.cell, strip.photo), math.inf))
        sheets[cell] = picked(of_cell, bench.settings.sheet)
    return sheets


def picked(strips: Sequence[Strip], count: int) -> list[Strip]:
    """So many of the first, the middle and the last strips, each named as what it is."""
    length = len(strips)
    starts = {"worst": 0, "best": max(0, length - count), "middle": max(0, (length - count) // 2)}
    # Of few photos some would be two of these: they count as the first of them.
    ranks: dict[int, str] = {}
    for rank, start in starts.items():
        for place in range(start, min(start + count, length)):
            ranks.setdefault(place, rank)
    return [
        replace(strips[place], photo=f"{ranks[place]}: {strips[place].photo}")
        for place in sorted(ranks)
    ]


def _write_pictures(report: Report, path: Path) -> list[str]:
    """Writes sheets and plots; their file names."""
    written = []
    for cell, strips in report.sheets.items():
        end = f"-{cell.replace(' ', '-').lower()}" if cell else ""
        file = path.with_name(f"{path.stem}{end}.jpg")
        write_picture(draw_sheet(strips), file, overwrite=True, quality=QUALITY)
        written.append(file.name)
    if report.panels and can_plot():
        file = path.with_suffix(".png")
        draw_panels(report.panels, file)
        written.append(file.name)
    return written


def _section(table: Table) -> list[str]:
    """A table under its heading."""
    return [*(["", f"## {table.title}"] if table.title else []), "", str(table)]


def _sentence(facts: Mapping[str, Any]) -> str:
    """Facts as a line of text."""
    return ", ".join(f"{name} {_plain(value)}" for name, value in facts.items()) + "."


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name} ({of})" for name, of in value.items())
    return str(value)


def _place(record: Record) -> dict[str, str]:
    return {"cell": record.cell, "photo": record.photo, "row": record.row}


def _error(record: Record) -> dict[str, str]:
    return {"error": record.error} if record.error else {}


def _writable(line: Mapping[str, Any]) -> dict[str, Any]:
    """A line as JSON can hold it: an infinite number becomes the text `inf`."""
    return {
        name: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in line.items()
    }
