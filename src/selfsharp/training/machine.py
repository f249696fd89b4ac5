"""Where a training runs: device, precision, and processes that share the crops of a step."""

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import Precision
from lightning_fabric.strategies import DDPStrategy
from torch.multiprocessing.spawn import ProcessException

from selfsharp.recipe import Recipe

MMAP_MAX, TRIM_THRESHOLD = -4, -1
"""Settings of the C library's allocator (mallopt of glibc): how many pieces of memory are asked of
the system one by one, and how much freed memory is kept."""
KEPT = 2**31 - 1
"""Bytes of freed memory that a training keeps for its next step."""
PATIENCE = timedelta(hours=6)
"""How long processes wait for one that reads photos or makes estimates."""


def keep_memory() -> None:
    """Has freed memory kept for the next step, where the C library (glibc) can be told so.

    A step frees all that it takes, and what goes back to the system has to be cleared by it before
    the next step gets it: on the virtual machine where this was measured, two fifths of the time.
    """
    change = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if change is not None:
        change(MMAP_MAX, 0)
        change(TRIM_THRESHOLD, KEPT)


class HalfConvolutions(Precision):
    """Convolutions in bfloat16; what goes in stays float32, as its last bits are what counts.

    Not Fabric's own mixed precision, which rounds inputs and forbids the gradients within a
    gradient penalty.

    Args:
        device: kind of device, such as cpu or cuda.
    """

    precision = "bf16-mixed"

    def __init__(self, device: str) -> None:
        self.device = device

    def forward_context(self) -> AbstractContextManager:
        """Computes in bfloat16 where that is safe."""
        return torch.autocast(self.device, torch.bfloat16)

    def convert_output(self, data: Any) -> Any:
        """What a network gives, or a list of that, as float32."""
        return [plane.float() for plane in data] if isinstance(data, list) else data.float()


def make_fabric(recipe: Recipe) -> Fabric:
    """The device or devices that a recipe names, in its precision.

    Raises:
        ValueError: there is no such device, or the processes cannot share a step evenly.
    """
    if recipe.devices < 1 or recipe.batch % recipe.devices:
        raise ValueError(
            f"batch {recipe.batch} cannot be shared by {recipe.devices} devices; "
            "let it be a multiple of them"
        )
    kind, _, index = recipe.device.partition(":")
    strategy = DDPStrategy(start_method="spawn", timeout=PATIENCE) if recipe.devices > 1 else "auto"
    try:
        return Fabric(
            accelerator=kind,
            devices=[int(index)] if index else recipe.devices,
            strategy=strategy,
            plugins=HalfConvolutions(kind) if recipe.precision == "bfloat16" else None,
        )
    except (ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"device {recipe.device!r} cannot be used: {reason}") from None


def run_on(fabric: Fabric, work: Callable[..., Any], *arguments: Any) -> Any:
    """Calls `work(fabric, *arguments)` in every process; returns what the first one returns.

    Of several processes, the result comes through a pipe: let it be a few numbers.

    Raises:
        ValueError: a process of several stopped; what `work` raises where it is one.
    """
    try:
        with _signals_passed_on():
            # As one thing: Fabric would look into each argument, and refuses frozen ones.
            return fabric.launch(_Bound(work, arguments))
    except ProcessException as error:
        reason = str(error).strip().splitlines()[-1].removeprefix("ValueError: ")
        raise ValueError(f"a process of several stopped: {reason}") from None


@dataclass(frozen=True)
class _Bound:
    """A function of a Fabric with its other arguments, fit to be sent to another process."""

    work: Callable[..., Any]
    arguments: tuple[Any, ...]

    def __call__(self, fabric: Fabric) -> Any:
        result = self.work(fabric, *self.arguments)
        if torch.distributed.is_initialized():
            # Together: a process that ends while another still listens keeps it from ending.
            fabric.barrier()
            torch.distributed.destroy_process_group()
        return result


def agreed(fabric: Fabric, value: torch.Tensor) -> torch.Tensor:
    """The mean of a value over all processes."""
    if fabric.world_size == 1:
        return value
    return fabric.all_reduce(value, reduce_op="mean")  # type: ignore[return-value]


def own_share(fabric: Fabric, batch: int) -> slice:
    """Which of a step's samples are this process's own."""
    number = batch // fabric.world_size
    return slice(fabric.global_rank * number, (fabric.global_rank + 1) * number)


@contextmanager
def _signals_passed_on() -> Iterator[None]:
    """Passes Ctrl-C and the signal to terminate on to child processes, and waits for them."""

    def pass_on(number: int, _frame: object) -> None:
        children = multiprocessing.active_children()
        if not children:
            raise KeyboardInterrupt
        # Ctrl-C on a terminal reaches the children by itself.
        if number == signal.SIGTERM:
            for child in children:
                if child.pid:
                    os.kill(child.pid, signal.SIGTERM)

    kinds = (signal.SIGINT, signal.SIGTERM)
    before = {kind: signal.signal(kind, pass_on) for kind in kinds}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
