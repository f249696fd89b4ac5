"""Measures how fast a training is, and whether it waits for its samples."""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import torch
from lightning_fabric import Fabric

from selfsharp.recipe import Recipe
from selfsharp.training.machine import make_fabric, run_on
from selfsharp.training.state import start
from selfsharp.training.step import Batch
from selfsharp.training.tally import Tally
from selfsharp.training.train import load_batches, prepare_pools, step_of

SECONDS = 30.0
"""How long each of the two is measured."""
WARM_UP = 3
"""Batches or steps before the clock starts: processes begin, kernels are chosen."""
FEW = 16
"""Estimates that are enough to measure with."""


@dataclass(frozen=True)
class Profile:
    """How fast a training is on this machine, all its processes together.

    Attributes:
        loader: samples per second of the loader alone.
        training: samples per second of whole steps.
        waiting: share of the training's time that is spent waiting for samples, 0..1.
    """

    loader: float
    training: float
    waiting: float

    def __str__(self) -> str:
        """The three in a line."""
        return (
            f"loader alone {self.loader:.1f} samples/s, whole steps {self.training:.1f} samples/s "
            f"({1 / self.training:.3f} s a sample), {100 * self.waiting:.1f} % of the time waiting "
            "for samples"
        )


def profile(recipe: Recipe, checkpoint: Path | None = None, seconds: float = SECONDS) -> Profile:
    """Measures the loader alone and whole steps; writes no run folder and trains nothing.

    Args:
        seconds: how long each is measured.

    Raises:
        ValueError: the recipe's data is missing, or the checkpoint does not fit.
    """
    few = replace(recipe, estimates=min(FEW, recipe.estimates))
    with tempfile.TemporaryDirectory() as folder:
        found = run_on(make_fabric(few), _measure, few, checkpoint, seconds, Path(folder))
    return Profile(*found)


def _measure(
    fabric: Fabric, recipe: Recipe, checkpoint: Path | None, seconds: float, folder: Path
) -> tuple[float, float, float]:
    """The three figures of a profile, in one process of one or several."""
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    with fabric.rank_zero_first():
        pool, _ = prepare_pools(recipe, folder, told=False)
    training = start(recipe, checkpoint, fabric)
    training.crops = 0
    take_step = step_of(recipe)

    batches = iter(load_batches(training, pool))
    for _ in islice(batches, WARM_UP):
        pass
    clock = time.monotonic()
    drawn = sum(1 for _ in _within(batches, clock + seconds))
    loader = drawn * recipe.batch / (time.monotonic() - clock)
    del batches  # Ends its processes, which would take time from the steps.

    tally = Tally(training)
    batches = tally.timed(load_batches(training, pool))
    for batch in islice(batches, WARM_UP):
        take_step(training, batch)
    tally.empty()
    tally.skip()
    clock = time.monotonic()
    for batch in _within(batches, clock + seconds):
        tally.add(take_step(training, batch))
    steps, passed = tally.steps, tally.passed
    if not (drawn and steps):
        raise ValueError(f"crops {recipe.crops} are too few to measure; give more")
    return loader, steps * recipe.batch / passed, tally.empty()["waiting"]


def _within(batches: Iterator[Batch], end: float) -> Iterator[Batch]:
    """Batches until the time is over; at least one."""
    for batch in batches:
        yield batch
        if time.monotonic() > end:
            return
