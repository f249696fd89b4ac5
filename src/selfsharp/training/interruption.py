"""Ctrl-C, and the signal to terminate, as a wish to stop after the step that is running."""

import signal
from types import TracebackType

import torch
from lightning_fabric import Fabric

from selfsharp.training.machine import agreed

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Turns the first signal into a wish; a second one stops at once.

    A step that is broken off in the middle would leave weights without their count of crops.
    """

    def __init__(self) -> None:
        self.wished = False

    def __enter__(self) -> "Interruption":
        self._before = {kind: signal.signal(kind, self._wish) for kind in SIGNALS}
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _wish(self, _number: int, _frame: object) -> None:
        self.wished = True
        for number in SIGNALS:
            signal.signal(number, signal.default_int_handler)

    def is_wished(self, fabric: Fabric) -> bool:
        """Whether any of the processes was asked to stop; all have to ask at the same step."""
        if fabric.world_size == 1:
            return self.wished
        wish = torch.tensor(float(self.wished), device=fabric.device)
        return bool(agreed(fabric, wish) > 0)


def ignore_signals(_worker: int) -> None:
    """Lets a process that makes samples live until its training ends by itself."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
