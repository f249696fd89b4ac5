"""What tiles change is told as large as it is, and shown twenty times as large."""

import numpy as np
import pytest
from PIL import Image as PillowImage

from selfsharp.benchmark.suites import tiles
from selfsharp.blur.kinds import shake
from selfsharp.blur.regions import everywhere
from selfsharp.image import quantize
from selfsharp.restore.restorer import ONE_PASS, Restorer

STEP = 160


@pytest.fixture
def folder(photo, tmp_path, monkeypatch):
    """One photo of four tiles that see less than they would have to."""
    monkeypatch.setattr(tiles, "STEP", STEP)
    picture = PillowImage.fromarray(quantize(np.tile(photo, (5, 4, 1))))
    picture.save(tmp_path / "photo.png")
    return tmp_path


def test_the_largest_difference_between_tiles_and_one_pass_is_told(folder, measure):
    report, content = measure("tiles", pictures=folder, model=("base",))
    found = {record["row"]: record for record in content["figures"]}
    assert list(found) == ["base, best", "base, fast", "base, network alone"]
    for figures in found.values():
        assert figures["tiles"] == 4
        assert 0 < figures["mean"] < figures["largest"] < 255
        assert 0 <= figures["over 1"] <= 1
        assert (figures["largest"] > 1) == (figures["over 1"] > 0)
        assert f"{figures['largest']:.2f}" in report.read_text(encoding="utf-8")


def test_it_is_what_both_restorations_differ_by(photo):
    image = np.tile(photo, (5, 4, 1))
    psf = shake.psf_of_extent(12.0, np.random.default_rng(0))
    tiled, whole = (Restorer("base", step=step) for step in (STEP, ONE_PASS))
    figures, apart = tiles.differences(tiles.Way("", tiled, whole, told=True), image, psf)
    mask = everywhere(*image.shape[:2])
    one, other = (r.restore(image, mask, psf=psf).image for r in (tiled, whole))
    np.testing.assert_allclose(apart, 255 * np.abs(one - other), rtol=1e-5)
    assert figures["largest"] == apart.max()


def test_a_model_without_use_for_psfs_is_told_none(folder, measure):
    _, content = measure("tiles", pictures=folder)
    (record,) = content["figures"]
    assert record["row"].endswith("network alone")
    # Its answers depend on the next pixels alone.
    assert record["tiles"] == 4
    assert record["largest"] < 0.01
