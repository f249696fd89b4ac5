"""What all tests share: array shapes checked as the code runs, and a synthetic photo."""

from pathlib import Path

import hypothesis
import numpy as np
import pytest
from jaxtyping import install_import_hook

# From here on every call within selfsharp is checked against its annotations.
install_import_hook("selfsharp", "beartype.beartype")

# Derandomized: a change of the code fails the tests, not a change of the weather.
hypothesis.settings.register_profile("selfsharp", deadline=None, derandomize=True)
hypothesis.settings.load_profile("selfsharp")


@pytest.fixture(scope="session")
def photo() -> np.ndarray:
    """A small photo with texture at every scale, RGB float32 in 0..1 at 8 bit; read-only."""
    generator = np.random.default_rng(20)
    height, width = 64, 80
    image = np.zeros((height, width, 3))
    for size in (1, 2, 4, 8, 16):
        patches = generator.random((height // size, width // size, 3))
        image += patches.repeat(size, axis=0).repeat(size, axis=1)
    image = (image - image.min()) / np.ptp(image)
    image = np.rint(image * 255).astype(np.float32) / np.float32(255)
    image.setflags(write=False)
    return image


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder: red is blurred, green is the radius / 5, the residual is an edge image."""
    pytest.importorskip("onnx")
    from onnx import helper

    folder = tmp_path_factory.mktemp("made-up")
    edges = np.zeros((3, 1, 3, 3), np.float32)
    edges[:, 0] = np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]]) / 8
    frame = np.array([0, 0, 1, 1, 0, 0, 1, 1])
    make = [
        helper.make_node("Pad", ["image", "frame"], ["framed"], mode="edge"),
        helper.make_node("Conv", ["framed", "edges"], ["out"], group=3),
    ]
    inputs = {"image": 3, "blur": 2}
    _write(folder / "generator.onnx", inputs, 3, make, {"edges": edges, "frame": frame})
    _complete(folder)
    return folder


@pytest.fixture(scope="session")
def referring(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder: blur as by `made_up`; undoes, and adds the detail that references tell."""
    pytest.importorskip("onnx")
    from onnx import helper

    folder = tmp_path_factory.mktemp("referring")
    eye = np.eye(3, 5, dtype=np.float32)
    sums = np.concatenate([-eye[:, :3], eye[:, :3] / 2, eye[:, :3] / 2, eye], axis=1)
    inputs = {"image": 3, "proposals": 6, "references": 5}
    make = [
        helper.make_node("Concat", list(inputs), ["all"], axis=1),
        helper.make_node("Conv", ["all", "sums"], ["out"]),
    ]
    _write(folder / "generator.onnx", inputs, 3, make, {"sums": sums[:, :, None, None]})
    _complete(folder)
    return folder


def _complete(folder: Path) -> None:
    """Gives a model folder a detector and a card."""
    from onnx import helper

    from selfsharp.model_folder import Card, write_card

    cell = np.zeros((2, 3, 4, 4), np.float32)
    cell[0, 0], cell[1, 1] = 40 / 16, 5 / 16
    find = helper.make_node("Conv", ["image", "cell", "bias"], ["out"], strides=[4, 4])
    bias = np.array([-20, 0], np.float32)
    _write(folder / "detector.onnx", {"image": 3}, 2, [find], {"cell": cell, "bias": bias})
    card = Card(
        folder.name.rstrip("0123456789"),
        "For the tests.",
        "MIT",
        threshold=0.5,
        certain=0.9,
        least_radius=0.8,
        least_change=0.0,
        halo=8,
        detector_multiple=4,
    )
    write_card(folder, card)


def _write(path, inputs, channels, nodes, constants):
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    def tensor(name, count):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, count, None, None])

    graph = helper.make_graph(
        nodes,
        path.stem,
        [tensor(name, count) for name, count in inputs.items()],
        [tensor("out", channels)],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=10), path)
