"""Recipes: every one in the project is valid, and a wrong one is refused in one line."""

import json
from pathlib import Path

import pytest

pydantic = pytest.importorskip("pydantic")

from selfsharp.networks.generators import GENERATORS  # noqa: E402
from selfsharp.recipe import Mix, Recipe, as_table, read_recipe  # noqa: E402

RECIPES = sorted((Path(__file__).parents[1] / "recipes").glob("*.toml"))


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text)
    return path


def test_the_project_has_recipes():
    assert {"base", "detector"} <= {path.stem for path in RECIPES}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_is_valid_and_names_a_network_that_there_is(path):
    assert read_recipe(path).network in {"detector", "estimator", *GENERATORS.names()}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_starts_with_the_command_that_trains_it(path):
    assert path.read_text().startswith(f"# selfsharp train recipes/{path.name}")


def test_what_a_recipe_leaves_out_has_its_default(tmp_path):
    text = 'crops = 32\npictures = ["a"]\n[mix]\nradius = [1, 2]\n'
    expected = Recipe(crops=32, pictures=(Path("a"),), mix=Mix(radius=(1.0, 2.0)))
    assert read_recipe(write(tmp_path, text)) == expected


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("crop_size = 128", "crop_size"),
        ("[mix]\nblobs = 0.5", "mix.blobs"),
        ('crops = "many"', "crops"),
        ("crops = 1.5", "crops"),
        ("pictures = 3", "pictures"),
        ('precision = "float8"', "precision"),
        ("[mix]\nradius = [1.0]", "mix.radius"),
        ("[mix.kinds]\nshake = 'often'", "mix.kinds.shake"),
    ],
)
def test_a_key_or_value_that_does_not_fit_is_named_in_one_line(tmp_path, text, named):
    with pytest.raises(ValueError, match=rf"\A.+recipe\.toml: {named}.+\Z"):
        read_recipe(write(tmp_path, text))


@pytest.mark.parametrize("text", ["crops =", "crops = 1\ncrops = 2", "[mix"])
def test_broken_toml_is_refused_in_one_line(tmp_path, text):
    with pytest.raises(ValueError, match=r"\A.+recipe\.toml cannot be read as TOML.+\Z"):
        read_recipe(write(tmp_path, text))


def test_a_picture_is_no_recipe(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\xff")
    with pytest.raises(ValueError, match=r"\A.+photo\.png cannot be read as TOML.+\Z"):
        read_recipe(path)


def test_a_missing_file_and_a_folder_are_refused_in_one_line(tmp_path):
    with pytest.raises(ValueError, match=r"\A.+none\.toml does not exist.+\Z"):
        read_recipe(tmp_path / "none.toml")
    with pytest.raises(ValueError, match=r"\A.+ cannot be read as TOML.+\Z"):
        read_recipe(tmp_path)


def test_a_recipe_survives_json():
    recipe = Recipe(
        network="unet",
        options={"widths": [8, 8], "down": [1, 1], "up": [1]},
        pictures=(Path("a"), Path("/b/c")),
        frames=Path("frames"),
        mix=Mix(regions={"everywhere": 1.0}),
        precision="float32",
    )
    table = json.loads(json.dumps(as_table(recipe)))
    assert "cutouts" not in table
    assert pydantic.TypeAdapter(Recipe).validate_python(table) == recipe
