"""The commands and the code in the README do what it says."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

import readme_tables
from selfsharp.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("selfsharp ")
]


@pytest.fixture
def photo(tmp_path, monkeypatch) -> Path:
    """A folder with photo.jpg, mask.png and holidays/, where the commands run."""
    source = ROOT / "examples" / "photos" / "flowers-blurred.png"
    picture = PillowImage.open(source).convert("RGB").crop((200, 100, 456, 292))
    picture.save(tmp_path / "photo.jpg", quality=90)
    mask = np.zeros((192, 256), np.uint8)
    mask[40:150, 60:200] = 255
    PillowImage.fromarray(mask).save(tmp_path / "mask.png")
    (tmp_path / "holidays").mkdir()
    shutil.copy(tmp_path / "photo.jpg", tmp_path / "holidays" / "beach.jpg")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_are_commands_to_test():
    assert len(COMMANDS) >= 6


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_works(command, photo):
    before = set(photo.rglob("*"))
    assert main(shlex.split(command)[1:]) == 0
    written = set(photo.rglob("*")) - before
    assert written or command == "selfsharp models"


def test_the_python_code_works(photo):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=photo, check=True, capture_output=True, text=True
    )
    assert "% of the photo restored" in done.stdout
    assert PillowImage.open(photo / "restored.jpg").size == (256, 192)


def test_the_tables_are_those_of_the_reports():
    assert len(readme_tables.MARKED.findall(README)) >= 2
    assert readme_tables.updated(README) == README, "run: make tables"


def test_every_file_that_a_page_links_to_is_there():
    for page in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "examples/photos/README.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
            assert ((ROOT / page).parent / target).exists(), f"{page} links to {target}"


def test_make_demo_names_photos_that_are_there():
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    said = subprocess.run(
        ["make", "-n", "demo"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    (line,) = [line for line in said.splitlines() if "selfsharp restore" in line]
    patterns = [word for word in line.split() if word.startswith("examples/")]
    assert patterns
    assert all(list(ROOT.glob(pattern)) for pattern in patterns)


@pytest.mark.parametrize("report", sorted((ROOT / "results").rglob("*.json")), ids=lambda p: p.stem)
def test_every_report_is_json_that_names_its_command(report: Path) -> None:
    content = json.loads(report.read_text(encoding="utf-8"))
    assert content["command"].startswith(f"selfsharp benchmark {content['suite']} ")
    assert content["command"] in report.with_suffix(".md").read_text(encoding="utf-8")
