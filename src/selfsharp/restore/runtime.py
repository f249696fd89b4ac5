"""Runs a model's graphs on the CPU, with the backend of one's choice."""

from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property, partial
from pathlib import Path
from threading import Lock
from types import ModuleType

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.learnt_round import LearntRound
from selfsharp.graph_file import input_names
from selfsharp.model_folder import (
    CONTEXT,
    ESTIMATING,
    GRAPHS,
    QUICK,
    UNGUIDED,
    Card,
    ModelError,
    read_graph,
)
from selfsharp.restore.backends import BACKENDS, Ranges

EXACT = (GRAPHS[0], *ESTIMATING[1:])
"""Graphs that are run in float32: what the detector says is compared with thresholds, and where a
part ends some pixels off another PSF may come out; a PSF is divided by, which takes small errors
for large ones."""
USUAL = "onnxruntime"
"""The backend that is always installed."""


def load_backend(name: str) -> ModuleType:
    """What runs graphs, by its name.

    Raises:
        ValueError: there is no such backend, or it is not installed.
    """
    try:
        return BACKENDS.load(name)
    except ModuleNotFoundError as error:
        raise ValueError(
            f"backend {name} is not installed; pip install 'selfsharp[{name}]'"
        ) from error


class Graph:
    """One ONNX graph, ready to run on planes laid out (channels, height, width).

    Several threads may run it at a time.

    Attributes:
        inputs: names of the planes it takes, in their order.
        halo: pixels around a place that tell of what it answers there.

    Args:
        content: the ONNX file's bytes.
        threads: threads it may use.
        backend: what runs it.
        exact: whether it has to be run in float32.
        ranges: of what may be computed in 8 bits, where the backend can.
        halo: as above.

    Raises:
        ModelError: the backend cannot load it.
        ValueError: there is no such backend, or it is not installed.
    """

    def __init__(
        self,
        content: bytes,
        threads: int,
        backend: str = USUAL,
        *,
        exact: bool = False,
        ranges: Ranges | None = None,
        halo: int = 0,
    ) -> None:
        chosen = load_backend(backend)
        try:
            self._opened = chosen.opened(content, threads, exact=exact, ranges=ranges or {})
        except Exception as error:  # The backends' own kinds, which have no common one.
            told = " ".join(str(error).split())[:200]
            raise ModelError(
                f"{backend} cannot load the graph ({told}); export it again"
            ) from error
        self.inputs = list(self._opened.inputs)
        self.halo = halo

    def __call__(
        self, *planes: Float32[np.ndarray, "_ height width"]
    ) -> Float32[np.ndarray, "out_channels out_height out_width"]:
        """The graph's one output for one tile."""
        if len(planes) != len(self.inputs):
            raise ValueError(f"{len(planes)} planes for a graph that takes {len(self.inputs)}")
        return self._opened.run([np.ascontiguousarray(plane)[None] for plane in planes])[0]


class OpenedModel:
    """A model whose graphs are opened one after the other, while something else is done.

    The detector is opened at once: it is wanted when a photo is read. The others follow when a PSF
    is first asked for, so that a photo without a blurred part has no need of them; what many
    restored photos have no need of, either, is opened when it is asked for.

    Attributes:
        takes: names of the planes that the generator takes.

    Args:
        folder: the model's folder.
        card: its card.
        threads: threads that each graph may use.
        backend: what runs them.
        quick: whether parts of which a PSF is known are restored by the lighter generator, where
            the model has it, and generators may compute in 8 bits, where backend and card allow it.

    Raises:
        ValueError: its files are not what the card says, or there is no such backend. What a
            backend cannot load is told of when it is first asked for.
    """

    def __init__(
        self, folder: Path, card: Card, threads: int, backend: str, *, quick: bool = False
    ) -> None:
        BACKENDS.check(backend)
        contents = {graph: read_graph(folder, card, graph) for graph in card.graphs}
        detector, generator = GRAPHS
        files = {graph: graph for graph in contents}
        if quick and QUICK in contents:
            # The lighter one is for parts with a PSF alone.
            files = {UNGUIDED: generator} | files | {generator: QUICK}
        self.takes = input_names(contents[files[generator]])
        ranges = card.ranges if quick else {}
        self._open = {
            graph: partial(
                Graph,
                contents[file],
                threads,
                backend,
                exact=graph in EXACT,
                ranges=ranges.get(file),
                halo=card.halos.get(file, card.halo),
            )
            for graph, file in files.items()
        }
        self._beginning = Lock()
        self._graphs = self._opened_beside(detector)

    @property
    def detector(self) -> Graph:
        """What tells where an image is blurred."""
        return self._graph(GRAPHS[0])

    @cached_property
    def context(self) -> Graph | None:
        """The detector that knows the surroundings, if the model has it; opened when asked for."""
        return self._open[CONTEXT]() if CONTEXT in self._open else None

    @property
    def generator(self) -> Graph:
        """What restores a tile."""
        return self._graph(GRAPHS[1])

    @cached_property
    def unguided(self) -> Graph:
        """What restores a tile of which no PSF is known; opened when asked for."""
        return self._open[UNGUIDED]() if UNGUIDED in self._open else self.generator

    @property
    def learnt(self) -> LearntRound | None:
        """What makes better PSFs of estimated ones, if the model has it; opened meanwhile."""
        self._begin()
        if not set(ESTIMATING) <= set(self._open):
            return None
        edges, mend = (partial(self._answer, graph) for graph in ESTIMATING)
        return LearntRound(edges, mend)

    def _answer(
        self, graph: str, planes: Float32[np.ndarray, "_ _ _"]
    ) -> Float32[np.ndarray, "_ _ _"]:
        return self._graph(graph)(planes)

    def _graph(self, graph: str) -> Graph:
        """One of those that are opened beside something else, once it is."""
        if graph not in self._graphs:
            self._begin()
        return self._graphs[graph].result()

    def _begin(self) -> None:
        """Begins to open what a part with a PSF is restored by, in the order of its use."""
        with self._beginning:
            if GRAPHS[1] not in self._graphs:
                estimating = [graph for graph in ESTIMATING if graph in self._open]
                self._graphs |= self._opened_beside(*estimating, GRAPHS[1])

    def _opened_beside(self, *graphs: str) -> dict[str, Future[Graph]]:
        pool = ThreadPoolExecutor(1)
        opened = {graph: pool.submit(self._open[graph]) for graph in graphs}
        pool.shutdown(wait=False)
        return opened


def read_learnt_round(
    folder: Path, card: Card, threads: int, backend: str = USUAL
) -> LearntRound | None:
    """The learnt round of a model's estimates; None where the model has none.

    What makes the PSF is run in float32 (`EXACT`). What finds edges need not be: of 80 held-out
    shakes, by bfloat16, each gains as much.

    Raises:
        ValueError: its files are not what the card says.
    """
    if not set(ESTIMATING) <= set(card.graphs):
        return None
    edges, mend = (
        Graph(read_graph(folder, card, graph), threads, backend, exact=graph in EXACT)
        for graph in ESTIMATING
    )
    return LearntRound(edges, mend)
