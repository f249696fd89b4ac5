"""The training loop: samples, steps, log, checkpoints, validation."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import torch
from lightning_fabric import Fabric
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch.utils.data import DataLoader

from selfsharp.recipe import Recipe
from selfsharp.training.batches import Batches
from selfsharp.training.checkpoint import read_checkpoint
from selfsharp.training.estimates import add_guesses
from selfsharp.training.gan_step import gan_step
from selfsharp.training.interruption import Interruption, ignore_signals
from selfsharp.training.kept_samples import KeptSamples, kept_in
from selfsharp.training.machine import keep_memory, make_fabric, own_share, run_on
from selfsharp.training.pool import Pool, load_pools
from selfsharp.training.run_folder import CHECKPOINT, RunFolder
from selfsharp.training.sheet import draw_sheet
from selfsharp.training.state import Training, start
from selfsharp.training.step import Batch, Losses, step
from selfsharp.training.survey import left_out
from selfsharp.training.tally import Tally
from selfsharp.training.validate import validate

LINE = 100
"""Steps of a line in the log."""


def train(recipe: Recipe, folder: Path, checkpoint: Path | None = None) -> Path:
    """Trains a network as a recipe says; returns the path of its newest checkpoint.

    Goes on from the checkpoint in the run folder if there is one; else, or where that one did
    not begin from `checkpoint`, from `checkpoint`. Ctrl-C, or the signal to terminate, saves
    and stops. The folder gets a README.md that tells what is in it.

    Raises:
        ValueError: the recipe's data is missing, or the checkpoint does not fit.
        FloatingPointError: the loss is no longer finite.
    """
    fabric = make_fabric(recipe)
    folder.mkdir(parents=True, exist_ok=True)
    run_on(fabric, _train, recipe, folder, *choose_checkpoint(folder, checkpoint))
    return folder / CHECKPOINT


def choose_checkpoint(folder: Path, given: Path | None) -> tuple[Path | None, str]:
    """The checkpoint to go on from, and a digest of the one that the run began from.

    It is the run's own, unless the run began from another than is given.

    Raises:
        ValueError: a checkpoint is missing or is none.
    """
    newest = folder / CHECKPOINT
    own = read_checkpoint(newest)[1].get("origin", "") if newest.exists() else None
    if given is None:
        return (None, "") if own is None else (newest, own)
    read_checkpoint(given)
    digest = hashlib.sha256(given.read_bytes()).hexdigest()[:16]
    return (newest if own == digest else given), digest


def _train(
    fabric: Fabric, recipe: Recipe, folder: Path, checkpoint: Path | None, origin: str
) -> None:
    """The training in one process, of one or several."""
    keep_memory()
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    with fabric.rank_zero_first():  # The others find its estimates on disk.
        pool, kept_back = prepare_pools(recipe, folder, told=fabric.is_global_zero)
    training = start(recipe, checkpoint, fabric)
    training.origin = origin
    kept = kept_in(folder, pool, recipe)
    if fabric.is_global_zero:
        with RunFolder(folder, training) as run:
            _loop(training, pool, kept_back, kept, run)
    else:
        _loop(training, pool, kept_back, kept, None)


def prepare_pools(recipe: Recipe, folder: Path, *, told: bool) -> tuple[Pool, Pool]:
    """Photos and estimates for training and for validation; tells of photos that do not serve."""
    pool, kept_back = load_pools(recipe, left_out(recipe, folder, told=told))
    add_guesses(pool, kept_back, recipe, folder)
    return pool, kept_back


def load_batches(
    training: Training, pool: Pool, kept: KeptSamples | None = None
) -> DataLoader[Batch]:
    """The batches that are still to come, made by the recipe's number of processes."""
    recipe, fabric = training.recipe, training.fabric
    share = own_share(fabric, recipe.batch)
    return DataLoader(
        Batches(pool, recipe, training.crops // recipe.batch, share, kept),
        batch_size=None,
        num_workers=recipe.workers,
        prefetch_factor=6 if recipe.workers else None,
        multiprocessing_context="fork" if recipe.workers else None,
        worker_init_fn=ignore_signals,
        pin_memory=fabric.device.type == "cuda",
    )


def step_of(recipe: Recipe) -> Callable[[Training, Batch], Losses]:
    """What a recipe does with a batch."""
    return step if recipe.critic == "none" else gan_step


def _loop(
    training: Training, pool: Pool, kept_back: Pool, kept: KeptSamples, run: RunFolder | None
) -> None:
    """Step after step until the crops are seen, or until it is asked to stop."""
    recipe, take_step = training.recipe, step_of(training.recipe)
    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("crops"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, disable=run is None) as progress, Interruption() as interruption:
        bar = progress.add_task("", total=recipe.crops, completed=training.crops, note="")
        tally, saved = Tally(training), time.monotonic()

        def write_down() -> None:
            means = tally.empty()
            if run is not None:
                run.record(**means)

        def judge() -> None:
            progress.update(bar, note="validating")
            if run is not None:
                scored = (training.network, training.average, kept_back, recipe)
                run.record(validation=validate(*scored))
                run.show(draw_sheet(*scored))
            training.fabric.barrier()
            tally.skip()

        judged, stopped, begun = training.crops, False, training.crops
        for batch in tally.timed(load_batches(training, pool, kept)):
            tally.add(take_step(training, batch))
            progress.update(bar, completed=training.crops, note=f"loss {tally.loss:.4f}")
            if tally.steps == LINE:
                write_down()
            if training.crops % recipe.validate_every < recipe.batch:
                judge()
                judged = training.crops
            if run is not None and time.monotonic() - saved > recipe.save_every:
                run.save()
                saved = time.monotonic()
            stopped = interruption.is_wished(training.fabric)
            if stopped:
                told = f"stopped after {training.crops} crops; saved, resume any time"
                progress.console.print(told)
                break
        if tally.steps:
            write_down()
        if training.crops == begun:
            progress.console.print(f"nothing left to do: {begun} crops are seen; raise crops")
        elif judged < training.crops and not stopped:
            judge()
        if run is not None:
            run.save()
