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
        "the true blur; `overlap` is the intersection over union of gate and true mask."
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
    lines += _summary(suite, rows)
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


def _summary(suite: str, rows: Sequence[Row]) -> list[str]:
    """Means over the photos, one line per kind of row, and the do-nothing line."""
    columns = SUMMARY[suite]
    kinds = sorted({str(row.get("mask", "found")) for row in rows})
    lines = ["| mean of photos | " + " | ".join(columns) + " | made worse |"]
    lines += ["|---" * (len(columns) + 2) + "|"]
    for kind in kinds:
        of_kind = [row for row in rows if row.get("mask", "found") == kind]
        means = [float(np.mean([float(row[column]) for row in of_kind])) for column in columns]
        if suite == "partly":
            worse = np.mean([float(row["whole gain"]) < -0.005 for row in of_kind])
        else:
            worse = np.mean([float(row["PSNR"]) < 45 for row in of_kind])
        cells = [_cell(mean) for mean in means]
        lines.append(f"| {kind} mask | " + " | ".join(cells) + f" | {100 * worse:.0f} % |")
    if suite == "partly":
        before = float(np.mean([float(row["before"]) for row in rows]))
        lines.append(f"| do nothing | {before:.2f} | 0 | 0 | 1 | 0 | 0 % |")
    return lines


def _strip(images: Sequence[Image]) -> np.ndarray:
    """The busiest detail of each picture, side by side."""
    window = busiest_window(images[0], images[1], share=0.5)
    return beside([quantize(image[window]) for image in images])


def _second(pair: tuple[str, float]) -> float:
    return pair[1]


def _cell(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.3f}"
