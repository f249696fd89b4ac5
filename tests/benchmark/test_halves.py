"""The halves of the method are measured alone, by the Restorer's own code, and told apart."""

import numpy as np
import pytest

from selfsharp.benchmark.rows import ROWS, choose_rows
from selfsharp.benchmark.suites.table1 import make_scene
from selfsharp.config import BenchmarkSettings
from selfsharp.image import read_photo
from selfsharp.metrics import psnr

FLOWERS = "examples/photos/sharp/flowers.webp"
NAMES = ("nothing", "blind", "model", "fast", "deconvolution_alone", "network_alone")
NAMES += ("psf_given", "wiener")


@pytest.fixture(scope="module")
def rows():
    chosen = choose_rows(BenchmarkSettings(rows=NAMES), ())
    return {row.name: row for row in chosen}


@pytest.fixture(scope="module")
def scene(request):
    sharp = read_photo(request.config.rootpath / FLOWERS).image[100:356, 200:520].copy()
    return make_scene("flowers", sharp, "fully", "shake", [0, 1])


def test_every_half_has_a_name_of_its_own_and_is_told_as_much_as_the_whole(rows):
    told = {name: row.told for name, row in rows.items()}
    assert told == {
        "do nothing": "nothing",
        "blind classical": "nothing",
        "base, mask found": "nothing",
        "base, mask given": "mask",
        "base, fast, mask found": "nothing",
        "base, fast, mask given": "mask",
        "base, deconvolution alone, mask found": "nothing",
        "base, deconvolution alone, mask given": "mask",
        "base, network alone, mask found": "nothing",
        "base, network alone, mask given": "mask",
        "base, PSF given": "blur",
        "Wiener": "blur",
    }


def test_only_the_whole_model_writes_into_its_card(rows):
    whole = {"base, mask found", "base, mask given"}
    assert {name for name, row in rows.items() if row.model} == whole


def test_they_differ_and_knowing_the_psf_gains_most(rows, scene):
    before = psnr.measure(scene.image, scene.sharp)
    gains = {
        name: psnr.measure(rows[name].restore(scene.image, scene.truth), scene.sharp) - before
        for name in (
            "base, mask given",
            "base, fast, mask given",
            "base, deconvolution alone, mask given",
            "base, network alone, mask given",
            "base, PSF given",
        )
    }
    assert len(set(gains.values())) == 5
    assert gains["base, deconvolution alone, mask given"] > 0.5
    assert gains["base, network alone, mask given"] > -0.2
    assert max(gains, key=gains.get) == "base, PSF given"


def test_a_model_without_use_for_a_psf_costs_its_row_and_not_the_run(measure):
    report, content = measure("table1", rows=("nothing", "psf_given"), limit=1)
    errors = [line["error"] for line in content["figures"] if line["row"] == "made-up, PSF given"]
    assert errors
    assert all("no use for a psf" in error for error in errors)
    assert "made-up, PSF given (failed)" in report.read_text(encoding="utf-8")


def test_deconvolution_alone_needs_no_generator_that_takes_proposals(measure):
    _, content = measure("table1", rows=("deconvolution_alone", "network_alone"), limit=1)
    rows = {line["row"] for line in content["figures"]}
    assert {f"made-up, {half} alone, mask given" for half in ("network", "deconvolution")} <= rows
    assert not any("error" in line for line in content["figures"])


def test_the_folder_lists_them():
    assert set(NAMES) <= set(ROWS.names())
    assert np.isin(["deconvolution_alone", "network_alone"], ROWS.names()).all()
