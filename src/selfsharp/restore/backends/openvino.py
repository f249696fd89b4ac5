"""OpenVINO on the CPU: in bfloat16 where the processor has it, three to four times as quick."""

import threading
from collections.abc import Sequence

import numpy as np
import openvino

from selfsharp.restore.backends import Batch, Opened

_TURN = threading.Lock()
"""One call at a time: given inputs by two threads, OpenVINO's binding may wait for itself. All
threads work on it, and what lies between a graph's layers takes most of the memory."""


def opened(content: bytes, threads: int, *, exact: bool) -> Opened:
    """The graph, ready to run; without `exact` in the precision that the processor is best at."""
    settings: dict[str, int | str] = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1}
    if exact:
        settings["INFERENCE_PRECISION_HINT"] = "f32"
    with _TURN:
        core = openvino.Core()
        compiled = core.compile_model(core.read_model(content), "CPU", settings)
        request = compiled.create_infer_request()

    def run(planes: Sequence[Batch]) -> Batch:
        with _TURN:
            request.infer(list(planes))
            return np.array(request.get_output_tensor(0).data)

    return Opened([entry.any_name for entry in compiled.inputs], run)
