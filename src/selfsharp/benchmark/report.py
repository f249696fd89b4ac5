"""Reports that people look at: a table in Markdown and a sheet of pictures."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from selfsharp.benchmark.suites import Row
from selfsharp.image import Image, quantize
from selfsharp.picture import beside, busiest_window, write_picture

ABOUT = {
    "partly": (
        "Every photo is blurred by hand shake (extent 10 to 26 px) in a blob of 30 % of the "
        "area, with noise of sigma 1/255, at 8 bit, on the values as displayed. PSNR: RGB, "
        "8 bit, peak 255, in dB. `gain` is over the blurred region, `whole gain` over the "
        "photo; `far identical` is the share of bit-identical pixels further than 24 px from "
        "the true blur; `overlap` is the intersection over union of found blur and true mask."
    ),
    "identity": (
        "Sharp photos go in as they are. `identical`: share of bit-identical pixels; `PSNR`: "
        "RGB, 8 bit, peak 255, against itself, infinite when equal; `share`: what the gate opened. "
        "A mean leaves infinite values out and says how many."
    ),
}
SUMMARY = {
    "partly": ("before", "gain", "whole gain", "far identical", "overlap"),
    "identity": ("identical", "PSNR", "share"),
}
SHOWN = 6
"""Photos on the sheet: the worst, the best and those between, evenly."""


@dataclass(frozen=True)
class Mean:
    """A mean over photos that stays finite: infinite values are left out, and counted.

    Attributes:
        value: mean of the finite values; infinite when there are none.
        left_out: how many of the values are infinite.
        count: how many values there are.
    """

    value: float
    left_out: int
    count: int

    def __str__(self) -> str:
        """The mean with three decimals, and what it leaves out."""
        if self.left_out == self.count:
            return f"{self.value} (all {self.count})"
        note = f" ({self.left_out} of {self.count} infinite, left out)" if self.left_out else ""
        return f"{self.value:.3f}{note}"


def mean_of(values: Sequence[float]) -> Mean:
    """The mean of the finite values among at least one.

    PSNR of equal images is infinite: one of them would hide all the others, and a number
    put in its place would be made up.
    """
    finite = [value for value in values if np.isfinite(value)]
    mean = float(np.mean(finite)) if finite else math.inf
    return Mean(mean, len(values) - len(finite), len(values))


def write_report(
    path: Path,
    facts: Mapping[str, object],
    rows: Sequence[Row],
    shown: Mapping[str, Sequence[Image]],
) -> None:
    """Writes SUITE.md and, beside it, SUITE.jpg."""
    suite = str(facts["suite"])
    lines = [f"# {suite}", "", ABOUT[suite], ""]
    lines += [", ".join(f"{name} {value}" for name, value in facts.items()) + ".", ""]
    lines += _summary_table(suite, rows)
    lines += ["", "| photo | " + " | ".join(list(rows[0])[1:]) + " |"]
    lines += ["|---" * len(rows[0]) + "|"]
    lines += ["| " + " | ".join(_cell(value) for value in row.values()) + " |" for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    column = "gain" if suite == "partly" else "PSNR"
    order = sorted({str(row["photo"]): float(row[column]) for row in rows}.items(), key=_second)
    picks = np.unique(np.linspace(0, len(order) - 1, SHOWN).round().astype(int))
    sheet = [_strip(shown[order[pick][0]]) for pick in picks]
    width = max(strip.shape[1] for strip in sheet)
    sheet = [
        np.pad(s, ((0, 6), (0, width - s.shape[1]), (0, 0)), constant_values=255) for s in sheet
    ]
    write_picture(np.vstack(sheet), path.with_suffix(".jpg"), overwrite=True)


def summarise(suite: str, rows: Sequence[Row]) -> dict[str, dict[str, Mean]]:
    """Means over the photos for each kind of row, and the share of photos made worse.

    Worse is a loss of 0.005 dB over the whole photo; for sharp photos, under 45 dB.
    """
    kinds = sorted({str(row.get("mask", "found")) for row in rows})
    summary: dict[str, dict[str, Mean]] = {}
    for kind in kinds:
        of_kind = [row for row in rows if row.get("mask", "found") == kind]
        columns = {name: [float(row[name]) for row in of_kind] for name in SUMMARY[suite]}
        if suite == "partly":
            worse = [gain < -0.005 for gain in columns["whole gain"]]
        else:
            worse = [score < 45 for score in columns["PSNR"]]
        means = {name: mean_of(values) for name, values in columns.items()}
        summary[kind] = {**means, "made worse": mean_of([float(lost) for lost in worse])}
    return summary


def _summary_table(suite: str, rows: Sequence[Row]) -> list[str]:
    """The means as a table, with the line of doing nothing."""
    summary = summarise(suite, rows)
    first = next(iter(summary.values()))
    lines = ["| mean of photos | " + " | ".join(first) + " |", "|---" * (len(first) + 1) + "|"]
    if suite == "partly":
        lines.append(f"| do nothing | {first['before']} | 0 | 0 | 1 | 0 | 0 |")
    for kind, means in summary.items():
        lines.append(f"| {kind} mask | " + " | ".join(str(mean) for mean in means.values()) + " |")
    return lines


def _strip(images: Sequence[Image]) -> np.ndarray:
    """The busiest detail of each picture, side by side."""
    window = busiest_window(images[0], images[1], share=0.5)
    return beside([quantize(image[window]) for image in images])


def _second(pair: tuple[str, float]) -> float:
    return pair[1]


def _cell(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.3f}"
