"""The state of a training: networks, their optimisers, the running average, and how far it is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from pydantic import TypeAdapter
from torch import Tensor, nn
from torch.optim import Optimizer

from selfsharp.networks.detector import Detector
from selfsharp.networks.discriminator import Discriminator
from selfsharp.networks.estimator import Estimator
from selfsharp.networks.generators import GENERATORS
from selfsharp.networks.vgg import Vgg, read_weights
from selfsharp.recipe import Recipe, as_method
from selfsharp.training.checkpoint import part, read_checkpoint, restore_optimizer
from selfsharp.training.machine import make_fabric
from selfsharp.training.muon import Muon


def build_network(recipe: Recipe) -> nn.Module:
    """The network that a recipe names, with its options.

    Raises:
        ValueError: there is no such network, or it does not take such options.
    """
    finders = {"detector": Detector, "estimator": Estimator}
    make = finders.get(recipe.network) or GENERATORS.load(recipe.network).Generator
    try:
        return make(**recipe.options)
    except TypeError as error:
        raise ValueError(f"options of {recipe.network}: {error}") from None


def recipe_of(facts: dict[str, Any]) -> Recipe:
    """The recipe that a checkpoint was trained by."""
    return TypeAdapter(Recipe).validate_python(facts["recipe"])


@dataclass
class Player:
    """A network with its optimiser.

    Attributes:
        network: the network itself.
        run: the network as Fabric runs it: in the recipe's precision, and in step with the
            other processes.
        optimizer: what changes its weights.
    """

    network: nn.Module
    run: Any
    optimizer: Optimizer


@dataclass
class Training:
    """A network on its way: what changes from step to step, and what that takes.

    Attributes:
        average: the running average of the network's weights.
        critic: the generator's opponent, where the recipe has one.
        features: what the content loss compares in, where the recipe has one.
        origin: digest of the checkpoint that it began from; empty for none.
        crops: crops seen, over all sessions and processes.
        seconds: time of its steps, over all sessions.
    """

    recipe: Recipe
    fabric: Fabric
    player: Player
    average: dict[str, Tensor]
    critic: Player | None = None
    features: Vgg | None = None
    origin: str = ""
    crops: int = 0
    seconds: float = 0.0

    @property
    def network(self) -> nn.Module:
        """The network that is trained."""
        return self.player.network

    def facts(self) -> dict[str, Any]:
        """What a checkpoint says beside its tensors."""
        return {
            "recipe": as_method(self.recipe),
            "origin": self.origin,
            "crops": self.crops,
            "seconds": round(self.seconds, 1),
        }


def start(recipe: Recipe, checkpoint: Path | None = None, fabric: Fabric | None = None) -> Training:
    """A training at its beginning, or where a checkpoint left it.

    A checkpoint without an optimiser's state, or of a network that differs, gives what weights fit
    and no more: training warms up from there, with crops counted anew.

    Raises:
        ValueError: the checkpoint does not fit the recipe's network, or the recipe does not
            fit together.
    """
    fabric = fabric or make_fabric(recipe)
    torch.manual_seed(recipe.seed)
    network = build_network(recipe)
    _check(recipe, network)
    _freeze(network, recipe.frozen)
    make = Muon if recipe.optimizer == "muon" else torch.optim.AdamW
    optimizer = make(
        network.parameters(), lr=recipe.learning_rate, betas=recipe.betas, weight_decay=1e-4
    )
    training = Training(recipe, fabric, _set_up(fabric, network, optimizer, recipe), {})
    if recipe.critic != "none":
        training.critic = _make_critic(recipe, fabric)
    if recipe.content:
        weights = read_weights(recipe.vgg) if recipe.vgg else read_weights()
        training.features = Vgg(weights).eval().to(fabric.device)
    if checkpoint is None:
        training.average = {n: v.detach().clone() for n, v in network.state_dict().items()}
    else:
        _go_on(training, checkpoint)
    return training


def _check(recipe: Recipe, network: nn.Module) -> None:
    """Refuses settings that do not fit together."""
    generates = recipe.network not in ("detector", "estimator")
    if not generates and (recipe.critic != "none" or recipe.content):
        raise ValueError(
            f"the {recipe.network} takes no critic and no content loss; leave both out"
        )
    if recipe.blur_on_device and (recipe.distinct or not generates):
        raise ValueError(
            "blur_on_device is for generators whose crops are all new; leave it out, "
            "or give a generator and distinct 0"
        )
    scales = recipe.options.get("scales", 1)
    if (recipe.coarse > 0) != (scales > 1):
        raise ValueError(
            f"coarse {recipe.coarse:g} does not fit the network's option scales {scales}; "
            "give coarse above 0 and scales above 1, or neither"
        )
    if recipe.coarse and not hasattr(network, "every_scale"):
        raise ValueError(f"{recipe.network} gives no coarser scales; leave out coarse")


def _freeze(network: nn.Module, parts: tuple[str, ...]) -> None:
    """Keeps parts of a network from learning.

    Raises:
        ValueError: it has no such part.
    """
    for name in parts:
        try:
            network.get_submodule(name).requires_grad_(False)
        except AttributeError:
            known = ", ".join(name for name, _ in network.named_children())
            raise ValueError(
                f"frozen {name}: the network has no such part; it has {known}"
            ) from None


def _set_up(fabric: Fabric, network: nn.Module, optimizer: Optimizer, recipe: Recipe) -> Player:
    """A network on its device; the optimiser keeps pointing at the same weights."""
    network.to(device=fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if recipe.compile:
        network.compile()
    run = fabric.setup_module(network)
    if hasattr(network, "every_scale"):
        run.mark_forward_method("every_scale")
    return Player(network, run, optimizer)


def _make_critic(recipe: Recipe, fabric: Fabric) -> Player:
    critic = Discriminator(recipe.gan.width, spectral=recipe.critic == "spectral")
    rate, weights = recipe.gan.learning_rate, critic.parameters()
    if recipe.critic == "clip":  # As its authors: momentum makes a clipped critic unstable.
        optimizer: Optimizer = torch.optim.RMSprop(weights, lr=rate)
    else:
        optimizer = torch.optim.Adam(weights, lr=rate, betas=(0.0, 0.9))
    return _set_up(fabric, critic, optimizer, recipe)


def _go_on(training: Training, checkpoint: Path) -> None:
    """Gives a training what a checkpoint holds."""
    tensors, facts = read_checkpoint(checkpoint)
    average = part(tensors, "average")
    weights = part(tensors, "weights") or average
    fit = getattr(training.network, "begun_from", dict)
    fitted, average = fit(weights), fit(average)
    shapes = ({name: one.shape for name, one in each.items()} for each in (fitted, weights))
    differs = next(shapes) != next(shapes)
    name = training.recipe.network
    _load(training.network, fitted, f"{checkpoint} does not fit {name}")
    device = training.fabric.device
    training.average = {name: value.float().to(device) for name, value in average.items()}
    if differs or not part(tensors, "optimizer"):
        return
    restore_optimizer(training.player.optimizer, tensors)
    training.crops, training.seconds = facts["crops"], facts["seconds"]
    critic = part(tensors, "critic")
    if training.critic is not None and critic:
        _load(training.critic.network, critic, f"{checkpoint} does not fit the critic")
        restore_optimizer(training.critic.optimizer, tensors, "critic-optimizer")


def _load(network: nn.Module, weights: dict[str, Tensor], trouble: str) -> None:
    try:
        network.load_state_dict({name: value.float() for name, value in weights.items()})
    except RuntimeError as error:
        raise ValueError(f"{trouble}: {str(error).splitlines()[-1].strip()}") from None
