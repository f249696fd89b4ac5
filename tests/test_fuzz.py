"""A few hundred broken files; `fuzz.py` takes as many as it is told to."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("fuzz.py")


@pytest.fixture(scope="module")
def fuzz():
    pytest.importorskip("resource")
    spec = importlib.util.spec_from_file_location("fuzz", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_whole_files_are_all_read(fuzz, tmp_path):
    files = fuzz.whole_files(tmp_path)
    assert len(files) >= 15
    assert {fuzz.read_broken(path) for path in files} == {"read"}


def test_broken_files_are_read_or_refused_in_one_line(fuzz, tmp_path):
    told = [fuzz.read_broken(path) for path in fuzz.broken_files(tmp_path / "a", 400, 1)]
    assert set(told) == {"read", "refused"}


def test_the_command_writes_nothing_when_it_refuses(fuzz, tmp_path, made_up):
    files = fuzz.broken_files(tmp_path / "a", 24, 2)
    told = [fuzz.restore_broken(path, str(made_up)) for path in files]
    assert set(told) == {"restored", "refused"}
