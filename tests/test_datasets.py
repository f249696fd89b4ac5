"""Data sets on disk: what is found, what is paired, what is held out."""

from pathlib import Path

import pytest

from selfsharp.datasets import (
    MaskedPhoto,
    find_masked_photos,
    find_pairs,
    find_photos,
    held_out,
)


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_photos_are_found_in_every_sub_folder_in_order(tmp_path):
    wanted = [tmp_path / name for name in ("a.PNG", "b/c.jpeg", "b/d/e.webp", "f.tif", "g.JPG")]
    touch(*reversed(wanted))
    touch(tmp_path / "notes.txt", tmp_path / "b/raw.dng", tmp_path / "jpg")
    assert find_photos(tmp_path) == wanted


def test_a_folder_named_like_a_photo_is_none(tmp_path):
    touch(tmp_path / "album.jpg" / "inside.png")
    assert find_photos(tmp_path) == [tmp_path / "album.jpg" / "inside.png"]


def test_masks_are_paired_by_name_whatever_the_format(tmp_path):
    touch(tmp_path / "photo/b.jpg", tmp_path / "photo/a.jpg", tmp_path / "photo/alone.jpg")
    touch(tmp_path / "mask/a.png", tmp_path / "mask/b.png", tmp_path / "mask/other.png")
    assert find_masked_photos(tmp_path) == [
        MaskedPhoto(tmp_path / "photo/a.jpg", tmp_path / "mask/a.png"),
        MaskedPhoto(tmp_path / "photo/b.jpg", tmp_path / "mask/b.png"),
    ]


def test_a_missing_folder_is_refused_in_one_line(tmp_path):
    with pytest.raises(ValueError, match=r"\A.*nowhere is not a folder.*\Z"):
        find_photos(tmp_path / "nowhere")


def test_a_file_instead_of_a_folder_is_refused_in_one_line(tmp_path):
    touch(tmp_path / "a.jpg")
    with pytest.raises(ValueError, match=r"\A.*a\.jpg is not a folder.*\Z"):
        find_photos(tmp_path / "a.jpg")


def test_a_folder_without_photos_is_refused_in_one_line(tmp_path):
    touch(tmp_path / "notes.txt")
    with pytest.raises(ValueError, match=r"\Ano photo in .+\Z"):
        find_photos(tmp_path)


@pytest.mark.parametrize("present", ["photo", "mask"])
def test_a_missing_half_of_the_pairs_is_refused_in_one_line(tmp_path, present):
    touch(tmp_path / present / "a.png")
    with pytest.raises(ValueError, match=r"\A.+ is not a folder.*\Z"):
        find_masked_photos(tmp_path)


def test_masks_without_a_photo_of_their_name_are_refused_in_one_line(tmp_path):
    touch(tmp_path / "photo/a.jpg", tmp_path / "mask/b.png")
    with pytest.raises(ValueError, match=r"\Ano photo in .+ has a mask of its name.+\Z"):
        find_masked_photos(tmp_path)


def test_holding_out_depends_on_the_name_alone():
    names = [f"{number}.jpg" for number in range(500)]
    here = [held_out(Path("here") / name) for name in names]
    there = [held_out(Path("/far/away") / name) for name in names]
    assert here == there
    assert any(here)


@pytest.mark.parametrize("one_in", [4, 32])
def test_about_one_photo_in_so_many_is_held_out(one_in):
    held = sum(held_out(Path(f"IMG_{number:05}.jpg"), one_in) for number in range(8000))
    assert held == pytest.approx(8000 / one_in, rel=0.2)


@pytest.mark.parametrize(
    "layout", ["blurred/{}.png sharp/{}.png", "S1/blur/{}.png S1/sharp/{}.png"]
)
def test_pairs_are_found_by_their_names_in_either_layout(tmp_path, layout):
    for pattern in layout.split():
        for name in ("a", "b"):
            path = tmp_path / pattern.format(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    (tmp_path / layout.split()[0].format("alone")).touch()
    pairs = find_pairs(tmp_path)
    scene = "S1/" if layout.startswith("S1") else ""
    assert [pair.name for pair in pairs] == [f"{scene}a", f"{scene}b"]
    assert all(pair.blurred.stem == pair.sharp.stem for pair in pairs)
    assert all(pair.sharp.parent.name == "sharp" for pair in pairs)
