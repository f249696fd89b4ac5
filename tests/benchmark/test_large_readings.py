"""A large photo, and which programs are asked for it."""

import numpy as np

from selfsharp.benchmark import large_readings
from selfsharp.benchmark.large_readings import (
    EXTENT,
    SHARE,
    LargeReading,
    asked,
    table_of_large,
    write_large,
)
from selfsharp.benchmark.programs import MASK, PHOTO, Program, Used
from selfsharp.image import read_mask, read_photo


def program(name, threads):
    return Program(name, threads, lambda photo, mask, out: [])


def test_the_photo_is_blurred_where_its_mask_says(tmp_path, monkeypatch):
    monkeypatch.setattr(large_readings, "MEGAPIXELS", 0.3)
    image = np.random.default_rng(0).random((150, 200, 3), np.float32)
    write_large(image, 1, tmp_path)
    large = read_photo(tmp_path / PHOTO).image
    height, width = large.shape[:2]
    assert abs(height * width / 0.3e6 - 1) < 0.01
    mask = read_mask(tmp_path / MASK, height, width)
    assert set(np.unique(mask)) == {0, 1}
    assert abs(mask.mean() - SHARE) < 0.03
    fill = [(0, height - 150), (0, width - 200), (0, 0)]
    change = np.abs(large - np.pad(image, fill, "symmetric")).mean(axis=2)
    assert change[mask == 0].mean() < 0.1 * change[mask == 1].mean()
    assert EXTENT > 0


def test_only_our_programs_with_most_threads_are_asked():
    programs = [program("one", 1), program("two", 2), program("other", None), program("too", 2)]
    assert [one.name for one in asked(programs)] == ["two", "too"]
    assert asked([program("other", None)]) == []


def test_the_table_has_a_line_for_each_with_its_fault():
    readings = [
        LargeReading(program("a", 2), Used(61.23, 1401.6)),
        LargeReading(program("b", 2), Used(error="code 2: no")),
    ]
    table = table_of_large(readings)
    assert table.lines == [["a, 2 threads", "61.2", "1402"], ["b, 2 threads", "code 2: no", "-"]]
