"""The folder of a run: what was to be done, what has been, and how it looks; for readers later."""

import json
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image as PillowImage
from torch.utils.tensorboard import SummaryWriter

from selfsharp import __version__
from selfsharp.image import atomic_output
from selfsharp.recipe import as_table
from selfsharp.training.checkpoint import save_average, save_checkpoint
from selfsharp.training.state import Training

CHECKPOINT = "checkpoint.safetensors"
AVERAGE = "average.safetensors"
PICTURES = "pictures.txt"

_README = """# A run of selfsharp {version}

Trains `{network}` ({parameters:.2f} M parameters) for {crops:,} crops, from {origin}.
Last begun or resumed at {time}, with PyTorch {torch} on {device}: {machine}.

| file | what it holds |
|---|---|
| recipe.json | the settled recipe: every setting, those left out of the recipe file too |
| log.jsonl | a line for every 100 steps and for the last ones (losses; `waiting`, the share of time spent waiting for samples) and for every validation |
| tensorboard/ | the same as curves, and sample pictures: `tensorboard --logdir {folder}` |
| samples.png | held-out crops: input, result, truth |
| pictures.txt | photos that could not be read, or are blurred themselves |
| checkpoint.safetensors | all that it takes to go on: run the same command again |
| average.safetensors | the running average of the weights, fp16: what `selfsharp export` takes |
| samples-*/ | distinct crops that are drawn once, where the recipe asks for them; without it they are drawn again |
| estimates*.npz | PSFs estimated before training, where the recipe asks for them |
"""  # noqa: E501


class RunFolder:
    """Writes into the folder of a run; one process of several does.

    Args:
        path: the folder, which exists.
        training: what the folder tells of.
    """

    def __init__(self, path: Path, training: Training) -> None:
        self.path, self.training = path, training
        self._log = (path / "log.jsonl").open("a", encoding="utf-8")
        self._curves = SummaryWriter(
            str(path / "tensorboard"), purge_step=training.crops, flush_secs=30
        )
        self._explain()

    def __enter__(self) -> "RunFolder":
        return self

    def __exit__(self, *_: object) -> None:
        self._log.close()
        self._curves.close()

    def record(self, **facts: Any) -> None:
        """Adds a line to the log, and its numbers to the curves."""
        crops = self.training.crops
        entry = {"crops": crops, "seconds": round(self.training.seconds, 1), **facts}
        self._log.write(json.dumps(entry) + "\n")
        self._log.flush()
        for name, value in facts.items():
            for part, number in value.items() if isinstance(value, dict) else [("", value)]:
                self._curves.add_scalar(f"{name}/{part}" if part else name, number, crops)

    def show(self, sheet: UInt8[np.ndarray, "height width 3"]) -> None:
        """Keeps sample pictures."""
        self._curves.add_image("samples", sheet, self.training.crops, dataformats="HWC")
        with atomic_output(self.path / "samples.png", overwrite=True) as temporary:
            PillowImage.fromarray(sheet).save(temporary, format="PNG")

    def save(self) -> None:
        """Writes the checkpoint and the running average."""
        training, critic = self.training, self.training.critic
        save_checkpoint(
            self.path / CHECKPOINT,
            training.network,
            training.average,
            training.player.optimizer,
            training.facts(),
            (critic.network, critic.optimizer) if critic else None,
        )
        save_average(self.path / AVERAGE, training.average, training.facts())

    def _explain(self) -> None:
        training = self.training
        recipe = json.dumps(as_table(training.recipe), indent=2)
        (self.path / "recipe.json").write_text(recipe + "\n", encoding="utf-8")
        weights = sum(value.numel() for value in training.network.parameters())
        told = _README.format(
            version=__version__,
            network=training.recipe.network,
            parameters=weights / 1e6,
            crops=training.recipe.crops,
            origin=f"a checkpoint ({training.origin})" if training.origin else "random weights",
            time=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            torch=torch.__version__,
            device=training.recipe.device,
            machine=platform.platform(),
            folder=self.path.name,
        )
        (self.path / "README.md").write_text(told, encoding="utf-8")
