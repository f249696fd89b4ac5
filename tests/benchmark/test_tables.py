"""Tables, means, intervals: what is told of the figures."""

import math

import numpy as np
import pytest

from selfsharp.benchmark.measure import Record
from selfsharp.benchmark.row import Line
from selfsharp.benchmark.run import command_of
from selfsharp.benchmark.statistics import Mean, bootstrap_interval, fit_line, gain, mean_of
from selfsharp.benchmark.tables import Column, table_of_cells, table_of_means, table_of_photos
from selfsharp.config import BenchmarkSettings

COLUMNS = (
    Column("PSNR", "PSNR, dB"),
    Column("worse", "worse", ".0%", better="lower"),
    Column("gain", "gain", "+.1f", interval=True),
)
ROWS = (
    Line("do nothing"),
    Line("better"),
    Line("broken"),
    Line("given", told="mask"),
    Line("Wiener", told="blur"),
)


def records() -> list[Record]:
    figures = {
        "do nothing": [(20.0, 0.0, 0.0), (math.inf, 0.0, 0.0)],
        "better": [(22.0, 0.0, 2.0), (26.0, 1.0, 2.0)],
        "given": [(30.0, 0.0, 3.0), (30.0, 0.0, 4.0)],
        "Wiener": [(40.0, 0.0, 9.0), (40.0, 0.0, 9.0)],
    }
    made = [
        Record(
            "cell", f"photo{n}", row, dict(zip(("PSNR", "worse", "gain"), of, strict=True)), s, 2.0
        )
        for row, values in figures.items()
        for n, (of, s) in enumerate(zip(values, (1.0, 3.0), strict=True))
    ]
    ok = Record("cell", "photo0", "broken", {"PSNR": 99.0, "worse": 0.0, "gain": 50.0}, 1.0, 2.0)
    failed = Record("cell", "photo1", "broken", {}, 1.0, 2.0, error="timed out after 2 s")
    return [*made, ok, failed]


GOLDEN = """\
| row | PSNR, dB | worse | gain | s/MP |
| --- | --- | --- | --- | --- |
| do nothing | 20.00 (1 of 2 infinite, left out) | **0%** | +0.0 | 1.00 |
| better | **24.00** | 50% | **+2.0** | 1.00 |
| broken (failed) | - | - | - | - |
| *told the mask* |  |  |  |  |
| given | 30.00 | 0% | +3.5 [+3.0, +4.0] | 1.00 |
| *oracle: told the true PSF and mask* |  |  |  |  |
| Wiener | 40.00 | 0% | +9.0 | 1.00 |

broken failed on 1 of 2 photos: timed out after 2 s."""


def test_a_table_has_the_best_in_bold_and_oracles_apart():
    assert str(table_of_means("", records(), ROWS, COLUMNS, seed=0)) == GOLDEN


def test_a_table_of_photos_has_a_line_for_each():
    table = str(table_of_photos("", records(), ROWS, COLUMNS[0]))
    assert table.splitlines()[2:] == [
        "| photo0 | 20.00 | 22.00 | 99.00 | 30.00 | 40.00 |",
        "| photo1 | inf | 26.00 | - | 30.00 | 40.00 |",
    ]


def test_a_table_of_cells_has_a_column_for_each():
    table = str(table_of_cells("", records(), ROWS, COLUMNS[2], seed=0))
    assert table.splitlines()[0] == "| row | cell |"
    assert "| better | **+2.0** |" in table
    assert table.endswith("broken failed on 1 of 2 photos: timed out after 2 s.")


def test_a_mean_leaves_infinite_values_out_and_says_how_many():
    assert mean_of([40.0, math.inf, 50.0, math.inf]) == Mean(45.0, left_out=2, count=4)
    assert mean_of([40.0, math.inf]).note == " (1 of 2 infinite, left out)"
    assert mean_of([1.0, 2.0]).note == ""
    assert mean_of([math.inf, math.inf]).note == " (all 2)"
    assert mean_of([math.inf, math.inf]).value == math.inf


def test_nothing_is_gained_where_input_and_output_are_the_original():
    assert gain(math.inf, math.inf) == 0
    assert gain(31.0, 30.0) == 1


def test_an_interval_holds_the_mean_as_often_as_it_says():
    generator = np.random.default_rng(0)
    held = 0
    for seed in range(300):
        low, high = bootstrap_interval(list(generator.normal(1.0, 2.0, 40)), seed)
        held += low < 1 < high
    assert 0.88 < held / 300 < 0.99
    assert bootstrap_interval([1.0, 5.0, 2.0], 7) == bootstrap_interval([1.0, 5.0, 2.0], 7)
    assert bootstrap_interval([3.0, math.inf], 0) == (3.0, 3.0)


def test_a_line_is_fitted():
    assert fit_line([0.5, 1.0, 2.0], [2.0, 3.0, 5.0]) == pytest.approx((2.0, 1.0))


def test_the_command_in_a_report_says_all_that_is_not_usual():
    from pathlib import Path

    settings = BenchmarkSettings(
        suite="gopro",
        pictures=Path("my photos"),
        model=("base", "models/new"),
        peer=("x=cp {input} {output}",),
        seen=(),
        rows=("nothing", "model"),
        seed=3,
    )
    assert command_of(settings) == (
        "selfsharp benchmark gopro --pictures 'my photos' --rows nothing model --model base "
        "--model models/new --peer 'x=cp {input} {output}' --seen --seed 3"
    )
