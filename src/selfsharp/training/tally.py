"""Counts what happens between two lines of the log: losses, and time spent waiting for samples."""

import time
from collections.abc import Iterable, Iterator

from selfsharp.training.state import Training
from selfsharp.training.step import Batch, Losses


class Tally:
    """Means of losses over some steps, and where the time went.

    Args:
        training: its `seconds` are kept up to date.
    """

    def __init__(self, training: Training) -> None:
        self.training = training
        self._clock = time.monotonic()
        self._clear()

    def timed(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The batches; the time until each is there counts as waiting."""
        source = iter(batches)
        while True:
            asked = time.monotonic()
            batch = next(source, None)
            if batch is None:
                return
            self.waited += time.monotonic() - asked
            yield batch

    def add(self, losses: Losses) -> None:
        """Counts a step, and its time since the last one or since `skip`."""
        now = time.monotonic()
        passed, self._clock = now - self._clock, now
        self.training.seconds += passed
        self.passed += passed
        self.steps += 1
        for name, value in losses.items():
            self._losses.setdefault(name, []).append(value)

    @property
    def loss(self) -> float:
        """The mean loss of the steps since the last line of the log."""
        losses = self._losses["loss"]
        return sum(losses) / len(losses)

    def skip(self) -> None:
        """Leaves out the time since the last step, which was spent on something else."""
        self._clock = time.monotonic()

    def empty(self) -> Losses:
        """The means since the last time, and the share of time spent waiting."""
        means = {name: round(sum(v) / len(v), 6) for name, v in self._losses.items()}
        means["waiting"] = round(self.waited / max(self.passed, 1e-9), 4)
        self._clear()
        return means

    def _clear(self) -> None:
        self._losses: dict[str, list[float]] = {}
        self.steps, self.waited, self.passed = 0, 0.0, 0.0
