"""What a region takes is told beside the slowest program, and a program that failed is named."""

import pytest

from selfsharp.benchmark.programs import Program, Used
from selfsharp.benchmark.region_readings import RegionReading, table_of_regions

SHARP = Used(0.5, 50.0)


def readings(threads=2, sharp=SHARP, **used):
    programs = {name: Program(name, threads, lambda *_: []) for name in used}
    return [
        RegionReading(programs[name], f"photo {number}", 0.4, one, sharp)
        for name, of in used.items()
        for number, one in enumerate(of)
    ]


def test_medians_are_told_and_how_many_times_faster_and_smaller_than_the_slowest():
    quick = [Used(1.0, 100.0), Used(2.0, 90.0), Used(9.0, 80.0)]
    slow = [Used(50.0, 900.0), Used(100.0, 1000.0), Used(120.0, 950.0)]
    table = table_of_regions(readings(quick=quick, slow=slow))
    assert table.lines == [
        ["quick, 2 threads", "3", "2.00", "9.00", "0.50", "1.50", "50.0", "100", "10.0"],
        ["slow, 2 threads", "3", "100.00", "120.00", "0.50", "99.50", "1.0", "1000", "1.0"],
    ]
    assert any("slow, 2 threads" in note for note in table.notes)


@pytest.mark.parametrize("others", [{}, {"other": [Used(1.0, 10.0)]}])
def test_a_program_that_failed_once_has_no_figures(others):
    table = table_of_regions(readings(broken=[Used(1.0, 10.0), Used(error="code 1: no")], **others))
    assert table.lines[0] == ["broken, 2 threads", "2", "code 1: no", *["-"] * 6]
    assert len(table.lines) == 1 + len(others)


def test_a_sharp_photo_that_failed_is_named_too():
    table = table_of_regions(readings(sharp=Used(error="code 2: no"), broken=[Used(1.0, 10.0)]))
    assert table.lines == [["broken, 2 threads", "1", "code 2: no", *["-"] * 6]]


def test_of_a_program_that_is_told_no_mask_no_part_of_the_time_is_the_regions():
    assert table_of_regions(readings(threads=None, other=[Used(9.0, 10.0)])).lines[0][5] == "-"
