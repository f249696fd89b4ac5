"""Backends that run a model's graphs, an open folder. Each file defines one function.

``opened(content: bytes, threads: int, *, exact: bool) -> Opened``

the graph in an ONNX file's bytes, ready to run; `exact` asks for float32 throughout, where the
backend would otherwise be quicker with less. What cannot be loaded raises an error of any kind.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from selfsharp.catalogue import Folder

BACKENDS = Folder("selfsharp.restore.backends", "backend")

Batch = Float32[np.ndarray, "1 _ _ _"]


@dataclass(frozen=True)
class Opened:
    """A graph that is ready to run.

    Attributes:
        inputs: names of the planes it takes, in their order.
        run: its one output for them; may be called by several threads at a time.
    """

    inputs: Sequence[str]
    run: Callable[[Sequence[Batch]], Batch]
