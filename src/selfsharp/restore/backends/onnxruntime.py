"""ONNX Runtime on the CPU, in float32: the same results on every machine, but for rounding."""

import threading
from collections.abc import Sequence

import numpy as np
import onnxruntime

from selfsharp.restore.backends import Batch, Opened, Ranges


def opened(content: bytes, threads: int, *, exact: bool, ranges: Ranges) -> Opened:
    """The graph, ready to run; exact in any case."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # The arena would keep the largest tile's memory; tiles are too few to gain by it.
    options.enable_cpu_mem_arena = False
    # Idle threads that spin would slow the photo's own decoding and blending.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    inputs = [entry.name for entry in session.get_inputs()]

    # One tile at a time, by all threads: what lies between its layers takes most of the memory.
    turn = threading.Lock()

    def run(planes: Sequence[Batch]) -> Batch:
        with turn:
            return np.asarray(session.run(None, dict(zip(inputs, planes, strict=True)))[0])

    return Opened(inputs, run)
