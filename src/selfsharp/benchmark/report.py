"""Reports that people look at: a table in Markdown and a sheet of pictures."""

from collections.abc import Mapping, Sequence
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
        "RGB, 8 bit, peak 255, against itself, 100 dB when equal; `share`: what the gate opened."
    ),
}
SUMMARY = {
    "partly": ("before", "gain", "whole gain", "far identical", "overlap"),
    "identity": ("identical", "PSNR", "share"),
}
SHOWN = 6
"""Photos on the sheet: the worst, the best and those between, evenly."""


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


def summarise(suite: str, rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Means over the photos for each kind of row, and the share of photos made worse.

    Worse is a loss of 0.005 dB over the whole photo; for sharp photos, under 45 dB.
    """
    kinds = sorted({str(row.get("mask", "found")) for row in rows})
    summary: dict[str, dict[str, float]] = {}
    for kind in kinds:
        of_kind = [row for row in rows if row.get("mask", "found") == kind]
        columns = {name: [float(row[name]) for row in of_kind] for name in SUMMARY[suite]}
        if suite == "partly":
            worse = [gain < -0.005 for gain in columns["whole gain"]]
        else:
            worse = [score < 45 for score in columns["PSNR"]]
        means = {name: float(np.mean(values)) for name, values in columns.items()}
        summary[kind] = {**means, "made worse": float(np.mean(worse))}
    return summary


def _summary_table(suite: str, rows: Sequence[Row]) -> list[str]:
    """The means as a table, with the line of doing nothing."""
    summary = summarise(suite, rows)
    first = next(iter(summary.values()))
    lines = ["| mean of photos | " + " | ".join(first) + " |", "|---" * (len(first) + 1) + "|"]
    if suite == "partly":
        lines.append(f"| do nothing | {first['before']:.3f} | 0 | 0 | 1 | 0 | 0 |")
    for kind, means in summary.items():
        lines.append(
            f"| {kind} mask | " + " | ".join(_cell(mean) for mean in means.values()) + " |"
        )
    return lines


def _strip(images: Sequence[Image]) -> np.ndarray:
    """The busiest detail of each picture, side by side."""
    window = busiest_window(images[0], images[1], share=0.5)
    return beside([quantize(image[window]) for image in images])


def _second(pair: tuple[str, float]) -> float:
    return pair[1]


def _cell(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.3f}"
