"""The bundled model: what it was measured to do stays so, on any machine."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from selfsharp.benchmark.suites.table1 import shaken_blob
from selfsharp.blur.kinds import shake
from selfsharp.blur.regions import everywhere
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import quantize, read_photo
from selfsharp.metrics import identical, psnr
from selfsharp.restore.restorer import ONE_PASS, STEP, Restorer

ROOT = Path(__file__).parents[1]
GOLDEN = Path(__file__).parent / "golden" / "flowers-restored.png"
"""Made by `python tests/golden/make.py`; to be made anew with every new bundled model."""


@pytest.fixture(scope="module")
def restorer() -> Restorer:
    return Restorer("base")


@pytest.fixture(scope="module")
def flowers():
    return read_photo(ROOT / "examples" / "photos" / "sharp" / "flowers.webp").image


def test_the_demo_photo_is_restored_as_it_was_when_the_model_was_bundled(restorer):
    blurred = read_photo(ROOT / "examples" / "photos" / "flowers-blurred.png").image
    restored = quantize(restorer.restore(blurred).image).astype(int)
    golden = np.asarray(PillowImage.open(GOLDEN)).astype(int)
    difference = np.abs(restored - golden)
    assert difference.max() <= 2
    assert (difference == 0).mean() > 0.98


def test_hand_shake_is_made_better_inside_and_nothing_is_touched_far_off(restorer, flowers):
    gains = []
    for seed in range(5):
        sample = shaken_blob(flowers, [seed, 0])
        inside = sample.blur_map > 0
        result = restorer.restore(sample.blurred, sample.mask)
        before = psnr.measure(sample.blurred, flowers, inside)
        gains.append(psnr.measure(result.image, flowers, inside) - before)
        assert identical.measure(result.image, sample.blurred, ~inside) == 1
    assert np.mean(gains) > 1.5
    # One PSF in ten is estimated wrong, and then a little is lost.
    assert sorted(gains)[1] > 0.5
    assert min(gains) > -1.5


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("quality", ["best", "fast"])
def test_tiles_answer_as_one_whole_pass_does(quality, known):
    street = read_photo(ROOT / "examples" / "photos" / "street.webp").image[:640, :820]
    generator = np.random.default_rng(4)
    psf = shake.psf_of_extent(16.0, generator) if known else None
    mask = everywhere(*street.shape[:2])
    blurred = street
    if known:
        blurred = blur_region(street, psf, mask, Camera("display"), generator).blurred
    tiles, images = [], []
    for step in (STEP, ONE_PASS):
        half = None if known else "network"
        restorer = Restorer("base", quality=quality, alone=half, step=step)
        told = restorer.restore(blurred, mask, progress=lambda _, all_: tiles.append(all_), psf=psf)
        images.append(told.image)
    assert tiles[0] == 4
    assert tiles[-1] == 1
    assert psnr.measure(images[0], blurred) < 45
    assert np.abs(images[0] - images[1]).max() <= 1 / 255


def test_a_sharp_photo_is_left_alone(restorer, flowers):
    result = restorer.restore(flowers)
    assert identical.measure(result.image, flowers) > 0.97
    assert psnr.measure(result.image, flowers) > 45


def test_the_card_carries_measured_figures_and_how_to_measure_them(restorer):
    scores = restorer.card.scores
    commands = [value for name, value in scores.items() if name.endswith("command")]
    assert commands
    assert all(command.startswith("selfsharp benchmark ") for command in commands)
    assert any(name.endswith("date") for name in scores)
    gains = [
        value for name, value in scores.items() if "mask found" in name or "found mask" in name
    ]
    assert sum(isinstance(value, float) for value in gains) >= 5
