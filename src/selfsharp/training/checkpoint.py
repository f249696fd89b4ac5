"""Checkpoints: everything a training needs to go on, in one safetensors file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from selfsharp.image import atomic_output


def save_checkpoint(
    path: Path,
    network: nn.Module,
    average: Mapping[str, Tensor],
    optimizer: torch.optim.Optimizer,
    facts: Mapping[str, Any],
    critic: tuple[nn.Module, torch.optim.Optimizer] | None = None,
) -> None:
    """Writes weights, their running average, the optimiser's state and facts, atomically.

    Args:
        facts: plain values, such as crops seen and the settled recipe.
        critic: the generator's critic with its own optimiser, where there is one.
    """
    tensors = {f"weights/{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"average/{name}": value for name, value in average.items()}
    tensors |= _state_of(optimizer, "optimizer")
    if critic is not None:
        judge, its_optimizer = critic
        tensors |= {f"critic/{name}": value for name, value in judge.state_dict().items()}
        tensors |= _state_of(its_optimizer, "critic-optimizer")
    whole = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    with atomic_output(path, overwrite=True) as temporary:
        save_file(whole, temporary, metadata={"facts": json.dumps(facts)})


def save_average(path: Path, average: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Writes the running average alone, in fp16: small enough to keep with the code."""
    tensors = {
        f"average/{name}": value.detach().cpu().half().contiguous()
        for name, value in average.items()
    }
    with atomic_output(path, overwrite=True) as temporary:
        save_file(tensors, temporary, metadata={"facts": json.dumps(facts)})


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the facts of a checkpoint.

    Raises:
        ValueError: the file is missing or is no checkpoint of ours.
    """
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return tensors, json.loads(metadata["facts"])
    except FileNotFoundError:
        raise ValueError(f"{path} does not exist; name a checkpoint.safetensors") from None
    except (OSError, SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not a checkpoint of selfsharp: {error}") from None


def part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors under a prefix, such as `average`, by their names below it."""
    start = f"{prefix}/"
    return {name[len(start) :]: t for name, t in tensors.items() if name.startswith(start)}


def restore_optimizer(
    optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor], prefix: str = "optimizer"
) -> None:
    """Gives an optimiser the state that a checkpoint holds under a prefix."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in part(tensors, prefix).items():
        index, key = name.split("/")
        state.setdefault(int(index), {})[key] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _state_of(optimizer: torch.optim.Optimizer, prefix: str) -> dict[str, Tensor]:
    return {
        f"{prefix}/{index}/{key}": value
        for index, state in optimizer.state_dict()["state"].items()
        for key, value in state.items()
    }
