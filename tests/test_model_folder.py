"""A model is what its card says, or it is refused."""

import hashlib
import json
import math
import shutil
from dataclasses import replace

import numpy as np
import onnx
import pytest

from selfsharp.graph_file import check_graph, input_names
from selfsharp.model_folder import (
    CONTEXT,
    GRAPHS,
    OTHERS,
    PRETRAINED,
    Card,
    ModelError,
    find_model,
    model_names,
    read_card,
    read_graph,
    write_card,
)
from selfsharp.restore.restorer import Restorer
from selfsharp.restore.runtime import Graph

ROUNDED = (*GRAPHS, CONTEXT, *OTHERS)
"""Graphs whose weights are stored in 8 bits."""

every_bundled_model = pytest.mark.parametrize("name", model_names())
CARD = Card(
    "mine",
    "For the tests.",
    "MIT",
    threshold=0.5,
    certain=0.9,
    least_radius=0.8,
    least_change=0.002,
    halo=8,
)


@pytest.fixture
def folder(tmp_path):
    """A model folder whose graphs are no graphs; nothing but its card reads them."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for graph in GRAPHS:
        (folder / f"{graph}.onnx").write_bytes(graph_of(graph))
    write_card(folder, CARD)
    return folder


def graph_of(name="graph", operator="Relu", domain="", attributes=None, initializer=()):
    """An ONNX file of one operator."""
    helper = onnx.helper
    node = helper.make_node(operator, ["in"], ["out"], domain=domain, **(attributes or {}))
    value = helper.make_tensor_value_info("in", onnx.TensorProto.FLOAT, [1])
    out = helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, [1])
    graph = helper.make_graph([node], name, [value], [out], list(initializer))
    return helper.make_model(graph).SerializeToString()


def elsewhere():
    """A tensor whose values lie in another file."""
    tensor = onnx.TensorProto(name="weights", dims=[2], data_type=onnx.TensorProto.FLOAT)
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    return tensor


def branch():
    return onnx.helper.make_graph([], "inner", [], [])


NOT_OURS = {
    "other files": (graph_of(initializer=[elsewhere()]), "other files"),
    "other files in a node": (graph_of("a", "Constant", "", {"value": elsewhere()}), "other files"),
    "own operators": (graph_of("a", "Steal", "evil.example"), "operators of its own"),
    "branches": (graph_of("a", "If", "", {"then_branch": branch()}), "loops or branches"),
    "inner graph": (graph_of("a", "Relu", "", {"body": branch()}), "graphs within"),
    "cut off": (graph_of()[:-5], "cut off"),
    "text": (b"detector", ""),
    "empty": (b"", "no graph"),
}


@pytest.mark.parametrize(("content", "reason"), NOT_OURS.values(), ids=NOT_OURS)
def test_a_graph_that_is_not_ours_is_refused_in_one_line(folder, content, reason):
    (folder / "detector.onnx").write_bytes(content)
    write_card(folder, CARD)
    with pytest.raises(ModelError, match=rf"\A.*detector\.onnx .*{reason}.*; take a model.*\Z"):
        read_graph(folder, read_card(folder), "detector")


@pytest.mark.parametrize("path", sorted(PRETRAINED.glob("*/*.onnx")), ids=lambda path: path.stem)
def test_what_a_graph_takes_is_told_without_loading_it(path):
    content = path.read_bytes()
    assert input_names(content) == Graph(content, threads=1).inputs != []


def test_weights_that_are_listed_as_inputs_are_none():
    weights = onnx.numpy_helper.from_array(np.ones(1, np.float32), "weights")
    model = onnx.ModelProto.FromString(graph_of(operator="Add", initializer=[weights]))
    model.graph.node[0].input.append("weights")
    listed = onnx.helper.make_tensor_value_info("weights", onnx.TensorProto.FLOAT, [1])
    model.graph.input.append(listed)
    content = model.SerializeToString()
    assert input_names(content) == Graph(content, threads=1).inputs == ["in"]


def test_broken_graphs_are_refused_in_one_line(folder):
    """What passes the look that is taken at it, ONNX Runtime refuses, and that is one line."""
    generator = np.random.default_rng(0)
    whole = graph_of()
    for _ in range(200):
        broken = bytearray(whole)
        for at in generator.integers(0, len(whole), 3):
            broken[at] = generator.integers(0, 256)
        told = ""
        try:
            check_graph(bytes(broken))
            Graph(bytes(broken), threads=1)
        except ValueError as error:
            told = str(error)
        assert "\n" not in told


def test_the_default_model_is_bundled():
    assert "base" in model_names()
    assert find_model("base") == PRETRAINED / "base"


def test_an_unknown_model_is_refused_with_the_names_there_are():
    with pytest.raises(ModelError, match=r"\Aunknown model 'bose'.*: .*\bbase\b.*\Z"):
        find_model("bose")


def test_a_folder_without_a_card_is_no_model(tmp_path):
    with pytest.raises(ModelError, match=r"unknown model .*card\.json\Z"):
        find_model(tmp_path)


def test_a_model_is_found_by_its_path_too(folder):
    assert find_model(folder) == find_model(str(folder)) == folder
    assert read_card(folder).name == "mine"


def test_a_model_folder_may_lie_anywhere(photo, tmp_path):
    copied = shutil.copytree(find_model("base"), tmp_path / "elsewhere" / "mine")
    restorer = Restorer(copied, threads=1)
    assert restorer.restore(photo).image.shape == photo.shape


def test_a_card_keeps_everything_and_gets_the_checksums_of_its_graphs(folder):
    card = replace(
        CARD, network="unet", multiple=8, training={"crops": 5}, scores={"gain": "+1 dB"}
    )
    write_card(folder, card)
    read = read_card(folder)
    assert replace(read, sha256={}) == card
    assert read.sha256 == {graph: hashlib.sha256(graph_of(graph)).hexdigest() for graph in GRAPHS}


@pytest.mark.parametrize("graph", GRAPHS)
def test_a_graph_is_read_as_it_was_written(folder, graph):
    assert read_graph(folder, read_card(folder), graph) == graph_of(graph)


@pytest.mark.parametrize("graph", GRAPHS)
def test_one_changed_byte_of_a_graph_is_noticed(graph, tmp_path):
    copied = shutil.copytree(find_model("base"), tmp_path / "changed")
    path = copied / f"{graph}.onnx"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=rf"\A.*{graph}\.onnx is not the file.*\Z"):
        Restorer(copied)


@pytest.mark.parametrize("graph", GRAPHS)
def test_a_missing_graph_is_told_of(folder, graph):
    (folder / f"{graph}.onnx").unlink()
    with pytest.raises(ModelError, match=rf"\A.*{graph}\.onnx cannot be read.*\Z"):
        read_graph(folder, read_card(folder), graph)


def test_a_graph_that_the_card_does_not_tell_of_is_refused(folder):
    with pytest.raises(ModelError, match=r"\A.*not the file.*\Z"):
        read_graph(folder, CARD, "detector")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"name": "mine"}',
        json.dumps({**vars(CARD), "colour": "red"}).encode(),
    ],
)
def test_an_unreadable_card_is_told_of_in_one_line(folder, content):
    (folder / "card.json").write_bytes(content)
    with pytest.raises(ModelError, match=r"\A.*card\.json is not a model's card.*\Z"):
        read_card(folder)


def test_a_missing_card_is_told_of(tmp_path):
    with pytest.raises(ModelError, match=r"\A.*card\.json is not a model's card.*\Z"):
        read_card(tmp_path)


@every_bundled_model
def test_a_bundled_model_is_under_10_mb(name):
    assert sum(path.stat().st_size for path in find_model(name).iterdir()) < 10e6


@every_bundled_model
def test_a_bundled_model_is_called_as_its_folder_and_tells_its_licence(name):
    card = read_card(find_model(name))
    assert card.name == name
    assert card.licence
    assert card.description.endswith(".")


@every_bundled_model
def test_bundled_graphs_hold_their_weights_in_16_bits_or_in_8(name):
    folder = find_model(name)
    card = read_card(folder)
    for graph in card.graphs:
        model = onnx.load_from_string(read_graph(folder, card, graph))
        sizes = dict.fromkeys(onnx.TensorProto.DataType.values(), 0)
        for weights in model.graph.initializer:
            sizes[weights.data_type] += math.prod(weights.dims)
        large = onnx.TensorProto.INT8 if graph in ROUNDED else onnx.TensorProto.FLOAT16
        whole = sum(sizes.values())
        assert sizes[large] > 0.98 * whole
        # What takes more is a factor for each channel, or a size.
        few = sizes[onnx.TensorProto.FLOAT] + sizes[onnx.TensorProto.DOUBLE]
        assert few < 0.01 * whole if graph in ROUNDED else few == 0
