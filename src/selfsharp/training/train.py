"""The training loop: samples, steps, running average, checkpoints, validation."""

import json
import math
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from torch import Tensor, nn
from torch.utils.data import DataLoader

from selfsharp.config import Recipe, as_method, as_table
from selfsharp.networks.detector import Detector
from selfsharp.networks.generators import GENERATORS
from selfsharp.training.batches import Batches
from selfsharp.training.checkpoint import (
    part,
    read_checkpoint,
    restore_optimizer,
    save_average,
    save_checkpoint,
)
from selfsharp.training.estimates import add_guesses
from selfsharp.training.losses import detection_loss, frequency_loss, pixel_loss
from selfsharp.training.pool import load_pools
from selfsharp.training.validate import validate

CHECKPOINT = "checkpoint.safetensors"
AVERAGE = "average.safetensors"


def build_network(recipe: Recipe) -> nn.Module:
    """The network that a recipe names, with its options.

    Raises:
        ValueError: there is no such network, or it does not take such options.
    """
    make = Detector if recipe.network == "detector" else GENERATORS.load(recipe.network).Generator
    try:
        return make(**recipe.options)
    except TypeError as error:
        raise ValueError(f"options of {recipe.network}: {error}") from None


def recipe_of(facts: dict[str, Any]) -> Recipe:
    """The recipe that a checkpoint was trained by."""
    return TypeAdapter(Recipe).validate_python(facts["recipe"])


@dataclass
class Training:
    """A network on its way: what changes from step to step."""

    recipe: Recipe
    network: nn.Module
    average: dict[str, Tensor]
    optimizer: torch.optim.Optimizer
    crops: int = 0
    seconds: float = 0.0

    def facts(self) -> dict[str, Any]:
        """What a checkpoint says beside its tensors."""
        return {
            "recipe": as_method(self.recipe),
            "crops": self.crops,
            "seconds": round(self.seconds, 1),
        }


def start(recipe: Recipe, checkpoint: Path | None = None) -> Training:
    """A training at its beginning, or where a checkpoint left it.

    A checkpoint without an optimiser's state gives its weights alone: training warms up
    from there, with crops counted anew.

    Raises:
        ValueError: the checkpoint does not fit the recipe's network.
    """
    torch.manual_seed(recipe.seed)
    device = torch.device(recipe.device)
    network = build_network(recipe).to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.99), weight_decay=1e-4
    )
    training = Training(recipe, network, {}, optimizer)
    if checkpoint is not None:
        tensors, facts = read_checkpoint(checkpoint)
        average = part(tensors, "average")
        weights = part(tensors, "weights") or average
        try:
            network.load_state_dict({name: value.float() for name, value in weights.items()})
        except RuntimeError as error:
            reason = str(error).splitlines()[-1].strip()
            raise ValueError(f"{checkpoint} does not fit {recipe.network}: {reason}") from None
        if part(tensors, "optimizer"):
            restore_optimizer(optimizer, tensors)
            training.crops, training.seconds = facts["crops"], facts["seconds"]
        training.average = {name: value.float().to(device) for name, value in average.items()}
    else:
        training.average = {n: v.detach().clone() for n, v in network.state_dict().items()}
    return training


def learning_rate(recipe: Recipe, crops: int) -> float:
    """Rises along a line, stays, and falls along a cosine in the last share of the training."""
    rise = min(1.0, (crops + recipe.batch) / max(1, recipe.warm_up))
    length = max(1.0, recipe.cool_down * recipe.crops)
    cooled = min(1.0, max(0.0, (crops - recipe.crops + length) / length))
    return recipe.learning_rate * rise * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * cooled)))


