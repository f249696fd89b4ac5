"""From file to file, outside the gate every sample stays with all its bits."""

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tifffile

from selfsharp.cli import main
from selfsharp.formats import by_ending
from selfsharp.image import Photo, write_photo
from selfsharp.photo_metadata import Metadata
from selfsharp.raster import Layout, Raster, to_image

CASES = [
    (".png", Layout("rgb", "none", 16)),
    (".png", Layout("grey", "straight", 16)),
    (".png", Layout("rgb", "straight", 8)),
    (".tif", Layout("grey", "none", 16)),
    (".tif", Layout("rgb", "premultiplied", 16)),
    (".tif", Layout("cmyk", "none", 8)),
    (".tif", Layout("cmyk", "straight", 16)),
]


def samples(path: Path) -> np.ndarray:
    with path.open("rb") as file:
        return by_ending()[path.suffix].read(file, 1e6)[0].samples


@pytest.mark.parametrize(("ending", "layout"), CASES, ids=str)
def test_outside_the_gate_every_sample_stays(
    tmp_path: Path, made_up: Path, ending: str, layout: Layout
) -> None:
    generator = np.random.default_rng(4)
    shape = (48, 64, layout.channels)
    values = generator.integers(0, layout.white + 1, shape).astype(layout.dtype)
    raster = Raster(values, layout)
    source = None if layout.is_image else raster
    photo = Photo(*to_image(raster), None, Metadata(layout=layout), source)
    write_photo(photo, tmp_path / f"a{ending}")
    mask = np.zeros((48, 64), np.uint8)
    mask[:, 40:] = 255
    PIL.Image.fromarray(mask).save(tmp_path / "mask.png")
    command = ["restore", str(tmp_path / f"a{ending}"), "--mask", str(tmp_path / "mask.png")]
    assert main([*command, "--model", str(made_up), "--threads", "1"]) == 0

    restored = samples(tmp_path / f"a-selfsharp{ending}")
    outside = mask == 0
    np.testing.assert_array_equal(restored[outside], values[outside])
    inside = restored[~outside]
    assert (inside != values[~outside]).any()
    if layout.alpha != "none":
        np.testing.assert_array_equal(restored[:, :, -1], values[:, :, -1])
    if layout.depth == 16:
        assert len(np.unique(inside & 0xFF)) > 50  # Not restored through 8 bits.


def test_another_reader_sees_the_restored_inks(tmp_path: Path, made_up: Path) -> None:
    inks = np.random.default_rng(1).integers(0, 256, (48, 64, 4), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", inks, photometric="separated")
    PIL.Image.new("L", (64, 48), 255).save(tmp_path / "mask.png")
    command = ["restore", str(tmp_path / "a.tif"), "--mask", str(tmp_path / "mask.png")]
    assert main([*command, "--model", str(made_up), "--threads", "1"]) == 0
    with tifffile.TiffFile(tmp_path / "a-selfsharp.tif") as file:
        assert file.pages.first.photometric.name == "SEPARATED"
        assert (file.asarray() != inks).any()
