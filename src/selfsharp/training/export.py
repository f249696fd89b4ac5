"""From checkpoints to a model folder: ONNX graphs, proven equal to PyTorch.

Weights are stored in 8 bits, those that a PSF hangs on in fp16.
"""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
import torch
from jaxtyping import Float32, Int8
from onnx import helper, numpy_helper
from torch import nn
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations

from selfsharp.model_folder import CONTEXT, ESTIMATING, OTHERS, QUICK, UNGUIDED, Card, write_card
from selfsharp.networks.blocks import CHANNELS
from selfsharp.networks.detector import Detector
from selfsharp.restore.runtime import Graph
from selfsharp.training.checkpoint import part, read_checkpoint
from selfsharp.training.ranges import measure_ranges
from selfsharp.training.state import build_network, recipe_of

TOLERANCE = 2e-4
"""Largest difference allowed between PyTorch and ONNX Runtime on random tiles."""
MOST = 127
"""Largest number of a weight that is stored in 8 bits; the least is its negative."""
Bits = Literal[8, 16]
"""Bits in which a convolution's weights are stored: whole numbers times a factor of each channel
that they lead to, or fp16."""


def export(
    detector: Path,
    generator: Path,
    folder: Path,
    card: Card,
    estimator: Path | None = None,
    pictures: Path | None = None,
    unguided: Path | None = None,
    quick: Path | None = None,
    context: Path | None = None,
) -> Card:
    """Makes a model folder out of a detector's and a generator's checkpoint.

    Args:
        estimator: checkpoint of what makes PSFs better; without one they are as physics alone
            tells them.
        unguided: checkpoint of a generator for parts of which no PSF is known; without one they
            are left to `generator`.
        quick: checkpoint of a lighter generator, which restores with less effort where a PSF is
            known; without one `generator` does.
        pictures: folder of sharp photos, to measure by what 8 bits have to hold; without it the
            model's card has no ranges.
        context: checkpoint of a detector that knows the surroundings, for `map`; the other's own,
            where it has one, when not given.
        card: says what the checkpoints do not: name, description, thresholds, halos.

    Returns:
        The card as written, with networks, size rules and training filled in.

    Raises:
        ValueError: a checkpoint is not one, or holds another network than it should.
        RuntimeError: ONNX Runtime does not compute what PyTorch does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    finder, finder_facts = load_detector(detector)
    maker, maker_facts = load_generator(generator)
    training = {"detector": finder_facts, "generator": maker_facts}
    seer = finder
    if context is not None:
        seer, training[CONTEXT] = load_detector(context)
        if seer.context is None:
            raise ValueError(f"{context} knows no surroundings; give what context.toml has trained")
    context_multiple = seer.multiple
    (folder / f"{CONTEXT}.onnx").unlink(missing_ok=True)
    if seer.context is not None:
        write_graph(seer, folder / f"{CONTEXT}.onnx", bits=8)
    finder = finder.without_context()
    write_graph(finder, folder / "detector.onnx", bits=8)
    write_graph(maker, folder / "generator.onnx", bits=8)
    for graph, checkpoint in ((UNGUIDED, unguided), (QUICK, quick)):
        (folder / f"{graph}.onnx").unlink(missing_ok=True)
        if checkpoint is None:
            continue
        other, training[graph] = load_generator(checkpoint)
        if int(maker.multiple) % int(other.multiple):  # type: ignore[arg-type]
            raise ValueError(
                f"{checkpoint} wants tiles of multiples of {other.multiple} px, and {generator} of "
                f"{maker.multiple}; give one of no more scales"
            )
        write_graph(other, folder / f"{graph}.onnx", bits=8)
    for graph in ESTIMATING:
        (folder / f"{graph}.onnx").unlink(missing_ok=True)
    if estimator is not None:
        guesser, training["estimator"] = load_average(estimator)
        if training["estimator"]["recipe"]["network"] != "estimator":
            raise ValueError(f"{estimator} holds no estimator; choose another checkpoint")
        for graph in ESTIMATING:
            write_graph(guesser.get_submodule(graph), folder / f"{graph}.onnx")
    ranges = {
        graph: measure_ranges(folder / f"{graph}.onnx", pictures)
        for graph in ("generator", *OTHERS)
        if pictures is not None and (folder / f"{graph}.onnx").exists()
    }
    card = replace(
        card,
        ranges=ranges,
        network=maker_facts["recipe"]["network"],
        halos={graph: halo for graph, halo in card.halos.items() if graph in training},
        multiple=int(maker.multiple),  # type: ignore[arg-type]
        detector_multiple=finder.multiple,
        context_multiple=context_multiple,
        training=training,
    )
    write_card(folder, card)
    return card


def load_detector(checkpoint: Path) -> tuple[Detector, dict]:
    """A detector as it is stored in a model, and its checkpoint's facts.

    Raises:
        ValueError: it holds another network.
    """
    network, facts = load_average(checkpoint, bits=8)
    if not isinstance(network, Detector):
        raise ValueError(f"{checkpoint} holds no detector; swap or choose another checkpoint")
    return network, facts


def load_generator(checkpoint: Path) -> tuple[nn.Module, dict]:
    """A generator as it is stored in a model, and its checkpoint's facts.

    Raises:
        ValueError: it holds another network.
    """
    network, facts = load_average(checkpoint, bits=8)
    if (other := facts["recipe"]["network"]) in ("detector", "estimator"):
        raise ValueError(f"{checkpoint} holds the {other}; give a generator's checkpoint")
    return network, facts


def load_average(checkpoint: Path, bits: Bits = 16) -> tuple[nn.Module, dict]:
    """The averaged network of a checkpoint, ready for use, and the checkpoint's facts.

    Args:
        bits: in which its weights are to be stored; they are rounded to that.
    """
    tensors, facts = read_checkpoint(checkpoint)
    network = build_network(recipe_of(facts))
    network.load_state_dict({n: value.float() for n, value in part(tensors, "average").items()})
    settle(network.eval())
    # As the weights ship, so that the proof compares the same numbers.
    stored = {name: value.half().float() for name, value in network.state_dict().items()}
    if bits == 8:
        for name, value in stored.items():
            if value.ndim == 4:
                whole, factor = in_8_bits(value.numpy())
                stored[name] = torch.from_numpy(whole * factor)
    network.load_state_dict(stored)
    return network, facts


def in_8_bits(
    weights: Float32[np.ndarray, "channels _ _ _"],
) -> tuple[Int8[np.ndarray, "channels _ _ _"], Float32[np.ndarray, "channels 1 1 1"]]:
    """Weights as whole numbers, and the factor of each channel that makes weights of them again."""
    factor = np.abs(weights).max(axis=(1, 2, 3), keepdims=True) / np.float32(MOST)
    factor = np.maximum(factor, np.finfo(np.float32).tiny)
    return np.round(weights / factor).astype(np.int8), factor


@torch.no_grad()
def settle(network: nn.Module) -> None:
    """Makes plain weights of normalised ones, as they are after training."""
    for module in network.modules():
        if is_parametrized(module, "weight"):
            remove_parametrizations(module, "weight")


def write_graph(network: nn.Module, path: Path, bits: Bits = 16) -> None:
    """Writes a network as an ONNX graph for any tile size.

    Args:
        bits: in which the weights of its convolutions are stored, rounded to that before.

    Raises:
        RuntimeError: ONNX Runtime does not compute what PyTorch does.
    """
    inputs = {name: CHANNELS[name] for name in network.inputs}  # type: ignore[union-attr]
    multiple = int(network.multiple)  # type: ignore[arg-type]
    height, width = torch.export.Dim("rows", min=2), torch.export.Dim("columns", min=2)
    example = tuple(
        torch.rand(1, channels, 4 * multiple, 6 * multiple) for channels in inputs.values()
    )
    sizes = {2: multiple * height, 3: multiple * width}
    with tempfile.TemporaryDirectory() as scratch:
        whole = Path(scratch) / "graph.onnx"
        torch.onnx.export(
            network,
            example,
            whole,
            input_names=list(inputs),
            output_names=["out"],
            dynamic_shapes=tuple(sizes for _ in inputs),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
        model = onnx.load(whole)
    _shrink_weights(model, bits)
    onnx.save(model, path)
    _prove_equal(network, inputs, path)


def _shrink_weights(model: onnx.ModelProto, bits: Bits) -> None:
    """Stores float32 weights in less; what is done once, at load time, makes float32 of them again.

    Biases and the like are stored in fp16 in any case.
    """
    unpacked, factors = [], []
    for weights in model.graph.initializer:
        if weights.data_type != onnx.TensorProto.FLOAT:
            continue
        name, values = weights.name, numpy_helper.to_array(weights)
        if bits == 8 and values.ndim == 4:
            whole, factor = in_8_bits(values)
            weights.CopyFrom(numpy_helper.from_array(whole, f"{name}.int8"))
            factors.append(numpy_helper.from_array(factor, f"{name}.factor"))
            unpacked.append(_cast(weights.name, f"{name}.whole"))
            multiplied = [f"{name}.whole", f"{name}.factor"]
            unpacked.append(helper.make_node("Mul", multiplied, [name]))
        else:
            half = values.astype(np.float16)
            weights.CopyFrom(numpy_helper.from_array(half, f"{name}.fp16"))
            unpacked.append(_cast(weights.name, name))
    model.graph.initializer.extend(factors)
    nodes = [*unpacked, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    # Names and sources of every operation would be a third of a small file.
    del model.graph.value_info[:]
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    del model.metadata_props[:]
    del model.graph.metadata_props[:]


def _cast(stored: str, name: str) -> onnx.NodeProto:
    """What makes float32 of weights that are stored in less."""
    return helper.make_node("Cast", [stored], [name], to=onnx.TensorProto.FLOAT)


def _prove_equal(network: nn.Module, inputs: dict[str, int], path: Path) -> None:
    graph = Graph(path.read_bytes(), threads=1)
    multiple = int(network.multiple)  # type: ignore[arg-type]
    draws = torch.Generator().manual_seed(0)
    for rows, columns in ((3, 5), (8, 4), (2, 2)):
        tiles = [
            torch.rand(channels, rows * multiple, columns * multiple, generator=draws)
            for channels in inputs.values()
        ]
        with torch.inference_mode():
            wanted = network(*(tile[None] for tile in tiles))[0].numpy()
        worst = float(np.abs(graph(*(tile.numpy() for tile in tiles)) - wanted).max())
        if not worst <= TOLERANCE:
            raise RuntimeError(f"{path}: ONNX Runtime differs from PyTorch by {worst:g}")
