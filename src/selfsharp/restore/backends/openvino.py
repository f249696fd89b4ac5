"""OpenVINO on the CPU: in bfloat16 where the processor has it, three to four times as quick.

What comes with ranges is computed in 8 bits, which most processors of the last years have.
"""

import threading
from collections.abc import Sequence

import numpy as np
import openvino
from openvino import opset13

from selfsharp.restore.backends import Batch, Opened, Ranges
from selfsharp.restore.memory import give_back

_TURN = threading.Lock()
"""One call at a time: given inputs by two threads, OpenVINO's binding may wait for itself. All
threads work on it, and what lies between a graph's layers takes most of the memory."""
LARGE = 1 << 20
"""Values of an input from which what lies between layers is given back, 100 MB and more; of smaller
pieces, of which many follow each other, it is used again."""
LEVELS, WEIGHT_LEVELS = 256, 255
"""Numbers that 8 bits hold; weights have as many over 0 as under it."""


def opened(content: bytes, threads: int, *, exact: bool, ranges: Ranges) -> Opened:
    """The graph, ready to run; without `exact` in the precision that the processor is best at."""
    settings: dict[str, int | str] = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1}
    if exact:
        settings["INFERENCE_PRECISION_HINT"] = "f32"
    with _TURN:
        core = openvino.Core()
        model = core.read_model(content)
        if ranges and not exact:
            _round_to_8_bits(model, ranges)
        compiled = core.compile_model(model, "CPU", settings)
        request = compiled.create_infer_request()

    def run(planes: Sequence[Batch]) -> Batch:
        large = planes[0].size > LARGE
        with _TURN:
            if large:  # What others have freed lies in the way.
                give_back()
            request.infer(list(planes))
            answer = np.array(request.get_output_tensor(0).data)
            if large:
                compiled.release_memory()
                give_back()
            return answer

    return Opened([entry.any_name for entry in compiled.inputs], run)


def _round_to_8_bits(model: openvino.Model, ranges: Ranges) -> None:
    """Has convolutions take numbers and weights that 8 bits hold, and so compute in 8 bits.

    Numbers are spread evenly over a convolution's range; weights over that of each channel that
    they lead to. After B. Jacob et al., Quantization and training of neural networks for efficient
    integer-arithmetic-only inference, CVPR 2018, doi:10.1109/CVPR.2018.00286.
    """
    for node in model.get_ordered_ops():
        name = node.get_friendly_name().removesuffix("/WithoutBiases")
        if node.get_type_name() != "Convolution" or name not in ranges:
            continue
        least, most = (np.float32(end) for end in ranges[name])
        taken = node.input(0).get_source_output()
        rounded = opset13.fake_quantize(taken, least, most, least, most, LEVELS)
        node.input(0).replace_source_output(rounded.output(0))
        weights = _constant(node.input(1).get_source_output().get_node())
        largest = np.abs(weights).max(axis=(1, 2, 3), keepdims=True) + np.float32(1e-9)
        spread = (-largest, largest, -largest, largest)
        rounded = opset13.fake_quantize(opset13.constant(weights), *spread, WEIGHT_LEVELS)
        node.input(1).replace_source_output(rounded.output(0))
    model.validate_nodes_and_infer_types()


def _constant(node: openvino.Node) -> np.ndarray:
    """The weights that a node holds, stored in float32 or in less."""
    kind = node.get_type_name()
    if kind in ("Convert", "Multiply"):
        sources = [place.get_source_output().get_node() for place in node.inputs()]
        first, *factors = (_constant(source) for source in sources)
        return first * factors[0] if factors else first
    return np.asarray(node.data, np.float32)  # type: ignore[attr-defined]
