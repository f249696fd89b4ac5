"""One step of a GAN: the critic learns to tell restored from sharp, the generator to deceive it."""

import torch
from torch import Tensor

from selfsharp.training.adversarial import (
    blend,
    clip_weights,
    deceit_loss,
    gradient_penalty,
    hinge_loss,
    wasserstein_loss,
)
from selfsharp.training.machine import own_share
from selfsharp.training.schedule import share_of_rate
from selfsharp.training.state import Player, Training
from selfsharp.training.step import (
    Batch,
    Losses,
    check_finite,
    placed,
    restoration_losses,
    restore,
    update_network,
)


def gan_step(training: Training, batch: Batch) -> Losses:
    """One step of the generator on a batch, after those of its critic on the same.

    Raises:
        FloatingPointError: a loss is no longer finite.
    """
    recipe, critic = training.recipe, training.critic
    assert critic is not None, "a GAN step takes a critic"
    batch = placed(training, batch)

    # Phase 1: the generator restores, once for both.
    restored, coarser = restore(training, batch)

    # Phase 2: the critic learns to tell the restored crops from the sharp ones.
    told = 0.0
    for turn in range(recipe.gan.steps):
        told = _teach_critic(training, critic, batch, restored.detach(), turn)

    # Phase 3: the generator is measured: by the targets, and by what the critic now says.
    losses = restoration_losses(training, batch, restored, coarser)
    critic.network.requires_grad_(False)
    with training.fabric.autocast():
        scores = critic.network(batch["image"], restored).float()
    losses["deceit"] = recipe.gan.weight * deceit_loss(scores)

    # Phase 4: the generator learns, and its average follows.
    found = update_network(training, losses)
    critic.network.requires_grad_(True)
    return {**found, "critic": told}


def _teach_critic(
    training: Training, critic: Player, batch: Batch, restored: Tensor, turn: int
) -> float:
    """One step of the critic; returns its loss."""
    recipe, image, sharp = training.recipe, batch["image"], batch["target"]
    candidates = [sharp, restored]
    if recipe.critic == "gp":
        candidates.append(blend(sharp, restored, _draw_shares(training, turn)))

    # All candidates in one pass: processes in step (DDP) count one backward for each forward.
    scores = critic.run(image.repeat(len(candidates), 1, 1, 1), torch.cat(candidates))
    real, fake, *between = scores.chunk(len(candidates))
    loss = (hinge_loss if recipe.critic == "spectral" else wasserstein_loss)(real, fake)
    if recipe.critic == "gp":
        loss = loss + recipe.gan.penalty * gradient_penalty(between[0], candidates[2])
    value = check_finite(training, loss)

    for group in critic.optimizer.param_groups:
        group["lr"] = recipe.gan.learning_rate * share_of_rate(recipe, training.crops)
    critic.optimizer.zero_grad(set_to_none=True)
    training.fabric.backward(loss)
    critic.optimizer.step()
    if recipe.critic == "clip":
        clip_weights(critic.network, recipe.gan.bound)
    return value


def _draw_shares(training: Training, turn: int) -> Tensor:
    """Shares of the real samples for the penalty, one a sample; the same whenever drawn."""
    recipe = training.recipe
    source = torch.Generator().manual_seed(
        (recipe.seed * 1_000_003 + training.crops) * 1_009 + turn
    )
    shares = torch.rand(recipe.batch, generator=source)[own_share(training.fabric, recipe.batch)]
    return training.fabric.to_device(shares)
