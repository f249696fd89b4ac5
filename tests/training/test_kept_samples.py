"""Distinct samples are drawn once, in whatever process, and again where a file is not whole."""

from dataclasses import replace

import numpy as np
import pytest

from selfsharp.recipe import Mix
from selfsharp.training.batches import Batches
from selfsharp.training.kept_samples import KeptSamples, kept_in
from selfsharp.training.train import train


def drawing(number: int, drawn: list[int]):
    def draw() -> dict[str, np.ndarray]:
        drawn.append(number)
        planes = np.random.default_rng(number).uniform(size=(4, 5, 3)).astype(np.float32)
        return {"image": planes, "weight": planes[:, :, 0]}

    return draw


@pytest.mark.parametrize("on_disc", [True, False])
def test_a_sample_is_drawn_once(on_disc, tmp_path):
    kept, drawn = KeptSamples(tmp_path / "samples" if on_disc else None), []
    first, again = (kept.find(32, 7, drawing(7, drawn)) for _ in range(2))
    assert drawn == [7]
    wanted = drawing(7, [])()
    for name, plane in first.items():
        assert plane.dtype == np.float32
        assert np.array_equal(plane, again[name])
        np.testing.assert_allclose(plane, wanted[name], atol=1e-3)
    kept.find(32, 8, drawing(8, drawn))
    kept.find(64, 7, drawing(7, drawn))
    assert drawn == [7, 8, 7]


def test_another_process_finds_what_one_has_drawn(tmp_path):
    drawn: list[int] = []
    for _ in range(2):
        KeptSamples(tmp_path / "samples").find(32, 1, drawing(1, drawn))
    assert drawn == [1]


@pytest.mark.parametrize("left", [b"", b"PK\x03\x04 and no more"])
def test_what_is_not_whole_is_drawn_again(left, tmp_path):
    drawn: list[int] = []
    KeptSamples(tmp_path).find(32, 1, drawing(1, drawn))
    (file,) = tmp_path.glob("*.npz")
    file.write_bytes(left)
    found = KeptSamples(tmp_path).find(32, 1, drawing(1, drawn))
    assert drawn == [1, 1]
    assert set(found) == {"image", "weight"}
    KeptSamples(tmp_path).find(32, 1, drawing(1, drawn))
    assert drawn == [1, 1]


def test_where_nothing_can_be_written_samples_stay_in_memory(tmp_path):
    (tmp_path / "taken").write_text("a file, no folder")
    kept, drawn = KeptSamples(tmp_path / "taken"), []
    for _ in range(2):
        kept.find(32, 1, drawing(1, drawn))
    assert drawn == [1]


def test_other_recipes_and_pools_have_other_folders(full_pool, recipe, tmp_path):
    def folder(pool=full_pool, **changes):
        return kept_in(tmp_path, pool, replace(recipe, **changes))._folder

    assert folder() == folder(crops=1000, learning_rate=1e-5, network="mending", batch=4)
    others = [
        folder(seed=5),
        folder(network="detector"),
        folder(network="estimator"),
        folder(mix=Mix(sharp=0.5)),
        folder(references="none"),
        folder(replace(full_pool, sharp=full_pool.sharp[::-1])),
        folder(replace(full_pool, clips=[])),
    ]
    assert len({folder(), *others}) == 1 + len(others)


def test_kept_batches_equal_those_that_are_drawn(full_pool, recipe, tmp_path):
    distinct = replace(recipe, distinct=4)
    plain = Batches(full_pool, distinct, 0)
    for _ in range(2):
        kept = Batches(full_pool, distinct, 0, kept=kept_in(tmp_path, full_pool, distinct))
        for number in range(3):
            one, other = plain[number], kept[number]
            assert all(np.array_equal(one[name], other[name]) for name in one)


def test_a_training_that_goes_on_draws_nothing_anew(recipe, tmp_path, monkeypatch):
    run, distinct = tmp_path / "run", replace(recipe, distinct=6, crops=8, validate_every=1000)
    train(distinct, run)
    (folder,) = run.glob("samples-*")
    assert len(list(folder.iterdir())) == 6
    monkeypatch.setattr("selfsharp.training.batches.draw_unturned", None)
    train(replace(distinct, crops=16), run)
