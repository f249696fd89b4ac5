"""Makes the graph of the metric `vgg_distance` out of a file of VGG's weights.

``python -m selfsharp.training.vgg_graph WEIGHTS [GRAPH]``
"""

import sys
from pathlib import Path

from selfsharp.metrics.vgg_distance import GRAPH
from selfsharp.networks.vgg import Vgg, read_weights
from selfsharp.training.export import write_graph


def make_graph(weights: Path, path: Path = GRAPH) -> None:
    """Writes VGG up to conv3_3 as an ONNX graph, its weights in fp16.

    Raises:
        ValueError: the file holds no weights of VGG.
        RuntimeError: ONNX Runtime does not compute what PyTorch does.
    """
    # Through fp16, as they are stored, so that the proof compares the same numbers.
    halved = {name: tensor.half().float() for name, tensor in read_weights(weights).items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_graph(Vgg(halved).eval(), path)


if __name__ == "__main__":
    make_graph(*map(Path, sys.argv[1:]))
