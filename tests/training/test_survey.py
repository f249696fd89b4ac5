"""Broken and blurred files among the photos of a training: listed, never fatal."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageFilter

pytest.importorskip("rich")

from selfsharp.blur.sharpness import BLURRED, softness
from selfsharp.recipe import Recipe
from selfsharp.training import survey as module
from selfsharp.training.pool import load_pools
from selfsharp.training.survey import left_out, look_through


@pytest.fixture
def folder(tmp_path):
    """Two sharp photos, one blurred, one cut off in the middle, one that is text, one empty."""
    place = tmp_path / "photos"
    place.mkdir()
    for number in range(2):
        pixels = np.random.default_rng(number).integers(0, 256, (12, 16, 3), dtype=np.uint8)
        sharp = PillowImage.fromarray(pixels).resize((256, 192), PillowImage.Resampling.NEAREST)
        sharp.save(place / f"sharp-{number}.png")
    sharp.filter(ImageFilter.GaussianBlur(2)).save(place / "soft.png")
    whole = (place / "sharp-0.png").read_bytes()
    (place / "cut-off.png").write_bytes(whole[: len(whole) // 2])
    (place / "words.jpg").write_text("no photo")
    (place / "empty.webp").write_bytes(b"")
    return place


def names(paths) -> set[str]:
    return {path.name for path in paths}


@pytest.mark.parametrize("blurred", ["keep", "leave-out"])
def test_what_does_not_serve_is_listed_and_left_out(tmp_path, folder, blurred, capsys):
    recipe = Recipe(pictures=(folder,), blurred=blurred)
    without = left_out(recipe, tmp_path)
    broken = {"cut-off.png", "words.jpg", "empty.webp"}
    assert names(without) == broken | ({"soft.png"} if blurred == "leave-out" else set())
    listing = (tmp_path / "pictures.txt").read_text()
    assert all(name in listing for name in (*broken, "soft.png"))
    assert "sharp-" not in listing
    told = capsys.readouterr().err
    assert "of 6 photos 3 cannot be read" in told
    assert "1 look blurred" in told
    pool, kept_back = load_pools(recipe, without)
    assert len(pool.sharp) + len(kept_back.sharp) >= 2


def test_photos_are_measured_once_and_anew_when_they_change(tmp_path, folder, monkeypatch):
    paths = sorted(folder.iterdir())
    first = look_through(paths, tmp_path / "known.json")
    seen = []
    monkeypatch.setattr(module, "_measure", lambda path: seen.append(path.name) or 0.5)
    assert look_through(paths, tmp_path / "known.json") == first
    assert seen == []
    os.utime(folder / "soft.png", ns=(1, 1))
    assert not look_through(paths, tmp_path / "known.json").blurred
    assert seen == ["soft.png"]
    (tmp_path / "known.json").write_text("{")
    look_through(paths, tmp_path / "known.json")
    assert len(seen) == 7
    assert len(json.loads((tmp_path / "known.json").read_text())) == 6


def test_a_folder_of_broken_files_alone_is_refused_in_one_line(tmp_path, folder):
    for path in folder.iterdir():
        if path.stem in ("sharp-0", "sharp-1", "soft"):
            path.unlink()
    with pytest.raises(ValueError, match=r"\Anone of 3 photos can be used; .+cut-off.+\Z"):
        left_out(replace(Recipe(), pictures=(folder,)), tmp_path)


def test_softness_rises_with_blur_and_a_sharp_subject_is_enough(folder):
    sharp = PillowImage.open(folder / "sharp-0.png")
    found = [soft_of(sharp.filter(ImageFilter.GaussianBlur(r))) for r in (0, 1, 2, 4)]
    assert found == sorted(found)
    assert found[0] < BLURRED < found[2]
    before_soft = sharp.filter(ImageFilter.GaussianBlur(4))
    before_soft.paste(sharp.crop((0, 0, 128, 96)), (64, 48))
    assert soft_of(before_soft) < BLURRED


def soft_of(photo: PillowImage.Image) -> float:
    return softness(np.asarray(photo, np.float32) / np.float32(255))


@pytest.mark.parametrize("size", [(1, 1), (5, 70), (33, 31), (64, 64)])
def test_softness_takes_any_size_and_nothing_to_see_is_soft(size):
    assert softness(np.full((*size, 3), 0.5, np.float32)) == 1.0
    noise = np.random.default_rng(0).random((*size, 3), np.float32)
    assert 0 <= softness(noise) <= 1
