"""Crops blurred on the device equal those of the loader, whatever the recipe draws."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from selfsharp.recipe import Mix, Recipe  # noqa: E402
from selfsharp.training.batches import Batches  # noqa: E402
from selfsharp.training.device_crops import PLANS, carry_out_plans  # noqa: E402
from selfsharp.training.state import start  # noqa: E402

BATCH = 24
RECIPE = Recipe(network="unet", crop=32, batch=BATCH, crops=2 * BATCH)
ON_DEVICE = replace(RECIPE, blur_on_device=True)


def both(pool, recipe: Recipe) -> tuple[dict, dict]:
    """The second batch of a recipe as the loader makes it, and as it leaves it to the device."""
    whole = Batches(pool, replace(recipe, blur_on_device=False), 1)[0]
    return whole, Batches(pool, replace(recipe, blur_on_device=True), 1)[0]


def check_equal(found: dict, wanted: dict) -> None:
    assert found.keys() == wanted.keys()
    for name in ("weight", "blurred"):
        assert torch.equal(found[name], wanted[name]), name
    np.testing.assert_allclose(found["blur"], wanted["blur"], atol=1e-4)
    for name in ("image", "target", "proposals"):
        off = (found[name] - wanted[name]).abs()
        # A value that lies between two grey levels may be rounded to either.
        assert off.max() < 1.01 / 255, name
        assert (off > 1e-3).float().mean() < 2e-3, name


@pytest.mark.parametrize("cameras", [0.0, 1.0], ids=["plain", "whole"])
def test_a_batch_is_the_same_wherever_it_is_blurred(full_pool, cameras):
    recipe = replace(RECIPE, mix=Mix(cameras=cameras, sharp=0.1, frames=0.1))
    wanted, sent = both(full_pool, recipe)
    places = sent[f"{PLANS}place"]
    assert 5 < len(places) < BATCH
    assert not sent["image"][places].any()  # The loader has left them alone.
    check_equal(carry_out_plans(sent), wanted)


def test_scenes_that_are_no_region_come_finished_from_the_loader(full_pool):
    scenes = {"region": 1.0, "path": 1.0, "object": 1.0, "depth": 1.0}
    recipe = replace(RECIPE, mix=Mix(scenes=scenes, frames=0.0, sharp=0.0, radius=(1.0, 3.0)))
    wanted, sent = both(full_pool, recipe)
    finished = sorted(set(range(BATCH)) - set(sent[f"{PLANS}place"].tolist()))
    assert len(finished) > BATCH / 2
    assert torch.equal(sent["image"][finished], wanted["image"][finished])
    check_equal(carry_out_plans(sent), wanted)


def test_a_batch_without_a_region_has_no_plans(full_pool):
    wanted, sent = both(full_pool, replace(RECIPE, mix=Mix(sharp=1.0)))
    assert sent.keys() == wanted.keys()
    assert all(torch.equal(sent[name], plane) for name, plane in wanted.items())
    assert carry_out_plans(sent) == sent


def test_processes_that_share_a_step_send_their_own_plans(full_pool):
    halves = [Batches(full_pool, ON_DEVICE, 1, share)[0] for share in (slice(0, 12), slice(12, 24))]
    done = [carry_out_plans(half) for half in halves]
    wanted = Batches(full_pool, RECIPE, 1)[0]
    check_equal({name: torch.cat([one[name] for one in done]) for name in wanted}, wanted)


@pytest.mark.parametrize("change", [{"network": "detector"}, {"distinct": 40}])
def test_what_the_device_cannot_blur_is_refused_in_one_line(change):
    with pytest.raises(ValueError, match=r"\Ablur_on_device is for generators.+\Z"):
        start(replace(ON_DEVICE, **change))
