"""An open folder lists its files by name and imports one when it is asked for."""

import uuid

import pytest

from selfsharp.catalogue import Folder


@pytest.fixture
def zoo(tmp_path, monkeypatch) -> Folder:
    # A package of its own name for every test: Python imports a name only once.
    name = f"zoo_{uuid.uuid4().hex}"
    package = tmp_path / name
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "zebra.py").write_text("LEGS = 4\n")
    (package / "bee.py").write_text("LEGS = 6\n")
    (package / "_cage.py").touch()
    (package / "notes.txt").touch()
    monkeypatch.syspath_prepend(tmp_path)
    return Folder(name, "animal")


def test_the_files_of_a_folder_are_its_members_in_alphabetical_order(zoo):
    assert zoo.names() == ["bee", "zebra"]


def test_listing_the_names_imports_no_member(tmp_path, zoo):
    (tmp_path / zoo.package / "broken.py").write_text("raise RuntimeError\n")
    assert zoo.names() == ["bee", "broken", "zebra"]


def test_a_member_is_loaded_by_its_name(zoo):
    assert zoo.load("bee").LEGS == 6


def test_every_member_is_loaded_under_its_name(zoo):
    assert {name: member.LEGS for name, member in zoo.load_all().items()} == {"bee": 6, "zebra": 4}


@pytest.mark.parametrize("name", ["yak", "_cage", "__init__", "", "bee.sting"])
def test_an_unknown_name_is_refused_with_the_names_there_are(zoo, name):
    with pytest.raises(ValueError, match=r"\Aunknown animal .*: bee, zebra\Z"):
        zoo.load(name)