def step(training: Training, batch: dict[str, Tensor]) -> float:
    """One step of the optimiser on a batch; returns the loss.

    Raises:
        FloatingPointError: the loss is no longer finite.
    """
    recipe, device = training.recipe, torch.device(training.recipe.device)
    batch = {
        name: value.to(device).contiguous(memory_format=torch.channels_last)
        for name, value in batch.items()
    }
    for group in training.optimizer.param_groups:
        group["lr"] = learning_rate(recipe, training.crops)
    inputs = [batch[name] for name in training.network.inputs]  # type: ignore[union-attr]
    with torch.autocast(device.type, torch.bfloat16, enabled=recipe.precision == "bfloat16"):
        out = training.network(*inputs)
    if "truth" in batch:
        loss = detection_loss(out.float(), batch["truth"])
    else:
        restored, goal = batch["image"] + out.float(), (batch["target"], batch["weight"])
        loss = pixel_loss(restored, *goal)
        if recipe.frequency:
            loss = loss + recipe.frequency * frequency_loss(restored, *goal)
    value = float(loss.detach())
    if not math.isfinite(value):
        raise FloatingPointError(
            f"the loss is {value} after {training.crops} crops; lower learning_rate and resume"
        )
    training.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(training.network.parameters(), recipe.clip)
    training.optimizer.step()
    training.crops += recipe.batch
    # Young averages forget faster, or they would still hold the first random weights.
    steps = training.crops / recipe.batch
    decay = min(recipe.average, (1 + steps) / (10 + steps))
    with torch.no_grad():
        for name, weights in training.network.state_dict().items():
            training.average[name].lerp_(weights, 1 - decay)
    return value


def train(recipe: Recipe, folder: Path, checkpoint: Path | None = None) -> Path:
    """Trains a network as a recipe says; returns the path of its newest checkpoint.

    Goes on from `checkpoint`, else from the one in the run folder if there is one. Ctrl-C,
    or the signal to terminate, saves and stops. The folder gets recipe.json, log.jsonl,
    checkpoint.safetensors and average.safetensors (the running average alone, fp16).

    Raises:
        ValueError: the recipe's data is missing, or the checkpoint does not fit.
        FloatingPointError: the loss is no longer finite.
    """
    folder.mkdir(parents=True, exist_ok=True)
    newest = folder / CHECKPOINT
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    pool, kept_back = load_pools(recipe)
    add_guesses(pool, kept_back, recipe, folder)
    training = start(recipe, checkpoint or (newest if newest.exists() else None))
    (folder / "recipe.json").write_text(json.dumps(as_table(recipe), indent=2) + "\n")
    batches = DataLoader(
        Batches(pool, recipe, training.crops // recipe.batch),
        batch_size=None,
        num_workers=recipe.workers,
        prefetch_factor=6 if recipe.workers else None,
        multiprocessing_context="fork" if recipe.workers else None,
    )
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with (folder / "log.jsonl").open("a") as log, Progress(*columns) as progress:
        bar = progress.add_task("crops", total=recipe.crops, completed=training.crops, note="")

        def record(**facts: Any) -> None:
            entry = {"crops": training.crops, "seconds": round(training.seconds, 1), **facts}
            log.write(json.dumps(entry) + "\n")
            log.flush()

        def save() -> None:
            state = (training.network, training.average, training.optimizer)
            save_checkpoint(newest, *state, training.facts())
            save_average(folder / AVERAGE, training.average, training.facts())

        saved = clock = time.monotonic()
        # Whoever ends a training from outside means what Ctrl-C means.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        losses: list[float] = []
        try:
            for batch in batches:
                losses.append(step(training, batch))
                now = time.monotonic()
                training.seconds, clock = training.seconds + now - clock, now
                if len(losses) == 100:
                    loss = sum(losses) / len(losses)
                    losses.clear()
                    record(loss=round(loss, 6))
                    progress.update(bar, completed=training.crops, note=f"loss {loss:.4f}")
                if training.crops % recipe.validate_every < recipe.batch:
                    record(
                        validation=validate(training.network, training.average, kept_back, recipe)
                    )
                    clock = time.monotonic()
                if now - saved > recipe.save_every:
                    save()
                    saved = now
            record(validation=validate(training.network, training.average, kept_back, recipe))
        except KeyboardInterrupt:
            progress.console.print(f"stopped after {training.crops} crops; saved, resume any time")
        finally:
            signal.signal(signal.SIGTERM, before)
        save()
    return newest
