"""Tables in Markdown: a line for each row, the best in bold, oracles apart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from selfsharp.benchmark.measure import Record
from selfsharp.benchmark.row import Line, Told
from selfsharp.benchmark.statistics import bootstrap_interval, mean_of

GROUPS: dict[Told, str] = {
    "nothing": "",
    "mask": "*told the mask*",
    "blur": "*oracle: told the true PSF and mask*",
}
"""What stands above the rows of a table, by what they are told of the truth."""
SPEED = "s/MP"
"""Title of the column of seconds per megapixel, the one that differs from run to run."""


@dataclass(frozen=True)
class Column:
    """A column of a table, made of one figure.

    Attributes:
        key: name of the figure.
        title: what stands above it.
        form: how a number is written, in Python's format language.
        better: which end of the scale is good; None where there is no telling.
        interval: whether the 95 % interval of the mean is told.
    """

    key: str
    title: str
    form: str = ".2f"
    better: Literal["higher", "lower"] | None = "higher"
    interval: bool = False


@dataclass(frozen=True)
class Table:
    """A table as it is written.

    Attributes:
        title: heading above it; empty if it needs none.
        heads: titles of the columns; the first is that of the lines' names.
        lines: what each line says, its name first.
        notes: lines of text below.
    """

    title: str
    heads: Sequence[str]
    lines: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        """The table in Markdown, without its title."""
        rows = [self.heads, ["---"] * len(self.heads), *self.lines]
        written = ["| " + " | ".join(cells) + " |" for cells in rows]
        return "\n".join([*written, *(f"\n{note}" for note in self.notes)])


def table_of_means(
    title: str,
    records: Sequence[Record],
    rows: Sequence[Line],
    columns: Sequence[Column],
    seed: int,
    *,
    speed: bool = True,
) -> Table:
    """Means over the photos: a line for each row, the best of those told nothing in bold.

    A row that failed anywhere has no means: those of fewer photos could not be compared.
    """
    lines: list[list[str]] = []
    notes: list[str] = []
    heads = ["row", *(column.title for column in columns), *([SPEED] if speed else [])]
    for told, heading in GROUPS.items():
        group = [(row, _of_row(records, row)) for row in rows if row.told == told]
        group = [(row, found) for row, found in group if found]
        if group and heading:
            lines.append([heading, *[""] * (len(heads) - 1)])
        best = {column.key: _best(column, [r for _, r in group]) for column in columns}
        for row, found in group:
            failed = [record for record in found if record.error]
            if failed:
                lines.append([f"{row.name} (failed)", *["-"] * (len(heads) - 1)])
                notes.append(_note(row, failed, found))
                continue
            cells = [_cell(column, found, seed) for column in columns]
            if told == "nothing":
                shown = zip(columns, cells, strict=True)
                cells = [
                    f"**{cell}**"
                    if cell != "-" and _mean(column, found) == best[column.key]
                    else cell
                    for column, cell in shown
                ]
            pace = np.mean([record.seconds / record.megapixels for record in found])
            lines.append([row.name, *cells, *([f"{pace:.2f}"] if speed else [])])
    return Table(title, heads, lines, notes)


def table_of_photos(
    title: str, records: Sequence[Record], rows: Sequence[Line], column: Column
) -> Table:
    """One figure of every photo: a line for each photo, a column for each row."""
    names = [row.name for row in rows if _of_row(records, row)]
    found = {(record.photo, record.row): record for record in records}
    lines = []
    for photo in dict.fromkeys(record.photo for record in records):
        figures = [found[photo, name].figures.get(column.key) for name in names]
        lines.append([photo, *("-" if f is None else format(f, column.form) for f in figures)])
    return Table(title, ["photo", *names], lines)


def table_of_cells(
    title: str, records: Sequence[Record], rows: Sequence[Line], column: Column, seed: int
) -> Table:
    """One figure in every cell: a line for each row, a column for each cell."""
    cells = list(dict.fromkeys(record.cell for record in records))
    tables = [table_of_means("", _of_cell(records, cell), rows, [column], seed) for cell in cells]
    lines = [
        [parts[0][0], *(part[1] for part in parts)]
        for parts in zip(*(table.lines for table in tables), strict=True)
    ]
    notes = list(dict.fromkeys(note for table in tables for note in table.notes))
    return Table(title, ["row", *cells], lines, notes)


def by_cell(
    records: Sequence[Record], make: Callable[[str, Sequence[Record]], Table]
) -> list[Table]:
    """A table for each cell, in the order in which they were measured."""
    cells = dict.fromkeys(record.cell for record in records)
    return [make(cell, _of_cell(records, cell)) for cell in cells]


def _of_cell(records: Sequence[Record], cell: str) -> list[Record]:
    return [record for record in records if record.cell == cell]


def _of_row(records: Sequence[Record], row: Line) -> list[Record]:
    return [record for record in records if record.row == row.name]


def _values(column: Column, records: Sequence[Record]) -> list[float]:
    found = (record.figures.get(column.key) for record in records)
    return [value for value in found if value is not None]


def _mean(column: Column, records: Sequence[Record]) -> float | None:
    """The mean as precisely as it is shown."""
    values = _values(column, records)
    return None if not values else float(f"{mean_of(values).value:.6g}")


def _best(column: Column, rows: Sequence[Sequence[Record]]) -> float | None:
    """The best mean of the rows that did not fail."""
    whole = [records for records in rows if not any(record.error for record in records)]
    means = [mean for records in whole if (mean := _mean(column, records)) is not None]
    if column.better is None or len(means) < 2:
        return None
    return max(means) if column.better == "higher" else min(means)


def _cell(column: Column, records: Sequence[Record], seed: int) -> str:
    values = _values(column, records)
    if not values:
        return "-"
    mean = mean_of(values)
    text = format(mean.value, column.form) + mean.note
    if column.interval and len(set(values)) > 1:
        low, high = bootstrap_interval(values, seed)
        text += f" [{format(low, column.form)}, {format(high, column.form)}]"
    return text


def _note(row: Line, failed: Sequence[Record], found: Sequence[Record]) -> str:
    reasons = "; ".join(dict.fromkeys(record.error for record in failed))
    return f"{row.name} failed on {len(failed)} of {len(found)} photos: {reasons}."
