"""Facts about the tree that are quick to check and easy to lose."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

import selfsharp
from selfsharp.benchmark.suites import SUITES

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))
RECIPES = sorted((ROOT / "recipes").glob("*.toml"))
LONGEST = 350
DRAWERS = {"utils", "util", "helpers", "helper", "common", "core", "misc"}
HEAVY = {"torch", "onnx", "onnxscript", "safetensors"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported_by(path: Path) -> set[str]:
    """Top-level names of all that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_file_fits_in_350_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_no_file_or_folder_is_a_drawer_for_odds_and_ends():
    places = [*(ROOT / "src").rglob("*"), *(ROOT / "tests").rglob("*")]
    assert len(places) > 50
    assert [name_of(path) for path in places if path.stem.strip("_") in DRAWERS] == []


def test_only_networks_and_training_import_pytorch_and_what_goes_with_it():
    heavy = {name_of(path) for path in SOURCES if imported_by(path) & HEAVY}
    assert heavy
    allowed = ("src/selfsharp/networks/", "src/selfsharp/training/")
    assert [name for name in sorted(heavy) if not name.startswith(allowed)] == []


def test_who_imports_whom_is_as_decided(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == EXIT_STATUS_SUCCESS


def test_the_version_is_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    cited = re.findall(r"^version: *['\"]?([^'\"\s]+)", citation, re.MULTILINE)
    assert [project["version"], *cited] == [selfsharp.__version__] * 2


def test_there_are_recipes():
    assert RECIPES


@pytest.mark.parametrize("path", RECIPES, ids=name_of)
def test_a_recipe_starts_with_the_command_that_runs_it(path):
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert re.match(rf"# selfsharp train recipes/{re.escape(path.name)}(\s|$)", first)


@pytest.mark.parametrize("path", [p for p in RECIPES if p.stem != "tiny"], ids=name_of)
def test_a_recipe_names_the_suite_and_the_score_to_expect(path):
    said = " ".join(
        line.removeprefix("#").strip()
        for line in path.read_text(encoding="utf-8").splitlines()[:4]
        if line.startswith("#")
    )
    (suite, score) = re.search(r"selfsharp benchmark (\w+)\b(.*)", said).groups()
    assert suite in SUITES.names()
    assert re.search(r"\d", score) or "not trained yet" in score


@pytest.mark.parametrize("target", ["demo", "serve", "test", "check", "fix", "benchmark", "tables"])
def test_the_makefile_has_a_target(target):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)
