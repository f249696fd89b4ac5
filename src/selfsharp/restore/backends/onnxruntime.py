"""ONNX Runtime on the CPU, in float32: the same results on every machine, but for rounding."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache

import numpy as np
import onnxruntime

from selfsharp.restore.backends import Batch, Opened, Ranges


def opened(content: bytes, threads: int, *, exact: bool, ranges: Ranges) -> Opened:
    """The graph, ready to run; exact in any case."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # What lies between layers comes from one place for all graphs, and goes back after each run.
    # From the C library, a graph's first run took three times as much: threads tear it to pieces.
    _share_memory()
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.enable_mem_pattern = False
    # Idle threads that spin would slow the photo's own decoding and blending.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    inputs = [entry.name for entry in session.get_inputs()]
    run_options = onnxruntime.RunOptions()
    run_options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    # One tile at a time, by all threads: what lies between its layers takes most of the memory.
    turn = threading.Lock()

    def run(planes: Sequence[Batch]) -> Batch:
        with turn:
            return np.asarray(
                session.run(None, dict(zip(inputs, planes, strict=True)), run_options)[0]
            )

    return Opened(inputs, run)


@lru_cache(maxsize=1)
def _share_memory() -> None:
    """Registers what all sessions of this process take memory from, as much as they ask for."""
    kind = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    place = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, onnxruntime.OrtMemType.DEFAULT)
    as_requested = {"arena_extend_strategy": 1, "initial_chunk_size_bytes": 1 << 16}
    # Another library of this process may have registered its own, which serves as well.
    with suppress(RuntimeError):
        onnxruntime.create_and_register_allocator(place, onnxruntime.OrtArenaCfg(as_requested))
