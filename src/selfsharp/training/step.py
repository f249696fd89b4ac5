"""One step of a training, and the parts that a GAN step has in common with it."""

import math

import torch
from torch import Tensor, nn

from selfsharp.training.device_crops import carry_out_plans
from selfsharp.training.explaining import corrected
from selfsharp.training.losses import (
    coarse_loss,
    content_loss,
    decibel_loss,
    detection_loss,
    frequency_loss,
    gradient_loss,
    pixel_loss,
)
from selfsharp.training.machine import agreed
from selfsharp.training.psf_losses import lost_gain, psf_losses, tidied
from selfsharp.training.schedule import learning_rate
from selfsharp.training.state import Training

Batch = dict[str, Tensor]
Losses = dict[str, float]
"""Losses by name; `loss` is the whole that was made smaller."""
ROUNDS = (0, 2, 0, 4, 1, 1, 5, 0, 3, 1)
"""Rounds that an estimator takes before the one it learns by, step after step."""


def step(training: Training, batch: Batch) -> Losses:
    """One step of the optimiser on a batch.

    Raises:
        FloatingPointError: the loss is no longer finite.
    """
    batch = placed(training, batch)
    if training.recipe.network == "detector":
        found = training.player.run(batch["image"])
        return update_network(training, {"detection": detection_loss(found, batch["truth"])})
    if training.recipe.network == "estimator":
        return update_network(training, round_losses(training, batch))
    restored, coarser = restore(training, batch)
    return update_network(training, restoration_losses(training, batch, restored, coarser))


def placed(training: Training, batch: Batch) -> Batch:
    """The batch on the training's device, channels last; what was left to it is blurred there."""
    there = carry_out_plans({name: training.fabric.to_device(v) for name, v in batch.items()})
    return {
        name: plane.contiguous(memory_format=torch.channels_last) for name, plane in there.items()
    }


def restore(training: Training, batch: Batch) -> tuple[Tensor, list[Tensor]]:
    """The restored crops, and residuals at coarser scales where the recipe supervises them."""
    run = training.player.run
    inputs = [batch[name] for name in training.network.inputs]  # type: ignore[union-attr]
    if not training.recipe.coarse:
        return batch["image"] + run(*inputs), []
    # Fabric chooses the precision of `forward` alone.
    with training.fabric.autocast():
        residual, *coarser = (plane.float() for plane in run.every_scale(*inputs))
    return batch["image"] + residual, coarser


def round_losses(training: Training, batch: Batch) -> dict[str, Tensor]:
    """How far a PSF still is from the true one after a round, and sometimes after a second."""
    inputs = {name: batch[name] for name in training.network.inputs}  # type: ignore[union-attr]
    # By the number of the step, so that a training that was stopped goes on as it would have.
    for _ in range(ROUNDS[training.crops // training.recipe.batch % len(ROUNDS)]):
        with torch.no_grad():
            inputs["psf"] = tidied(training.player.run(*inputs.values()))
    found, truth = training.player.run(*inputs.values())[:, 0], batch["truth"][:, 0]
    error, light = psf_losses(found, truth)
    return {"error": 0.5 * error, "light": 0.25 * light, "lost": 0.15 * lost_gain(found, truth)}


def restoration_losses(
    training: Training, batch: Batch, restored: Tensor, coarser: list[Tensor]
) -> dict[str, Tensor]:
    """How far restored crops are from their targets, by each of the recipe's losses, weighed."""
    recipe, goal = training.recipe, (batch["target"], batch["weight"])
    if recipe.corrected:
        gate = batch["blur"][:, :1]
        restored = corrected(restored, batch["target"], gate, batch["correction"])
    losses = {}
    if recipe.pixel:
        losses["pixel"] = recipe.pixel * pixel_loss(restored, *goal)
    if recipe.decibel:
        losses["decibel"] = recipe.decibel * decibel_loss(restored, *goal)
    if recipe.frequency:
        losses["frequency"] = recipe.frequency * frequency_loss(restored, *goal)
    if recipe.gradient:
        losses["gradient"] = recipe.gradient * gradient_loss(restored, *goal)
    if recipe.coarse:
        losses["coarse"] = recipe.coarse * coarse_loss(coarser, batch["image"], *goal)
    if training.features and (training.crops // recipe.batch) % recipe.content_every == 0:
        with training.fabric.autocast():
            found = training.features(restored).float()
            with torch.no_grad():
                wanted = training.features(batch["target"]).float()
        loss = content_loss(found, wanted, batch["blurred"], recipe.content)
        losses["content"] = recipe.content_every * loss
    return losses


def update_network(training: Training, losses: dict[str, Tensor]) -> Losses:
    """Makes the sum of the losses smaller, counts the crops, and moves the running average.

    Raises:
        FloatingPointError: the sum is not finite; the weights are as they were.
    """
    recipe, player = training.recipe, training.player
    total = torch.stack(list(losses.values())).sum()
    value = check_finite(training, total)
    rate = learning_rate(recipe, training.crops)
    for group in player.optimizer.param_groups:
        group["lr"] = rate
    player.optimizer.zero_grad(set_to_none=True)
    training.fabric.backward(total)
    nn.utils.clip_grad_norm_(player.network.parameters(), recipe.clip)
    player.optimizer.step()
    training.crops += recipe.batch
    _move_average(training)
    parts = {name: float(loss.detach()) for name, loss in losses.items()} if len(losses) > 1 else {}
    return {"loss": value, **parts}


def check_finite(training: Training, loss: Tensor) -> float:
    """The mean of a loss over all processes.

    Raises:
        FloatingPointError: it is not finite, in all processes alike.
    """
    value = float(agreed(training.fabric, loss.detach()))
    if not math.isfinite(value):
        raise FloatingPointError(
            f"the loss is {value} after {training.crops} crops; lower learning_rate and resume"
        )
    return value


@torch.no_grad()
def _move_average(training: Training) -> None:
    # Young averages forget faster, or they would still hold the first random weights.
    steps = training.crops / training.recipe.batch
    decay = min(training.recipe.average, (1 + steps) / (10 + steps))
    learnt = dict(training.network.named_parameters())
    for name, value in training.network.state_dict().items():
        if name in learnt:
            training.average[name].lerp_(value, 1 - decay)
        else:  # The vectors of spectral normalisation; a mean of directions is none.
            training.average[name].copy_(value)
