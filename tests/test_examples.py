"""The scripts in examples/ run as they stand."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
PHOTO = EXAMPLES / "photos" / "flowers-blurred.png"


def run(script: Path, *arguments: str | Path) -> str:
    command = [sys.executable, str(script), *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("name", ["restore_photo", "protect_a_part"])
def test_a_script_writes_what_it_says(name, tmp_path):
    out = tmp_path / "out.png"
    assert str(out) in run(EXAMPLES / f"{name}.py", PHOTO, out)
    assert out.stat().st_size > 100_000


def test_the_gain_is_measured_for_every_kind():
    lines = run(EXAMPLES / "measure_gain.py", EXAMPLES / "photos" / "sharp" / "flowers.webp")
    assert [line.split()[0] for line in lines.splitlines()] == [
        "defocus",
        "gaussian",
        "motion",
        "shake",
    ]


def test_every_script_is_short_and_run_here():
    scripts = sorted(path.stem for path in EXAMPLES.glob("*.py"))
    assert scripts == ["measure_gain", "protect_a_part", "restore_photo"]
    assert all(len((EXAMPLES / f"{name}.py").read_text().splitlines()) < 40 for name in scripts)
