"""A trained model on disk: card.json beside ONNX graphs, each checked by its sha256."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from selfsharp.graph_file import check_graph

PRETRAINED = Path(__file__).parent / "pretrained"
"""Where the bundled models lie."""

CARD = "card.json"
GRAPHS = ("detector", "generator")
ESTIMATING = ("edges", "mend")
"""Graphs of a learnt round of the PSF's estimate, which a model has both of or neither."""
CONTEXT = "context"
"""Graph of a detector that knows the surroundings, too; what restores has no need of it."""
UNGUIDED = "unguided"
"""Graph of a generator of its own for parts of which no PSF is known, where a model has it."""
QUICK = "quick"
"""Graph of a lighter generator for parts of which one is known, where a model has it: it restores
with less effort."""
OTHERS = (UNGUIDED, QUICK)
"""Graphs of generators that a model may have beside its own."""


class ModelError(ValueError):
    """A model that is missing, unknown or changed; its message is one line."""


@dataclass(frozen=True)
class Card:
    """What a model says about itself: all that restoring has to know beside the weights."""

    name: str
    """What the model is called."""
    description: str
    """One line on what it is for."""
    licence: str
    """Licence of the weights."""
    threshold: float
    """Probability from which a pixel counts as blurred."""
    certain: float
    """Probability that some place in a blurred part has to reach."""
    least_radius: float
    """Blur radius in pixels under which there is nothing to gain."""
    least_change: float
    """Mean size of a residual, on the 0..1 scale, under which it is not worth a change."""
    halo: int
    """Pixels around a tile that a generator sees and that are thrown away."""
    halos: Mapping[str, int] = field(default_factory=dict)
    """The same of those generators that need another, by their graphs' names."""
    network: str = ""
    """The generator's architecture."""
    multiple: int = 1
    """Height and width of a generator's tile are multiples of this."""
    detector_multiple: int = 4
    """Height and width of what the detector sees are multiples of this."""
    context_multiple: int = 4
    """The same for the detector that knows the surroundings, where the model has it."""
    ranges: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)
    """Of generators, by their graphs' names: lowest and highest number that goes into each of the
    convolutions, by its name in the graph. That is what 8 bits have to hold; those that are missing
    need more than 8 bits."""
    sha256: Mapping[str, str] = field(default_factory=dict)
    """Checksum of each graph's file."""
    training: Mapping[str, Any] = field(default_factory=dict)
    """Recipe, crops seen and seconds of each network."""
    scores: Mapping[str, Any] = field(default_factory=dict)
    """Measured figures, with the command that measured them."""

    @property
    def graphs(self) -> tuple[str, ...]:
        """Names of the model's graphs."""
        more = ESTIMATING if set(ESTIMATING) <= set(self.sha256) else ()
        return GRAPHS + more + tuple(one for one in (CONTEXT, *OTHERS) if one in self.sha256)


def model_names() -> list[str]:
    """Names of the bundled models."""
    return sorted(path.parent.name for path in PRETRAINED.glob(f"*/{CARD}"))


def find_model(name: str | Path) -> Path:
    """The folder of a bundled model by its name, or of any model by its path.

    Raises:
        ModelError: there is no such model.
    """
    bundled = PRETRAINED / str(name)
    if str(name) in model_names():
        return bundled
    if (Path(name) / CARD).is_file():
        return Path(name)
    raise ModelError(
        f"unknown model {str(name)!r}; choose one of: {', '.join(model_names())}, "
        f"or name a model folder with a {CARD}"
    )


def read_card(folder: Path) -> Card:
    """The card of a model folder.

    Raises:
        ModelError: the card cannot be read or lacks something.
    """
    try:
        return Card(**json.loads((folder / CARD).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"{folder / CARD} is not a model's card: {error}") from None


def read_graph(folder: Path, card: Card, graph: str) -> bytes:
    """The bytes of one of a model's ONNX graphs, proven to be those the card tells of.

    Raises:
        ModelError: the file is missing, its checksum differs, or it wants more than to be
            computed: other files, operators of its own, loops.
    """
    path = folder / f"{graph}.onnx"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}; install again") from None
    if hashlib.sha256(content).hexdigest() != card.sha256.get(graph):
        raise ModelError(f"{path} is not the file that its card tells of; install again")
    try:
        check_graph(content)
    except ValueError as error:
        raise ModelError(f"{path} {error}; take a model that selfsharp exported") from None
    return content


def write_card(folder: Path, card: Card) -> None:
    """Writes a model's card, with the checksums of the graphs that lie beside it."""
    perhaps = (*ESTIMATING, CONTEXT, *OTHERS)
    there = [graph for graph in perhaps if (folder / f"{graph}.onnx").exists()]
    sums = {
        graph: hashlib.sha256((folder / f"{graph}.onnx").read_bytes()).hexdigest()
        for graph in (*GRAPHS, *there)
    }
    table = asdict(card) | {"sha256": sums}
    (folder / CARD).write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
