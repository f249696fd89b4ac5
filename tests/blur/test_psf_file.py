"""PSFs are read from arrays and grey pictures; what holds none is refused in one line."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from selfsharp.blur.kinds import shake
from selfsharp.blur.psf import as_psf
from selfsharp.blur.psf_file import LONGEST, read_psf, write_psf


@pytest.fixture(scope="module")
def psf() -> np.ndarray:
    return shake.psf_of_extent(11.0, np.random.default_rng(1))


def test_what_is_written_is_read_again(psf, tmp_path):
    path = tmp_path / "psf.npy"
    write_psf(psf, path)
    np.testing.assert_allclose(read_psf(path), psf, atol=1e-7)
    raw = np.load(path)
    assert raw.dtype == np.float32
    assert raw.sum() == pytest.approx(1, abs=1e-5)
    with pytest.raises(ValueError, match="exists already"):
        write_psf(psf, path)


PICTURES = {
    "grey.png": lambda light: (255 * light).astype(np.uint8),
    "deep.png": lambda light: (65535 * light).astype(np.uint16),
    "grey.tif": lambda light: (255 * light).astype(np.uint8),
    "deep.tif": lambda light: (65535 * light).astype(np.uint16),
    "float.tif": lambda light: light.astype(np.float32),
    "three-channels.png": lambda light: (255 * light[:, :, None]).repeat(3, 2).astype(np.uint8),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_grey_picture_is_a_psf_of_its_brightness(psf, tmp_path, name):
    light = PICTURES[name](psf / psf.max())
    PillowImage.fromarray(light).save(tmp_path / name)
    found = read_psf(tmp_path / name)
    plane = light if light.ndim == 2 else light[:, :, 0]
    np.testing.assert_allclose(found, as_psf(plane), atol=1e-7)
    if "grey" not in name and "three" not in name:
        np.testing.assert_allclose(found, psf, atol=1e-4)


def test_an_array_of_any_kind_and_any_frame_is_a_psf(psf, tmp_path):
    np.save(tmp_path / "wide.npy", np.pad(1000.0 * psf, ((6, 0), (2, 4))))
    np.testing.assert_allclose(read_psf(tmp_path / "wide.npy"), psf, atol=1e-7)


@pytest.fixture
def folder(tmp_path, psf) -> Path:
    """Files that hold no PSF."""
    np.save(tmp_path / "negative.npy", -psf)
    np.save(tmp_path / "nan.npy", psf * np.nan)
    np.save(tmp_path / "even.npy", np.ones((4, 4)))
    np.save(tmp_path / "colours.npy", np.ones((3, 3, 3)))
    np.save(tmp_path / "objects.npy", np.array([{}, []], object), allow_pickle=True)
    np.save(tmp_path / "none.npy", np.ones((0, 0)))
    np.save(tmp_path / "vast.npy", np.ones((1, LONGEST + 1), bool))
    np.savez(tmp_path / "several.npz", psf, psf)
    (tmp_path / "several.npz").rename(tmp_path / "several.npy")
    (tmp_path / "text.npy").write_text("not an array\n")
    (tmp_path / "empty.npy").touch()
    header = (tmp_path / "negative.npy").read_bytes()[:128]
    (tmp_path / "cut.npy").write_bytes(header)
    PillowImage.new("L", (9, 9)).save(tmp_path / "black.png")
    PillowImage.new("RGB", (9, 9), "red").save(tmp_path / "red.png")
    PillowImage.new("L", (8, 9), 9).save(tmp_path / "even.png")
    PillowImage.new("CMYK", (9, 9), (1, 2, 3, 4)).save(tmp_path / "ink.tif")
    PillowImage.new("L", (LONGEST + 1, 1), 9).save(tmp_path / "vast.png")
    PillowImage.new("L", (9, 9), 9).save(tmp_path / "grey.jpg")
    PillowImage.effect_noise((99, 99), 50).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:900])
    (tmp_path / "text.png").write_text("not a picture\n")
    (tmp_path / "folder.png").mkdir()
    return tmp_path


BAD = {
    "missing.npy": "no file",
    "folder.png": "no file",
    "negative.npy": "psf has a weight of -",
    "nan.npy": "not finite",
    "even.npy": "4 x 4",
    "colours.npy": "(3, 3, 3)",
    "objects.npy": "no array",
    "none.npy": "0 x 0",
    "vast.npy": "larger than any PSF",
    "several.npy": "several arrays",
    "text.npy": "no array",
    "empty.npy": "no array",
    "cut.npy": "no array",
    "black.png": "0 everywhere",
    "red.png": "in colour",
    "even.png": "9 x 8",
    "ink.tif": "in colour",
    "vast.png": "larger than any PSF",
    "grey.jpg": "no picture that can be read",
    "cut.png": "no picture that can be read",
    "text.png": "no picture that can be read",
}


@pytest.mark.parametrize("name", BAD)
def test_what_holds_no_psf_is_refused_in_one_line(folder, name):
    with pytest.raises(ValueError, match=r"\A.+; .*give .+\Z") as caught:
        read_psf(folder / name)
    assert BAD[name] in str(caught.value)
    assert name in str(caught.value)
