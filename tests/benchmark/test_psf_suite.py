"""The suite `psf`: cases are what they say, figures are counted as they are told."""

import numpy as np
import pytest

from selfsharp.benchmark.measure import Record
from selfsharp.benchmark.suites import psf
from selfsharp.benchmark.suites.psf import make_case, measure_case
from selfsharp.blur.psf import extent
from selfsharp.image import read_photo
from selfsharp.restore.restorer import Restorer

FLOWERS = "examples/photos/sharp/flowers.webp"


@pytest.fixture(scope="module")
def sharp(request):
    return read_photo(request.config.rootpath / FLOWERS).image[100:356, 200:520].copy()


def record(similarity, gain, trust=None, side=96.0, extent=10.0) -> Record:
    figures = {"side": side, "root of area": side or 500.0, "extent": extent}
    if similarity is not None:
        figures |= {"similarity": similarity, "gain": gain, "confidence": 0.97}
    if trust is not None:
        figures |= {"trust": trust, "found gain": gain}
    return Record("", "photo", "base", figures, 0.5, 0.01)


def test_a_square_of_the_side_is_blurred_by_a_shake_of_the_extent(sharp):
    case = make_case(sharp, 96, 16.0, [0, 1, 2])
    rows, columns = np.nonzero(case.mask)
    assert np.ptp(rows) == np.ptp(columns) == 95
    assert case.mask.sum() == 96**2
    assert max(extent(case.psf)) == pytest.approx(16, abs=1.1)
    off = np.abs(case.image - sharp).mean(axis=2)
    assert off[case.mask > 0].mean() > 3 * off[case.mask == 0].mean()
    assert off[case.mask == 0].mean() < 2 / 255
    whole = make_case(sharp, 0, 16.0, [0, 1, 2])
    assert whole.mask.all()
    again = make_case(sharp, 96, 16.0, [0, 1, 2])
    np.testing.assert_array_equal(case.image, again.image)


def test_a_large_part_is_measured_and_a_small_one_tells_nothing(sharp):
    restorer = Restorer("base", threads=1)
    figures, seconds = measure_case(restorer, make_case(sharp, 0, 12.0, [0, 0]))
    assert figures["similarity"] > 0.5
    assert figures["gain"] > 0.5
    assert 0.5 <= figures["confidence"] <= 1.0001
    assert 0 < figures["trust"] <= 1
    assert seconds > 0.05
    figures, _ = measure_case(restorer, make_case(sharp, 64, 12.0, [0, 0]))
    assert "similarity" not in figures


def test_six_photos_have_every_side_with_every_extent_once():
    pairs = {
        (side, psf.EXTENTS[(number + place) % len(psf.EXTENTS)])
        for number in range(6)
        for place, side in enumerate(psf.SIDES)
    }
    assert len(pairs) == len(psf.SIDES) * len(psf.EXTENTS)


def test_tables_count_cases_without_an_estimate_apart():
    found = [record(None, None), record(0.5, -1.0), record(0.7, 1.0), record(0.9, 3.0)]
    table = psf._table("", psf._by("side", found))
    told = ["4", "25%", "0.70 [0.60, 0.80]", "+1.00 [+0.00, +2.00]", "67%", "0.50"]
    assert [list(line) for line in table.lines] == [["96", *told], ["all", *told]]
    grid = psf._grid("", [*found, record(0.1, 0.0, side=0.0, extent=40.0)])
    assert [list(line) for line in grid.lines] == [["96", "0.70", "-"], ["whole", "-", "0.10"]]


def test_predictions_are_binned_with_their_counts():
    found = [
        record(0.5, 1.0, trust=0.1),
        record(0.5, -1.0, trust=0.15),
        record(0.5, 2.0, trust=1.0),
        record(0.5, 2.0),
    ]
    binned = psf._binned(found, ("trust", "found gain"))
    assert binned == [(pytest.approx(0.125), 0.5, 2), (1.0, 1.0, 1)]
    (one,) = psf._binned(found, ("confidence", "gain"))
    assert one == (pytest.approx(0.97), 0.75, 4)


def test_sides_that_do_not_fit_a_photo_are_left_out(measure, monkeypatch):
    monkeypatch.setattr(psf, "SIDES", (64, 192, 0))
    _, content = measure("psf", limit=1)
    assert [line["side"] for line in content["figures"]] == [64, 0]
