"""Several processes end where one process with all their samples does."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from selfsharp.recipe import Gan, Recipe  # noqa: E402
from selfsharp.training.batches import Batches, stack_crops  # noqa: E402
from selfsharp.training.gan_step import gan_step  # noqa: E402
from selfsharp.training.machine import make_fabric, own_share, run_on  # noqa: E402
from selfsharp.training.pool import Pool  # noqa: E402
from selfsharp.training.samples import draw_crop  # noqa: E402
from selfsharp.training.state import start  # noqa: E402
from selfsharp.training.step import step  # noqa: E402

STEPS = 3
PLAIN = Recipe(
    network="unet",
    options={"widths": [8, 8], "down": [1, 1], "up": [1], "scales": 2},
    coarse=0.5,
    gradient=0.5,
    crop=32,
    batch=4,
    crops=400,
    warm_up=0,
    precision="float32",
)
GAN = replace(
    PLAIN,
    network="srgn",
    options={"width": 8, "blocks": 1},
    coarse=0.0,
    critic="gp",
    gan=Gan(width=8, steps=2, learning_rate=1e-3),
)


def train_a_little(fabric, recipe: Recipe, folder: Path) -> list[float]:
    """A few steps on samples that hang on their numbers alone; keeps each process's weights."""
    torch.set_num_threads(1)
    pixels = np.random.default_rng(0).integers(0, 256, (70, 80, 3), dtype=np.uint8)
    training = start(recipe, fabric=fabric)
    batches = Batches(Pool([pixels]), recipe, 0, own_share(fabric, recipe.batch))
    take_step = gan_step if recipe.critic != "none" else step
    losses = [take_step(training, batches[number])["loss"] for number in range(STEPS)]
    players = [training.player, *([training.critic] if training.critic else [])]
    flat = [value.flatten() for one in players for value in one.network.state_dict().values()]
    np.save(folder / f"{fabric.world_size}-{fabric.global_rank}.npy", torch.cat(flat).numpy())
    return losses


@pytest.mark.parametrize("recipe", [PLAIN, GAN], ids=["plain", "gan"])
def test_two_processes_end_with_equal_weights_and_the_loss_of_one(recipe, tmp_path):
    both = replace(recipe, devices=2)
    one_losses = run_on(make_fabric(recipe), train_a_little, recipe, tmp_path)
    two_losses = run_on(make_fabric(both), train_a_little, both, tmp_path)
    one, first, second = (np.load(tmp_path / f"{name}.npy") for name in ("1-0", "2-0", "2-1"))
    assert np.array_equal(first, second)
    assert two_losses == pytest.approx(one_losses, rel=1e-4)
    # Adam's first steps are as long however small a gradient is: rounding can turn some.
    assert np.quantile(np.abs(first - one), 0.99) < 1e-4


def test_processes_share_the_samples_of_a_step(photo):
    recipe = replace(PLAIN, devices=2)
    pool = Pool([(photo * 255).astype(np.uint8)])
    halves = [Batches(pool, recipe, 0, share)[1] for share in (slice(0, 2), slice(2, 4))]
    crops = [draw_crop(pool, recipe, number) for number in range(4, 8)]
    whole = stack_crops(crops, detector=False)
    for name, planes in whole.items():
        assert torch.equal(torch.cat([half[name] for half in halves]), planes), name


def test_bad_input_in_a_process_of_several_is_one_line():
    with pytest.raises(ValueError, match=r"\Aa process of several stopped: no good\Z"):
        run_on(make_fabric(replace(PLAIN, devices=2)), refuse)


def refuse(_fabric) -> None:
    raise ValueError("no good")


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"devices": 3}, "batch 4 cannot be shared by 3 devices"),
        ({"devices": 0}, "batch 4 cannot be shared by 0 devices"),
        ({"device": "abacus"}, "device 'abacus' cannot be used"),
    ],
)
def test_devices_that_there_are_not_are_refused_in_one_line(setting, told):
    with pytest.raises(ValueError, match=rf"\A{told}.+\Z"):
        make_fabric(replace(PLAIN, **setting))


@pytest.mark.parametrize("coarse", [0.0, 0.5])
@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
def test_convolutions_compute_in_the_recipes_precision(precision, coarse):
    options = {**PLAIN.options, "scales": 2 if coarse else 1}
    recipe = replace(PLAIN, precision=precision, coarse=coarse, options=options)
    training = start(recipe)
    seen = set()
    for module in training.network.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(lambda _module, _inputs, made: seen.add(made.dtype))
    pool = Pool([np.full((70, 80, 3), 128, np.uint8)])
    step(training, Batches(pool, recipe, 0)[0])
    assert seen == {getattr(torch, precision)}
