"""Backends that run a model's graphs, an open folder. Each file defines one function.

``opened(content: bytes, threads: int, *, exact: bool, ranges: Ranges) -> Opened``

the graph in an ONNX file's bytes, ready to run; `exact` asks for float32 throughout, where the
backend would otherwise be quicker with less; `ranges` are those of what may be computed in 8 bits,
by a backend that can. What cannot be loaded raises an error of any kind.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from selfsharp.catalogue import Folder

BACKENDS = Folder("selfsharp.restore.backends", "backend")

Batch = Float32[np.ndarray, "1 _ _ _"]
Ranges = Mapping[str, Sequence[float]]
"""Lowest and highest number that goes into a convolution, by its name in the graph."""


@dataclass(frozen=True)
class Opened:
    """A graph that is ready to run.

    Attributes:
        inputs: names of the planes it takes, in their order.
        run: its one output for them; may be called by several threads at a time.
    """

    inputs: Sequence[str]
    run: Callable[[Sequence[Batch]], Batch]
