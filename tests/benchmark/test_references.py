"""What references gain is lost when they are taken away, shuffled, or another photo's."""

import numpy as np
import pytest
from PIL import Image as PillowImage

from selfsharp.benchmark.row import Truth
from selfsharp.benchmark.rows import references
from selfsharp.benchmark.rows.model import rows_of
from selfsharp.blur.kinds import gaussian
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.config import BenchmarkSettings
from selfsharp.image import quantize, read_photo
from selfsharp.metrics import psnr
from selfsharp.model_folder import find_model

FLOWERS = "examples/photos/sharp/flowers.webp"


@pytest.fixture(scope="module")
def gains(request, referring, tmp_path_factory) -> dict[str, float]:
    """Gain of each row in the blurred middle of a photo that repeats every 120 px."""
    photo = read_photo(request.config.rootpath / FLOWERS).image
    tiled = np.tile(photo[120:240, 200:320], (3, 4, 1))
    folder = tmp_path_factory.mktemp("photos")
    for name, image in {"a-itself": tiled, "b-other": photo[240:, :190]}.items():
        PillowImage.fromarray(quantize(image)).save(folder / f"{name}.png")
    psf = gaussian.psf(5.0, np.random.default_rng(0))
    region = np.zeros(tiled.shape[:2], np.float32)
    region[120:240, 170:330] = 1
    camera = Camera(light="display", noise=1 / 255)
    sample = blur_region(tiled, psf, region, camera, np.random.default_rng(1))
    settings = BenchmarkSettings(pictures=folder, model=(str(referring),))
    whole = rows_of(str(referring), 1)[1]
    before = psnr.measure(sample.blurred, tiled, region > 0)
    return {
        row.name: psnr.measure(row.restore(sample.blurred, Truth(sample.mask)), tiled, region > 0)
        - before
        for row in (whole, *references.rows(settings))
    }


def test_references_gain_only_where_they_are_the_photos_own_and_matched(gains):
    added = {name: gain - gains["referring, no references"] for name, gain in gains.items()}
    assert added["referring, mask given"] > 2
    assert added["referring, shuffled references"] < 0
    assert added["referring, foreign references"] < 0.5
    assert added["referring, keys as they are"] < added["referring, mask given"] - 1


def test_a_photo_is_told_from_another_but_not_from_itself_blurred(request):
    photo = read_photo(request.config.rootpath / FLOWERS).image
    soft = np.asarray(PillowImage.fromarray(quantize(photo)).reduce(4).resize((200, 150)))
    small, again, other = (
        references._small(image)
        for image in (photo, soft.astype(np.float32) / np.float32(255), photo[::-1].copy())
    )
    assert small @ again > 0.95
    assert small @ other < references.SAME


def test_a_model_that_asks_for_none_has_no_such_rows():
    settings = BenchmarkSettings(model=(str(find_model("base")),))
    with pytest.raises(ValueError, match=r"asks for no references; leave out --rows references"):
        references.rows(settings)
