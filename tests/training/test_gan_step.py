"""The GAN step: it overfits one sample, and a stopped GAN goes on as if never stopped."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from selfsharp.recipe import Gan, Recipe  # noqa: E402
from selfsharp.training import gan_step as module  # noqa: E402
from selfsharp.training import train as training_module  # noqa: E402
from selfsharp.training.checkpoint import part, read_checkpoint  # noqa: E402
from selfsharp.training.gan_step import gan_step  # noqa: E402
from selfsharp.training.state import start  # noqa: E402
from selfsharp.training.train import train  # noqa: E402

RECIPE = Recipe(
    network="srgn",
    options={"width": 8, "blocks": 1},
    batch=1,
    crops=1000,
    warm_up=0,
    learning_rate=4e-3,
    betas=(0.5, 0.999),
    clip=10.0,
    pixel=20.0,
    frequency=0.0,
    gan=Gan(width=8, weight=0.1),
    threads=1,
    precision="float32",
)
GAMMAS = {"clear": 0.1, "blurred": 0.1}
every_critic = pytest.mark.parametrize("critic", ["gp", "clip", "spectral"])


@pytest.fixture(scope="module")
def batch() -> dict[str, torch.Tensor]:
    """A checkerboard, blurred on its right side."""
    rows = torch.arange(32)
    board = ((rows[:, None] // 4 + rows // 4) % 2).float().expand(1, 3, 32, 32) * 0.8 + 0.1
    soft = torch.nn.functional.avg_pool2d(board, 5, 1, 2, count_include_pad=False)
    blurred = (rows > 15).float().expand(1, 1, 32, 32).contiguous()
    image = torch.where(blurred > 0, soft, board)
    weight = 0.1 + 0.9 * blurred
    return {"image": image, "target": board.contiguous(), "weight": weight, "blurred": blurred}


@every_critic
def test_it_overfits_one_sample(batch, critic):
    content = GAMMAS if critic == "gp" else {}
    training = start(replace(RECIPE, critic=critic, content=content, content_every=5))
    losses = [gan_step(training, batch) for _ in range(30)]
    assert losses[0].keys() == {"loss", "pixel", "deceit", "critic", *(["content"] * bool(content))}
    assert losses[-1]["pixel"] < 0.3 * losses[0]["pixel"]
    with torch.no_grad():
        restored = batch["image"] + training.network(batch["image"])
    before, after = (
        float((x - batch["target"]).square().mean()) for x in (batch["image"], restored)
    )
    assert after < 0.2 * before


@every_critic
def test_the_critic_learns_to_tell_restored_from_sharp(batch, critic):
    gan = Gan(width=8, steps=3, learning_rate=1e-3)
    training = start(replace(RECIPE, critic=critic, learning_rate=0.0, gan=gan))
    judge = training.critic.network
    before = {name: value.clone() for name, value in judge.named_parameters() if value.dim() > 1}
    for _ in range(6):
        gan_step(training, batch)
    with torch.no_grad():
        restored = batch["image"] + training.network(batch["image"])
        real, fake = (judge(batch["image"], x).mean() for x in (batch["target"], restored))
        largest = max(float(weights.abs().max()) for weights in judge.parameters())
    assert real > fake + 0.1
    assert largest <= gan.bound or critic != "clip"
    after = dict(judge.named_parameters())
    assert not [name for name, value in before.items() if torch.equal(value, after[name])]
    assert all(weights.requires_grad for weights in judge.parameters())


@every_critic
def test_it_runs_in_bfloat16_too(batch, critic):
    recipe = replace(RECIPE, critic=critic, content=GAMMAS, coarse=1.0)
    recipe = replace(recipe, options={**recipe.options, "scales": 2})
    exact, half = (
        gan_step(start(replace(recipe, precision=precision)), batch)
        for precision in ("float32", "bfloat16")
    )
    assert half != exact
    assert half == pytest.approx(exact, rel=0.1, abs=0.02)


def test_content_comes_every_so_many_steps_and_counts_for_the_others(batch):
    training = start(replace(RECIPE, critic="gp", content=GAMMAS, content_every=3))
    found = ["content" in gan_step(training, batch) for _ in range(7)]
    assert found == [True, False, False, True, False, False, True]
    recipe = replace(RECIPE, critic="gp", content=GAMMAS)
    often, seldom = (
        gan_step(start(replace(recipe, content_every=every)), batch)["content"] for every in (1, 3)
    )
    assert seldom == pytest.approx(3 * often, rel=1e-5)


def test_the_penalty_has_a_share_for_each_sample_drawn_anew_each_time_and_again_alike():
    training = start(replace(RECIPE, critic="gp", batch=4))
    first, second = (module._draw_shares(training, turn) for turn in (0, 1))
    assert len(set(first.tolist())) == 4
    assert not torch.equal(first, second)
    assert torch.equal(first, module._draw_shares(training, 0))
    training.crops += 4
    assert not torch.equal(first, module._draw_shares(training, 0))


@every_critic
def test_a_stopped_gan_ends_as_one_never_stopped(tmp_path, recipe, monkeypatch, critic):
    monkeypatch.setattr(training_module, "validate", lambda *_: {})
    monkeypatch.setattr(training_module, "draw_sheet", lambda *_: _black())
    recipe = replace(
        RECIPE,
        critic=critic,
        pictures=recipe.pictures,
        crop=32,
        crops=6,
        batch=2,
        warm_up=4,
        workers=0,
        gan=Gan(width=8, steps=2),
    )
    whole, _ = read_checkpoint(train(recipe, tmp_path / "whole"))
    stopped = train(replace(recipe, crops=2, cool_down=recipe.cool_down / 2), tmp_path / "stopped")
    assert part(read_checkpoint(stopped)[0], "critic-optimizer")
    resumed, facts = read_checkpoint(train(recipe, tmp_path / "stopped"))
    assert facts["crops"] == 6
    assert resumed.keys() == whole.keys()
    for name, value in whole.items():
        assert torch.equal(resumed[name], value), name


def _black():
    import numpy as np

    return np.zeros((8, 8, 3), np.uint8)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"network": "detector", "options": {}, "critic": "gp"}, "the detector takes no critic"),
        ({"network": "estimator", "options": {}, "critic": "gp"}, "the estimator takes no critic"),
        ({"network": "estimator", "options": {}, "blur_on_device": True}, "blur_on_device is for"),
        ({"coarse": 0.5}, "coarse 0.5 does not fit"),
        ({"options": {"scales": 2}}, "coarse 0 does not fit"),
    ],
)
def test_settings_that_do_not_fit_are_refused_in_one_line(setting, told):
    with pytest.raises(ValueError, match=rf"\A{told}.+\Z"):
        start(replace(RECIPE, **setting))
