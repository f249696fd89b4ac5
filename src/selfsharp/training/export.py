"""From checkpoints to a model folder: ONNX graphs, weights in fp16, proven equal to PyTorch."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import nn
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations

from selfsharp.model_folder import CONTEXT, ESTIMATING, Card, write_card
from selfsharp.networks.blocks import CHANNELS
from selfsharp.networks.detector import Detector
from selfsharp.restore.runtime import Graph
from selfsharp.training.checkpoint import part, read_checkpoint
from selfsharp.training.ranges import measure_ranges
from selfsharp.training.state import build_network, recipe_of

TOLERANCE = 2e-4
"""Largest difference allowed between PyTorch and ONNX Runtime on random tiles."""


def export(
    detector: Path,
    generator: Path,
    folder: Path,
    card: Card,
    estimator: Path | None = None,
    pictures: Path | None = None,
) -> Card:
    """Makes a model folder out of a detector's and a generator's checkpoint.

    Args:
        estimator: checkpoint of what makes PSFs better; without one they are as physics alone
            tells them.
        pictures: folder of sharp photos, to measure by what 8 bits have to hold; without it the
            model's card has no ranges.
        card: says what the checkpoints do not: name, description, thresholds, halo.

    Returns:
        The card as written, with networks, size rules and training filled in.

    Raises:
        ValueError: a checkpoint is not one, or holds another network than it should.
        RuntimeError: ONNX Runtime does not compute what PyTorch does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    finder, finder_facts = load_average(detector)
    maker, maker_facts = load_average(generator)
    if finder_facts["recipe"]["network"] != "detector":
        raise ValueError(f"{detector} holds no detector; swap or choose another checkpoint")
    if (other := maker_facts["recipe"]["network"]) in ("detector", "estimator"):
        raise ValueError(f"{generator} holds the {other}; give a generator's checkpoint")
    context_multiple = int(finder.multiple)  # type: ignore[arg-type]
    (folder / f"{CONTEXT}.onnx").unlink(missing_ok=True)
    if isinstance(finder, Detector) and finder.context is not None:
        write_graph(finder, folder / f"{CONTEXT}.onnx")
        finder = finder.without_context()
    write_graph(finder, folder / "detector.onnx")
    write_graph(maker, folder / "generator.onnx")
    training = {"detector": finder_facts, "generator": maker_facts}
    for graph in ESTIMATING:
        (folder / f"{graph}.onnx").unlink(missing_ok=True)
    if estimator is not None:
        guesser, training["estimator"] = load_average(estimator)
        if training["estimator"]["recipe"]["network"] != "estimator":
            raise ValueError(f"{estimator} holds no estimator; choose another checkpoint")
        for graph in ESTIMATING:
            write_graph(guesser.get_submodule(graph), folder / f"{graph}.onnx")
    ranges = {} if pictures is None else measure_ranges(folder / "generator.onnx", pictures)
    card = replace(
        card,
        ranges=ranges,
        network=maker_facts["recipe"]["network"],
        multiple=int(maker.multiple),  # type: ignore[arg-type]
        detector_multiple=int(finder.multiple),  # type: ignore[arg-type]
        context_multiple=context_multiple,
        training=training,
    )
    write_card(folder, card)
    return card


def load_average(checkpoint: Path) -> tuple[nn.Module, dict]:
    """The averaged network of a checkpoint, ready for use, and the checkpoint's facts."""
    tensors, facts = read_checkpoint(checkpoint)
    network = build_network(recipe_of(facts))
    network.load_state_dict({n: value.float() for n, value in part(tensors, "average").items()})
    settle(network.eval())
    # Through fp16, as the weights ship, so that the proof compares the same numbers.
    network.load_state_dict({n: value.half().float() for n, value in network.state_dict().items()})
    return network, facts


@torch.no_grad()
def settle(network: nn.Module) -> None:
    """Makes plain weights of normalised ones, as they are after training."""
    for module in network.modules():
        if is_parametrized(module, "weight"):
            remove_parametrizations(module, "weight")


def write_graph(network: nn.Module, path: Path) -> None:
    """Writes a network as an ONNX graph for any tile size, its weights stored in fp16.

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
    _halve_weights(model)
    onnx.save(model, path)
    _prove_equal(network, inputs, path)


def _halve_weights(model: onnx.ModelProto) -> None:
    """Stores float32 weights as fp16; a Cast at load time makes float32 of them again."""
    casts = []
    for weights in model.graph.initializer:
        if weights.data_type != onnx.TensorProto.FLOAT:
            continue
        name = weights.name
        values = numpy_helper.to_array(weights).astype(np.float16)
        weights.CopyFrom(numpy_helper.from_array(values, f"{name}.fp16"))
        casts.append(helper.make_node("Cast", [weights.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    # Names and sources of every operation would be a third of a small file.
    del model.graph.value_info[:]
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    del model.metadata_props[:]
    del model.graph.metadata_props[:]


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
