"""Restores a photo with MAXIM-3S: python maxim.py INPUT OUTPUT.

Z. Tu, H. Talebi, H. Zhang, F. Yang, P. Milanfar, A. Bovik and Y. Li, 2022, *MAXIM: Multi-Axis
MLP for Image Processing*, doi:10.1109/CVPR52688.2022.00568, with its weights for GoPro. Runs
in an environment of its own; README.md beside this file tells how to make it.
"""

import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from PIL import Image

MODEL = Path(sys.prefix) / "maxim"
"""The TensorFlow.js graph: model.json and the weights it names."""
MULTIPLE = 64
"""Height and width that the network takes are multiples of this."""


def main(source: str, target: str) -> None:
    """Restores the photo in one file and writes it to the other."""
    photo = np.asarray(Image.open(source).convert("RGB"), np.float32) / 255
    height, width = photo.shape[:2]
    padding = ((0, -height % MULTIPLE), (0, -width % MULTIPLE), (0, 0))
    framed = np.pad(photo, padding, "symmetric")
    restored = run(read_graph(MODEL), framed)[:height, :width]
    pixels = np.rint(255 * np.clip(restored, 0, 1)).astype(np.uint8)
    Image.fromarray(pixels).save(target)


def read_graph(folder: Path) -> tf.compat.v1.GraphDef:
    """TensorFlow's graph out of TensorFlow.js's: the same nodes, the constants kept apart."""
    described = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    graph = tf.compat.v1.GraphDef()
    json_format.ParseDict(described["modelTopology"], graph, ignore_unknown_fields=True)
    constants = {}
    for group in described["weightsManifest"]:
        content = b"".join((folder / path).read_bytes() for path in group["paths"])
        place = 0
        for entry in group["weights"]:
            count = int(np.prod(entry["shape"], dtype=int))
            values = np.frombuffer(content, entry["dtype"], count, place)
            constants[entry["name"]] = values.reshape(entry["shape"])
            place += values.nbytes
    for node in graph.node:
        if node.op == "Const":
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(constants[node.name]))
    return graph


def run(graph: tf.compat.v1.GraphDef, image: np.ndarray) -> np.ndarray:
    """The restored image, on one thread."""
    with tf.Graph().as_default() as loaded:
        restored = tf.import_graph_def(graph, return_elements=["Identity:0"], name="")[0]
        one_thread = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=1, inter_op_parallelism_threads=1
        )
        # Rewriting 43,000 nodes takes longer than it saves on one photo, and 0.5 GB.
        one_thread.graph_options.rewrite_options.disable_meta_optimizer = True
        with tf.compat.v1.Session(graph=loaded, config=one_thread) as session:
            return session.run(restored, {"xs_0:0": image[None]})[0]


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python maxim.py INPUT OUTPUT")
    if not (MODEL / "model.json").is_file():
        sys.exit(f"there is no {MODEL / 'model.json'}; README.md tells where to get it")
    main(*sys.argv[1:])
