"""From file to file, outside the gate every sample stays with all its bits."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tifffile

from selfsharp.cli import main
from selfsharp.formats import by_ending
from selfsharp.image import Photo, read_mask, read_photo, write_photo
from selfsharp.photo_metadata import Metadata
from selfsharp.raster import Layout, Raster, alpha_of, to_image
from selfsharp.restore.photo_file import restore_file
from selfsharp.restore.restorer import Restorer

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
    photo = Photo(to_image(raster), alpha_of(raster), None, Metadata(layout=layout), source)
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


@pytest.mark.parametrize(("ending", "layout"), [*CASES, (".webp", Layout("rgb"))], ids=str)
def test_the_file_is_that_of_the_image_restored(
    tmp_path: Path, made_up: Path, ending: str, layout: Layout
) -> None:
    """A command keeps samples where the API has floats; the very same file comes of both."""
    shape = (48, 64, layout.channels)
    values = np.random.default_rng(5).integers(0, layout.white + 1, shape).astype(layout.dtype)
    source = None if layout.is_image else Raster(values, layout)
    photo = Photo(
        to_image(Raster(values, layout)),
        alpha_of(Raster(values, layout)),
        None,
        Metadata(layout=layout),
        source,
    )
    path, mask = tmp_path / f"a{ending}", tmp_path / "mask.png"
    write_photo(photo, path)
    inside = np.zeros((48, 64), np.uint8)
    inside[7:40, 20:] = 255
    PIL.Image.fromarray(inside).save(mask)
    restorer = Restorer(made_up, threads=1)
    given = restore_file(restorer, path, tmp_path / f"b{ending}", mask=mask, keep_shown=True)
    read = read_photo(path)
    done = restorer.restore(read.image, read_mask(mask, 48, 64))
    write_photo(replace(read, image=done.image), tmp_path / f"c{ending}")
    one, other = ((tmp_path / f"{name}{ending}").read_bytes() for name in "bc")
    assert one == other
    assert given.changed
    assert one != path.read_bytes()
    assert given.share == done.share
    assert given.shown is not None
    np.testing.assert_array_equal(given.shown.maps.gate, done.gate)


@pytest.mark.parametrize("wrong", ["photo.png", "mask.png", "size.png"])
def test_of_a_photo_and_its_mask_the_wrong_one_is_named(
    tmp_path: Path, made_up: Path, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, size in (("photo.png", (64, 48)), ("mask.png", (64, 48)), ("size.png", (64, 40))):
        PIL.Image.new("L", size, 255).save(tmp_path / name)
    if wrong != "size.png":
        (tmp_path / wrong).write_bytes((tmp_path / wrong).read_bytes()[:60])
    mask = tmp_path / wrong.replace("photo", "mask")
    command = ["restore", str(tmp_path / "photo.png"), "--mask", str(mask)]
    assert main([*command, "--model", str(made_up)]) == 2
    told = capsys.readouterr().err.strip()
    assert str(tmp_path / wrong) in told
    assert len(told.splitlines()) == 1
    assert not (tmp_path / "photo-selfsharp.png").exists()


def test_another_reader_sees_the_restored_inks(tmp_path: Path, made_up: Path) -> None:
    inks = np.random.default_rng(1).integers(0, 256, (48, 64, 4), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", inks, photometric="separated")
    PIL.Image.new("L", (64, 48), 255).save(tmp_path / "mask.png")
    command = ["restore", str(tmp_path / "a.tif"), "--mask", str(tmp_path / "mask.png")]
    assert main([*command, "--model", str(made_up), "--threads", "1"]) == 0
    with tifffile.TiffFile(tmp_path / "a-selfsharp.tif") as file:
        assert file.pages.first.photometric.name == "SEPARATED"
        assert (file.asarray() != inks).any()
