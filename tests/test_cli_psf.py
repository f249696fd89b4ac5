"""`selfsharp psf` shows an estimate, and `restore --psf` takes it, or one's own."""

import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from selfsharp.blur.kinds import shake
from selfsharp.blur.psf import blur_radius, extent
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.cli import main
from selfsharp.image import quantize, read_photo

FLOWERS = Path(__file__).parents[1] / "examples" / "photos" / "sharp" / "flowers.webp"


@pytest.fixture(scope="module")
def shaken() -> tuple[np.ndarray, np.ndarray]:
    """A photo, its middle blurred by a hand shake, and the mask of that."""
    generator = np.random.default_rng(4)
    sharp = read_photo(FLOWERS).image[120:376, 60:380]
    region = np.zeros(sharp.shape[:2], np.float32)
    region[30:-30, 30:-30] = 1
    psf = shake.psf_of_extent(13.0, generator)
    return blur_region(sharp, psf, region, Camera("display"), generator).blurred, region


@pytest.fixture
def folder(shaken, tmp_path, monkeypatch) -> Path:
    """The folder that commands run in."""
    monkeypatch.chdir(tmp_path)
    image, mask = shaken
    PillowImage.fromarray(quantize(image)).save("photo.png")
    PillowImage.fromarray(quantize(image)).save("taken.png")
    PillowImage.fromarray((255 * mask).astype(np.uint8)).save("mask.png")
    PillowImage.fromarray(np.full((80, 96, 3), 90, np.uint8)).save("flat.png")
    Path("taken-psf.npy").write_text("mine")
    np.save("even.npy", np.ones((4, 4)))
    np.save("nan.npy", np.full((3, 3), np.nan))
    np.save("wide.npy", np.ones((1, 201)))
    PillowImage.new("L", (9, 9)).save("black.png")
    PillowImage.new("RGB", (9, 9), "red").save("red.png")
    Path("text.txt").write_text("text\n")
    return tmp_path


def run(command: str) -> int:
    return main(shlex.split(command))


def test_the_estimate_is_written_and_taken_back(folder, capsys):
    assert run("psf photo.png --mask mask.png --threads 1") == 0
    told = capsys.readouterr().out
    psf = np.load("photo-psf.npy")
    assert psf.dtype == np.float32
    assert psf.sum() == pytest.approx(1, abs=1e-4)
    height, width = extent(psf)
    assert f"photo.png: {width} x {height} px, radius {blur_radius(psf):.1f} px, trust 100%" in told
    assert "photo-psf.png, photo-psf.npy" in told
    picture = np.asarray(PillowImage.open("photo-psf.png"))
    # The brightest pixel of the picture is that of the array, enlarged.
    zoom = 480 // psf.shape[0]
    row, column = np.unravel_index(psf.argmax(), psf.shape)
    middle = picture[int((row + 0.5) * zoom), int((column + 0.5) * zoom)]
    light = picture[: zoom * psf.shape[0]].reshape(-1, 3)  # The scale is below.
    np.testing.assert_array_equal(middle, light[light.sum(axis=1, dtype=int).argmax()])

    assert run("restore photo.png --mask mask.png --psf photo-psf.npy --threads 1") == 0
    restored, photo = (read_photo(name).image for name in ("photo-selfsharp.png", "photo.png"))
    outside = np.asarray(PillowImage.open("mask.png")) == 0
    np.testing.assert_array_equal(restored[outside], photo[outside])
    change = np.abs(restored - photo)[~outside].mean()
    assert change > 2 / 255


def test_the_picture_for_people_is_not_taken_for_a_psf(folder, capsys):
    assert run("psf photo.png --mask mask.png --out-dir new --threads 1") == 0
    assert sorted(path.name for path in Path("new").iterdir()) == ["photo-psf.npy", "photo-psf.png"]
    assert run("restore photo.png --mask mask.png --psf new/photo-psf.png --threads 1") == 2
    assert "in colour" in capsys.readouterr().err
    assert not Path("photo-selfsharp.png").exists()


def test_a_grey_picture_of_ones_own_is_undone(folder):
    line = np.zeros((9, 9), np.uint8)
    line[4] = 200
    PillowImage.fromarray(line).save("line.png")
    np.save("line.npy", np.ones((1, 9)))
    for end in ("png", "npy"):
        assert run(f"restore photo.png --mask mask.png --psf line.{end} -o by-{end}.png") == 0
    one, other = (read_photo(f"by-{end}.png").image for end in ("png", "npy"))
    np.testing.assert_array_equal(one, other)
    assert (one != read_photo("photo.png").image).any()


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("psf flat.png", "no blur found"),
        ("psf photo.png --mask black-mask.png", "no blur found"),
        ("psf flat.png --mask flat-mask.png", "tells of no PSF"),
    ],
)
def test_where_there_is_no_estimate_it_says_so_and_writes_nothing(folder, command, told, capsys):
    PillowImage.new("L", (320, 256)).save("black-mask.png")
    mask = np.zeros((80, 96), np.uint8)
    mask[20:60, 20:60] = 255
    PillowImage.fromarray(mask).save("flat-mask.png")
    before = sorted(folder.iterdir())
    assert run(f"{command} --threads 1") == 0
    said = capsys.readouterr()
    assert told in said.out
    assert "nothing is written" in said.out
    assert said.err == ""
    assert sorted(folder.iterdir()) == before


def test_overwrite_replaces_an_estimate(folder):
    assert run("psf taken.png --mask mask.png --overwrite --threads 1") == 0
    assert np.load("taken-psf.npy").ndim == 2


BAD = {
    "psf": "no photo given",
    "psf missing.png": "missing.png",
    "psf text.txt": "text.txt",
    "psf taken.png": "taken-psf.npy exists already",
    "psf photo.png taken.png --mask mask.png": "--mask",
    "psf photo.png --mask red.png": "red.png is 9 x 9",
    "psf photo.png --model bose": "bose",
    "psf photo.png --out-dir text.txt/below": "text.txt/below",
    "restore photo.png --psf missing.npy": "missing.npy",
    "restore photo.png --psf text.txt": "text.txt is no picture",
    "restore photo.png --psf even.npy": "even.npy: psf of 4 x 4",
    "restore photo.png --psf nan.npy": "not finite",
    "restore photo.png --psf black.png": "0 everywhere",
    "restore photo.png --psf red.png": "in colour",
    "restore flat.png --psf wide.npy": "psf of 201 x 201 px is too large",
}


@pytest.mark.parametrize(("command", "named"), BAD.items(), ids=BAD)
def test_bad_input_is_told_in_one_line_and_nothing_is_written(folder, command, named, capsys):
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert run(f"{command} --threads 1") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert said.err.startswith("selfsharp: ")
    assert named in said.err
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_photos_are_told_apart_when_one_is_bad(folder, capsys):
    assert run("psf text.txt flat.png --threads 1") == 2
    said = capsys.readouterr()
    assert "flat.png: no blur found" in said.out
    assert "1 of 2 photos failed" in said.err
