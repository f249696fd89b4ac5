"""Plots with matplotlib, the `benchmark` extra; without it there are tables alone."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from selfsharp.image import atomic_output

MISSING = "matplotlib is not installed, so there is no plot; pip install 'selfsharp[benchmark]'."
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    Attributes:
        title: what stands above it.
        across: label of the horizontal axis.
        up: label of the vertical axis.
        lines: points (x, y) by the name of their line.
        bands: lower and upper end of an interval (x, low, high), by the same names.
        fits: slope and start of a straight line through the points, by the same names.
        logarithmic: whether the vertical axis is; all values are over 0 then.
        labels: what stands beside each point, by the same names.
        diagonal: whether to show where both axes are equal.
    """

    title: str
    across: str
    up: str
    lines: Mapping[str, Points]
    bands: Mapping[str, Sequence[tuple[float, float, float]]] = field(default_factory=dict)
    fits: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    logarithmic: bool = False
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    diagonal: bool = False


def can_plot() -> bool:
    """Whether matplotlib is installed."""
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError:
        return False
    return True


def draw_panels(panels: Sequence[Panel], path: Path, *, wide: int = 2) -> None:
    """Draws panels into a PNG file, so many beside each other."""
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    columns = min(wide, len(panels))
    rows = -(-len(panels) // columns)
    # Axes of one label have one scale, so that panels can be compared.
    first: dict[str, Axes] = {}
    # A name has one colour in all panels.
    colours: dict[str, str] = {}
    figure = Figure(figsize=(5.2 * columns, 3.7 * rows), layout="constrained")
    for number, panel in enumerate(panels):
        axes = figure.add_subplot(rows, columns, number + 1, sharey=first.get(panel.up))
        first.setdefault(panel.up, axes)
        for name, points in panel.lines.items():
            across, up = zip(*points, strict=True)
            colour = colours.setdefault(name, f"C{len(colours)}")
            fitted = name in panel.fits
            axes.plot(across, up, "o" if fitted else "o-", color=colour, markersize=4, label=name)
            if fitted:
                slope, start = panel.fits[name]
                ends = [0.0, max(across)]
                axes.plot(ends, [start + slope * end for end in ends], color=colour, linewidth=1)
            if name in panel.bands:
                places, low, high = zip(*panel.bands[name], strict=True)
                axes.fill_between(places, low, high, color=colour, alpha=0.15, linewidth=0)
            for place, label in zip(points, panel.labels.get(name, ()), strict=False):
                axes.annotate(label, place, (4, 4), textcoords="offset points", color=colour)
        if panel.diagonal:
            axes.plot([0, 1], [0, 1], "--", color="0.6", linewidth=1)
        axes.set(title=panel.title, xlabel=panel.across, ylabel=panel.up)
        axes.locator_params(axis="x", nbins=6)
        if panel.logarithmic:
            axes.set_yscale("log")
        else:
            axes.axhline(0, color="0.6", linewidth=0.8)
        axes.grid(alpha=0.25)
        if panel.lines:
            axes.legend(fontsize="small")
    drawn = io.BytesIO()
    # Neither date nor version: equal figures give equal files.
    figure.savefig(drawn, format="png", dpi=110, metadata={"Software": None})
    with atomic_output(path, overwrite=True) as temporary:
        temporary.write_bytes(drawn.getvalue())
