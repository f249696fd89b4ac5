"""Runs a model's graphs with ONNX Runtime on the CPU."""

from pathlib import Path

import numpy as np
import onnxruntime
from jaxtyping import Float32

from selfsharp.blur.learnt_round import LearntRound
from selfsharp.model_folder import ESTIMATING, Card, ModelError, read_graph


class Graph:
    """One ONNX graph, ready to run on planes laid out (channels, height, width).

    Attributes:
        inputs: names of the planes it takes, in their order.

    Args:
        content: the ONNX file's bytes.
        threads: threads it may use.

    Raises:
        ModelError: ONNX Runtime cannot load it.
    """

    def __init__(self, content: bytes, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # The arena would keep the largest tile's memory; tiles are too few to gain by it.
        options.enable_cpu_mem_arena = False
        # Idle threads that spin would slow the photo's own decoding and blending.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's own kinds, which have no common one.
            told = " ".join(str(error).split())[:200]
            raise ModelError(
                f"ONNX Runtime cannot load the graph ({told}); export it again"
            ) from error
        self.inputs = [entry.name for entry in self._session.get_inputs()]

    def __call__(
        self, *planes: Float32[np.ndarray, "_ height width"]
    ) -> Float32[np.ndarray, "out_channels out_height out_width"]:
        """The graph's one output for one tile."""
        feeds = {
            name: np.ascontiguousarray(plane)[None]
            for name, plane in zip(self.inputs, planes, strict=True)
        }
        return np.asarray(self._session.run(None, feeds)[0])[0]


def read_learnt_round(folder: Path, card: Card, threads: int) -> LearntRound | None:
    """The learnt round of a model's estimates; None where the model has none.

    Raises:
        ValueError: its files are not what the card says.
    """
    if not set(ESTIMATING) <= set(card.graphs):
        return None
    return LearntRound(*(Graph(read_graph(folder, card, graph), threads) for graph in ESTIMATING))
