"""Restoring needs none of what training needs; and importing the package needs next to nothing."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image as PillowImage

from selfsharp.image import quantize

ROOT = Path(__file__).resolve().parent.parent
ABSENT = (
    "torch",
    "onnx",
    "onnxscript",
    "safetensors",
    "pydantic",
    "scipy",
    "skimage",
    "tifffile",
    "beartype",
    "matplotlib",
    "fastapi",
    "starlette",
    "uvicorn",
)
LIGHT = f"""
import sys

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {ABSENT!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, NotInstalled())
"""
COMMAND = "from selfsharp.cli import main; sys.exit(main())"


@pytest.fixture
def folder(photo, tmp_path) -> Path:
    (tmp_path / "pictures").mkdir()
    PillowImage.fromarray(quantize(photo)).save(tmp_path / "pictures" / "photo.png")
    return tmp_path


def run(code: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs Python as in an install without the extras."""
    command = [sys.executable, "-c", f"{LIGHT}\n{code}", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_library_restores(folder):
    code = """
import numpy as np
import selfsharp
photo = selfsharp.read_photo("pictures/photo.png")
mask = np.ones(photo.image.shape[:2], np.float32)
result = selfsharp.Restorer(threads=1).restore(photo.image, mask)
print(result.image.shape, result.share)
"""
    result = run(code, folder=folder)
    assert (result.returncode, result.stderr) == (0, "")
    height, width, channels, share = result.stdout.split()
    assert (height, width, channels) == ("(64,", "80,", "3)")
    assert 0 <= float(share) <= 1


@pytest.mark.parametrize(
    ("command", "told", "written"),
    [
        ("--help", "restore", []),
        ("models", "base (", []),
        (
            "restore pictures/photo.png --compare --threads 1",
            "photo-selfsharp.png",
            ["pictures/photo-selfsharp.png", "pictures/photo-compare.png"],
        ),
        ("map pictures/photo.png --threads 1", "photo-blurmap", ["pictures/photo-blurmap.tif"]),
        ("blur pictures/photo.png", "photo-blurred", ["pictures/photo-blurred.png"]),
        (
            "benchmark identity --pictures pictures --out-dir out --threads 1",
            "identical",
            ["out/identity.md", "out/identity.json", "out/identity.jpg"],
        ),
        (
            "benchmark levels --pictures pictures --out-dir out --rows unsharp_mask",
            "matplotlib is not installed",
            ["out/levels.md", "out/levels.json"],
        ),
    ],
    ids=lambda value: value.split()[0] if isinstance(value, str) else "",
)
def test_a_command_works(folder, command, told, written):
    result = run(COMMAND, *command.split(), folder=folder)
    assert (result.returncode, result.stderr) == (0, "")
    assert told in result.stdout
    assert all((folder / name).stat().st_size > 0 for name in written)


@pytest.mark.parametrize(
    "arguments", ["train recipes/base.toml", "export --detector a --generator b --out c"]
)
def test_training_tells_in_one_line_what_to_install(arguments):
    result = run(COMMAND, *arguments.split(), folder=ROOT)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert "selfsharp[train]" in result.stderr
    assert result.stdout == ""


def test_serving_tells_in_one_line_what_to_install():
    result = run(COMMAND, "serve", folder=ROOT)
    assert (result.returncode, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert "pip install 'selfsharp[serve]'" in result.stderr


def test_importing_the_package_loads_nothing_heavy(folder):
    code = """
import selfsharp
heavy = {"onnxruntime", "PIL", "tyro", "rich", "numpy", "jaxtyping"}
print(selfsharp.__version__, sorted(heavy & set(sys.modules)))
"""
    result = run(code, folder=folder)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.split(maxsplit=1)[1].strip() == "[]"


def test_every_public_name_can_be_had(folder):
    code = """
import selfsharp
print(all(getattr(selfsharp, name).__name__ == name for name in selfsharp.__all__))
try:
    selfsharp.nonsense
except AttributeError as error:
    print(error)
"""
    result = run(code, folder=folder)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == ["True", "module 'selfsharp' has no attribute 'nonsense'"]
