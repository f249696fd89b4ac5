"""The command line does what it is told, and tells in one line what it cannot do."""

import shlex
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from selfsharp.blur.kinds import KINDS
from selfsharp.cli import main
from selfsharp.image import quantize, read_photo


@pytest.fixture
def folder(photo, tmp_path, monkeypatch) -> Path:
    """The folder that commands run in: photos, masks, and files that only look like them."""
    monkeypatch.chdir(tmp_path)
    pixels = quantize(photo)
    height, width = pixels.shape[:2]
    for name in ("photo.png", "second.png", "third.png", "photo.jpg", "taken.png"):
        PillowImage.fromarray(pixels).save(name)
    shutil.copy("taken.png", "taken-selfsharp.png")
    shutil.copy("taken.png", "taken-blurmap.tif")
    shutil.copy("taken.png", "taken-blurred-map.tif")
    mask = np.zeros((height, width), np.uint8)
    PillowImage.fromarray(mask).save("black.png")
    PillowImage.fromarray(mask[1:]).save("small-mask.png")
    PillowImage.fromarray(mask + 255).save("white.png")
    mask[:, width // 2 :] = 255
    PillowImage.fromarray(mask).save("half.png")
    thing = np.dstack([pixels, mask])[20:50, 20:70]
    PillowImage.fromarray(thing).save("thing.png")
    Path("empty.png").touch()
    Path("text.jpg").write_text("not a picture\n")
    Path("cut.jpg").write_bytes(Path("photo.jpg").read_bytes()[:700])
    Path("file.txt").write_text("a file\n")
    Path("folder.png").mkdir()
    Path("no-pictures").mkdir()
    return tmp_path


def run(command: str) -> int:
    """Runs a command in this process: ``run("models")`` is ``selfsharp models``."""
    return main(shlex.split(command))


def tree(folder: Path) -> dict[str, bytes | None]:
    """Every file below a folder with its content, and every folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def written(folder: Path, before: dict[str, bytes | None]) -> list[str]:
    """What is new; what was there before is proven to be as it was."""
    after = tree(folder)
    assert {name: after.get(name) for name in before} == before
    return sorted(set(after) - set(before))


def pixels(path: str | Path) -> np.ndarray:
    with PillowImage.open(path) as picture:
        return np.asarray(picture).astype(int)


def test_the_version_is_that_of_the_package(capsys):
    assert run("--version") == 0
    assert capsys.readouterr().out == f"selfsharp {metadata.version('selfsharp')}\n"


@pytest.mark.parametrize("name", ["photo.png", "photo.jpg"])
def test_restore_writes_beside_the_photo_under_a_name_of_its_own(folder, name, made_up, capsys):
    before = tree(folder)
    assert run(f"restore {name} --mask white.png --model {made_up} --threads 1") == 0
    out = name.replace(".", "-selfsharp.")
    assert written(folder, before) == [out]
    assert pixels(out).shape == pixels(name).shape
    captured = capsys.readouterr()
    assert f"{name}: 100 % of the photo restored" in captured.out
    assert out in captured.out
    assert captured.err == ""


def test_restore_without_a_mask_finds_the_blur_itself(folder):
    assert run("restore photo.png --threads 1") == 0
    assert pixels("photo-selfsharp.png").shape == pixels("photo.png").shape


@pytest.mark.parametrize("flag", ["-o", "--out"])
def test_out_names_the_file(folder, flag):
    before = tree(folder)
    assert run(f"restore photo.png {flag} mine.tif --mask white.png --threads 1") == 0
    assert written(folder, before) == ["mine.tif"]
    with PillowImage.open("mine.tif") as picture:
        assert picture.format == "TIFF"


def test_out_dir_is_made_and_takes_every_photo(folder):
    before = tree(folder)
    command = "restore photo.png second.png --out-dir new/results --strength 0 --threads 1"
    assert run(command) == 0
    names = ["photo-selfsharp.png", "second-selfsharp.png"]
    assert written(folder, before) == ["new", "new/results", *(f"new/results/{n}" for n in names)]


def test_outside_the_mask_the_written_file_has_the_pixels_of_the_photo(folder, made_up):
    assert run(f"restore photo.png --mask half.png --model {made_up} --threads 1") == 0
    outside = pixels("half.png") == 0
    photo, restored = pixels("photo.png"), pixels("photo-selfsharp.png")
    np.testing.assert_array_equal(restored[outside], photo[outside])
    assert (restored != photo).any()


def test_strength_says_how_far_to_go(folder, made_up):
    for strength in ("0.5", "1"):
        command = f"restore photo.png --mask white.png --strength {strength} --model {made_up}"
        assert run(f"{command} -o {strength}.png") == 0
    photo, half, full = (pixels(name) for name in ("photo.png", "0.5.png", "1.png"))
    unclipped = (full > 0) & (full < 255)
    assert np.abs(2 * (half - photo) - (full - photo))[unclipped].max() <= 2
    assert (full != photo).any()


def test_compare_draws_input_map_and_restored_side_by_side(folder):
    before = tree(folder)
    assert run("restore photo.png --mask half.png --compare --out-dir new --threads 1") == 0
    names = ["new", "new/photo-compare.png", "new/photo-selfsharp.png"]
    assert written(folder, before) == names
    assert pixels("new/photo-compare.png").shape[1] > 3 * pixels("photo.png").shape[1]


def test_explain_draws_where_references_came_from(folder, referring):
    tiled = np.tile(pixels("photo.png"), (3, 3, 1)).astype(np.uint8)
    mask = np.zeros(tiled.shape[:2], np.uint8)
    mask[80:120, 90:150] = 255
    psf = np.full((1, 5), 0.2)
    moved = sum(0.2 * np.roll(tiled, step, axis=1) for step in range(-2, 3))
    blurred = np.where(mask[:, :, None] > 0, np.rint(moved), tiled).astype(np.uint8)
    PillowImage.fromarray(blurred).save("tiled.png")
    PillowImage.fromarray(mask).save("part.png")
    np.save("psf.npy", psf)
    before = tree(folder)
    words = f"restore tiled.png --mask part.png --psf psf.npy --model {referring} --out-dir new"
    assert run(f"{words} --explain") == 0
    assert written(folder, before) == ["new", "new/tiled-references.png", "new/tiled-selfsharp.png"]
    drawn = pixels("new/tiled-references.png").astype(int)
    assert drawn.shape == tiled.shape
    assert np.ptp(drawn[mask > 0], axis=1).max() > 60
    assert (np.ptp(drawn[mask == 0], axis=1) == 0).mean() > 0.2
    assert run(f"{words} --explain") == 2


def test_a_model_without_references_has_nothing_to_explain(folder, capsys):
    before = tree(folder)
    assert run("restore photo.png --mask half.png --explain --out-dir new --threads 1") == 2
    assert "base refers to no sharp part to explain; leave --explain out" in capsys.readouterr().err
    assert written(folder, before) == ["new"]


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 2)])
def test_tiny_photos_can_be_restored_compared_mapped_and_blurred(folder, size):
    PillowImage.fromarray(np.full((*size, 3), 90, np.uint8)).save("tiny.png")
    PillowImage.fromarray(np.full(size, 255, np.uint8)).save("mask.png")
    assert run("restore tiny.png --mask mask.png --compare --threads 1") == 0
    assert run("map tiny.png --threads 1") == 0
    assert run("blur tiny.png") == 0
    assert pixels("tiny-selfsharp.png").shape == pixels("tiny-blurred.png").shape == (*size, 3)


@pytest.mark.parametrize("name", ["photo.png", "photo.jpg"])
@pytest.mark.parametrize("how", ["--strength 0", "--mask black.png"])
def test_where_nothing_is_restored_the_file_is_copied_byte_for_byte(folder, name, how, capsys):
    assert run(f"restore {name} {how} --threads 1") == 0
    out = name.replace(".", "-selfsharp.")
    assert Path(out).read_bytes() == Path(name).read_bytes()
    assert "nothing to restore, the photo is unchanged" in capsys.readouterr().out


def test_overwrite_replaces_an_output(folder):
    other = Path("taken-selfsharp.png")
    other.write_text("old")
    assert run("restore taken.png --strength 0 --overwrite --threads 1") == 0
    assert other.read_bytes() == Path("taken.png").read_bytes()


def test_overwrite_replaces_even_the_photo_itself(folder):
    command = "restore photo.png --mask white.png --threads 1"
    assert run(f"{command} -o elsewhere.png") == 0
    assert run(f"{command} -o photo.png --overwrite") == 0
    assert Path("photo.png").read_bytes() == Path("elsewhere.png").read_bytes()


def test_in_place_a_photo_without_blur_keeps_its_bytes(folder):
    before = Path("photo.jpg").read_bytes()
    command = "restore photo.jpg -o ./photo.jpg --overwrite --mask black.png --threads 1"
    assert run(command) == 0
    assert Path("photo.jpg").read_bytes() == before


def test_a_bad_photo_does_not_stop_the_others(folder, capsys):
    before = tree(folder)
    command = "restore photo.png text.jpg second.png --out-dir new --strength 0 --threads 1"
    assert run(command) == 2
    names = ["new", "new/photo-selfsharp.png", "new/second-selfsharp.png"]
    assert written(folder, before) == names
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2
    assert "text.jpg" in told[0]
    assert "1 of 3 photos failed" in told[1]


@pytest.mark.parametrize("name", ["[bold]odd[red].png", "a :smile: b.png", "ünï çödé.png"])
def test_odd_file_names_are_told_as_they_are(folder, name, capsys):
    shutil.copy("photo.png", name)
    assert main(["restore", name, "--strength", "0", "--threads", "1"]) == 0
    assert f"{name}: nothing to restore" in capsys.readouterr().out
    assert main(["restore", name, "--strength", "0", "--threads", "1"]) == 2
    assert name.replace(".png", "-selfsharp.png") in capsys.readouterr().err


def test_map_writes_a_picture_and_a_float_tiff_of_the_photos_size(folder, capsys):
    before = tree(folder)
    assert run("map photo.png second.png --out-dir new --threads 1") == 0
    names = [f"new/{name}-blurmap.{end}" for name in ("photo", "second") for end in ("png", "tif")]
    assert written(folder, before) == ["new", *names]
    height, width = pixels("photo.png").shape[:2]
    with PillowImage.open("new/photo-blurmap.tif") as plane:
        assert plane.mode == "F"
        assert plane.size == (width, height)
        assert np.asarray(plane).min() >= 0
    assert pixels("new/photo-blurmap.png").shape[1] == width
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_map_writes_beside_the_photo(folder):
    before = tree(folder)
    assert run("map photo.png --threads 1") == 0
    assert written(folder, before) == ["photo-blurmap.png", "photo-blurmap.tif"]


@pytest.mark.parametrize("region", ["everywhere", "blob", "half-plane", "cutout"])
@pytest.mark.parametrize("kind", KINDS.names())
def test_blur_writes_photo_mask_and_map_the_same_for_the_same_seed(folder, kind, region):
    before = tree(folder)
    command = f"blur photo.png --kind {kind} --region {region} --cutout thing.png --seed 3"
    assert run(f"{command} -o one.png") == 0
    names = ["one-map.tif", "one-mask.png", "one.png"]
    assert written(folder, before) == names
    assert run(f"{command} -o two.png") == 0
    for name in names:
        assert Path(name).read_bytes() == Path(name.replace("one", "two")).read_bytes()
    with PillowImage.open("one-map.tif") as plane:
        radius = np.asarray(plane)
    blurred = pixels("one-mask.png") == 255
    np.testing.assert_array_equal(blurred.all(axis=2), radius > 0)
    assert blurred.any()
    assert (pixels("one.png") != pixels("photo.png")).any()


def test_another_seed_blurs_otherwise(folder):
    for seed in (1, 2):
        assert run(f"blur photo.png --seed {seed} -o {seed}.png") == 0
    assert (pixels("1.png") != pixels("2.png")).any()


@pytest.mark.parametrize(
    "flag",
    [
        "--gamma 1.8",
        "--contrast 0.5",
        "--exposure -1",
        "--shot-noise 0.05",
        "--read-noise 0.02",
        "--chroma-blur 1",
        "--jpeg-quality 80 --chroma-subsampling 4:4:4",
    ],
)
def test_every_part_of_the_camera_changes_the_photo(folder, flag):
    plain = "--noise 0 --jpeg-quality 80" if "jpeg" in flag else "--noise 0"
    assert run(f"blur photo.png {plain} -o plain.png") == 0
    assert run(f"blur photo.png --noise 0 {flag} -o camera.png") == 0
    assert (pixels("plain.png") != pixels("camera.png")).mean() > 0.1


def test_blur_writes_beside_the_photo(folder):
    before = tree(folder)
    assert run("blur photo.jpg") == 0
    names = ["photo-blurred-map.tif", "photo-blurred-mask.png", "photo-blurred.png"]
    assert written(folder, before) == names


def test_the_mask_that_blur_writes_is_one_that_restore_reads(folder):
    assert run("blur photo.png --noise 0 --radius 2") == 0
    command = "restore photo-blurred.png --mask photo-blurred-mask.png --threads 1"
    assert run(command) == 0
    sharp = pixels("photo-blurred-mask.png").max(axis=2) == 0
    assert sharp.any()
    np.testing.assert_array_equal(
        pixels("photo-blurred-selfsharp.png")[sharp], pixels("photo.png")[sharp]
    )


def test_models_lists_the_bundled_models(folder, capsys):
    assert run("models") == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("base (") and "MB" in line for line in lines)


def test_benchmark_writes_a_report_and_shows_it(folder, capsys):
    Path("pictures").mkdir()
    shutil.copy("photo.png", "pictures/one.png")
    command = "benchmark identity --pictures pictures --out-dir new/results --threads 1"
    assert run(command) == 0
    names = ["identity.jpg", "identity.json", "identity.md"]
    assert sorted(path.name for path in Path("new/results").iterdir()) == names
    assert Path("new/results/identity.md").read_text() in capsys.readouterr().out


BAD = {
    "restore": "no photo given",
    "restore missing.jpg": "missing.jpg",
    "restore empty.png": "empty.png is empty",
    "restore text.jpg": "text.jpg is not a picture",
    "restore cut.jpg": "cut.jpg is damaged",
    "restore folder.png": "folder.png is a folder",
    "restore photo.png --mask small-mask.png": "small-mask.png is 80 x 63",
    "restore photo.png --mask missing.png": "missing.png",
    "restore photo.png --mask text.jpg": "text.jpg",
    "restore photo.png second.png --mask black.png": "--mask",
    "restore photo.png --strength 1.5": "1.5",
    "restore photo.png --strength -1": "-1",
    "restore photo.png --strength nan": "nan",
    "restore photo.png --out-dir file.txt": "file.txt",
    "restore photo.png --out-dir file.txt/below": "file.txt/below",
    "restore photo.png -o file.txt/photo.png": "file.txt",
    "restore photo.png -o missing/photo.png": "missing",
    "restore photo.png -o photo.xyz": "photo.xyz",
    "restore photo.png -o photo": "photo names no known format",
    f"restore photo.png -o {300 * 'x'}.png": "xxx.png",
    f"restore {300 * 'x'}.png": "xxx",
    "restore photo.png --model bose": "'bose'; choose one of: base",
    "restore photo.png --model no-pictures": "no-pictures",
    "restore photo.png second.png -o out.png": "--out ",
    "restore photo.png -o out.png --out-dir new": "exclude each other",
    "restore photo.png -o photo.png": "photo.png exists already",
    "restore taken.png": "taken-selfsharp.png exists already",
    "map": "no photo given",
    "map missing.jpg": "missing.jpg",
    "map text.jpg": "text.jpg",
    "map photo.png --model bose": "bose",
    "map photo.png --out-dir file.txt/below": "file.txt/below",
    "map taken.png": "taken-blurmap.tif exists already",
    "blur": "no photo given",
    "blur missing.jpg": "missing.jpg",
    "blur text.jpg": "text.jpg",
    "blur photo.png --kind wobble": "'wobble'; choose one of: defocus",
    "blur photo.png --radius -1": "-1",
    "blur photo.png --radius nan": "nan",
    "blur photo.png --share 0": "share 0",
    "blur photo.png --noise 2": "2",
    "blur photo.png --saturation 0.5": "0.5",
    "blur photo.png --jpeg-quality 0": "0",
    "blur photo.png --exposure 9": "--exposure 9 is out of range",
    "blur photo.png --shot-noise -1": "--shot-noise -1",
    "blur photo.png --read-noise 2": "--read-noise 2",
    "blur photo.png --chroma-blur 11": "--chroma-blur 11",
    "blur photo.png --gamma 0.5": "gamma 0.5 is out of range",
    "blur photo.png --contrast 1": "contrast 1 is out of range",
    "blur photo.png --jpeg-quality 96": "96",
    "blur photo.png --region cutout": "--cutout",
    "blur photo.png --region cutout --cutout second.png": "second.png has no alpha",
    "blur photo.png --seed -1": "-1",
    "blur photo.png -o file.txt/out.png": "file.txt",
    "blur photo.png -o photo.png": "photo.png exists already",
    "blur taken.png": "taken-blurred-map.tif exists already",
    "benchmark": "--pictures",
    "benchmark identity --pictures missing": "missing",
    "benchmark identity --pictures no-pictures": "no photo in no-pictures",
    "benchmark identity --pictures folder.png": "no photo in folder.png",
    "benchmark identity --pictures . --model bose": "'bose'; choose one of: base",
    "benchmark nonsense --pictures .": "'nonsense'; choose one of: gopro",
    "benchmark identity --pictures . --rows magic": "'magic'; choose one of: blind",
    "benchmark identity --pictures . --model base --model base": "two rows",
    "benchmark identity --pictures . --limit 0": "--limit 0",
    "benchmark identity --pictures . --crop 8": "--crop 8",
    "benchmark identity --pictures . --jobs 0": "--jobs 0",
    "benchmark identity --pictures . --peer nonsense": "'nonsense' lacks a name",
    "benchmark gopro --pictures no-pictures": "no pairs in no-pictures",
    "benchmark map --pictures no-pictures": "no-pictures/mask",
    "benchmark identity --pictures . --out-dir file.txt/below": "file.txt/below",
    "train": "no recipe given",
    "train missing.toml": "missing.toml",
    "train file.txt": "file.txt",
    "export": "--detector",
    "losses": "no run given",
    "losses .": "has no log.jsonl",
    "losses . file.txt": "--out FILE",
}


@pytest.mark.parametrize(("command", "named"), BAD.items(), ids=[command[:60] for command in BAD])
def test_bad_input_is_told_in_one_line_and_nothing_is_written(folder, command, named, capsys):
    before = tree(folder)
    assert run(command) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert captured.err.startswith("selfsharp: ")
    assert named in captured.err
    assert written(folder, before) == []


@pytest.mark.parametrize(
    "command",
    [
        "",
        "sharpen photo.png",
        "restore photo.png --sharpness 3",
        "restore photo.png --strength much",
        "blur photo.png --region corner",
    ],
)
def test_what_cannot_be_understood_ends_with_exit_code_2(folder, command):
    before = tree(folder)
    with pytest.raises(SystemExit) as caught:
        run(command)
    assert caught.value.code == 2
    assert written(folder, before) == []


@pytest.mark.parametrize("command", ["--help", "restore --help", "blur --help", "train --help"])
def test_help_is_printed(folder, command, capsys):
    with pytest.raises(SystemExit) as caught:
        run(command)
    assert caught.value.code == 0
    assert "selfsharp" in capsys.readouterr().out


def test_every_blur_kind_is_named_in_the_help(folder, capsys):
    with pytest.raises(SystemExit):
        run("blur --help")
    told = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert all(kind in told for kind in KINDS.names())


def python_m(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-m", "selfsharp", *shlex.split(command)]
    return subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)


def test_python_m_selfsharp_is_the_same_command(folder):
    result = python_m("restore photo.png --mask half.png --threads 1", folder)
    assert (result.returncode, result.stderr) == (0, "")
    assert "photo-selfsharp.png" in result.stdout
    outside = pixels("half.png") == 0
    restored = read_photo("photo-selfsharp.png").image
    np.testing.assert_array_equal(restored[outside], read_photo("photo.png").image[outside])


def test_python_m_selfsharp_fails_without_a_traceback(folder):
    result = python_m("restore missing.jpg --threads 1", folder)
    assert (result.returncode, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert "missing.jpg" in result.stderr
