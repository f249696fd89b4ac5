"""Distance of two images in the features of VGG16, relative to the sharp one's."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import onnxruntime
from jaxtyping import Float32, Float64

from selfsharp.image import Image, quantize
from selfsharp.model_folder import PRETRAINED
from selfsharp.region import Region, weights_of

REACH = 21
"""Pixels around a pixel that count with it: 18 around its cell of 4x4, and the cell."""
GRAPH = PRETRAINED / "vgg16" / "conv3_3.onnx"
"""VGG16 up to conv3_3; LICENCE.md beside it tells whose it is."""
CELL = 4
"""Side in pixels of the squares of which each has its feature vector."""
PIECE = 384
"""Side in pixels of the pieces in which an image is looked at, so that memory stays bounded."""
HALO = 20
"""Pixels seen around a piece: all that its features depend on, in whole cells."""

Window = tuple[slice, slice]


def measure(restored: Image, sharp: Image, region: Region | None = None) -> float:
    """Squared distance of the features over their energy, from 0 for equal images; no unit.

    With f the 256 features after the ReLU of conv3_3 of VGG16, one vector for every cell of
    4x4 pixels, and w the weight of the cell's pixels:

    sum w |f_restored - f_sharp|^2 / sum w |f_sharp|^2

    For photos blurred by a Gaussian of sigma 0.5, 1, 2 and 4 px about 0.02, 0.17, 0.45 and 0.7;
    over 1 for photos that have nothing to do with each other. It is the usual content loss, on
    a scale that does not depend on the weights' own. It is no LPIPS: it has one layer, and
    nothing in it was fitted to what people say.

    Source: J. Johnson, A. Alahi and L. Fei-Fei, 2016, doi:10.1007/978-3-319-46475-6_43, who
    compare features so; the network: K. Simonyan and A. Zisserman, 2015, arXiv:1409.1556. An
    image is mirrored up to whole cells; beyond its edges VGG sees zeros, ImageNet's mean.

    Args:
        restored: RGB in 0..1; both images are rounded to 8 bit first, as files are.
        region: the pixels that count, or their weights; all of them alike when None.

    Raises:
        ValueError: the region is empty, or a weight is negative or not finite.
    """
    height, width = sharp.shape[:2]
    filled = ((0, -height % CELL), (0, -width % CELL))
    weights = np.pad(weights_of(region, height, width), filled)
    one, other = (
        np.pad(quantize(image), (*filled, (0, 0)), "symmetric") for image in (restored, sharp)
    )
    distance = size = 0.0
    for kept, seen, inner in _pieces(weights.shape[0], weights.shape[1]):
        counted = _sums_of_cells(weights[kept])
        if not counted.any():
            continue
        found, wanted = (
            _features(_floats(image[seen]))[:, *inner].astype(np.float64) for image in (one, other)
        )
        distance += float((counted * ((found - wanted) ** 2).sum(axis=0)).sum())
        size += float((counted * (wanted**2).sum(axis=0)).sum())
    return distance / size


def _pieces(height: int, width: int) -> Iterator[tuple[Window, Window, Window]]:
    """For each piece the pixels kept, those seen, and the cells kept of the seen ones."""
    for rows in _spans(height):
        for columns in _spans(width):
            kept, seen, inner = zip(rows, columns, strict=True)
            yield kept, seen, inner


def _spans(length: int) -> Iterator[tuple[slice, slice, slice]]:
    """The same along one side."""
    for start in range(0, length, PIECE):
        stop = min(length, start + PIECE)
        first = max(0, start - HALO)
        inner = slice((start - first) // CELL, (stop - first) // CELL)
        yield slice(start, stop), slice(first, min(length, stop + HALO)), inner


def _floats(pixels: np.ndarray) -> Float32[np.ndarray, "3 height width"]:
    return np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32) / np.float32(255)


def _features(
    image: Float32[np.ndarray, "3 height width"],
) -> Float32[np.ndarray, "256 height//4 width//4"]:
    return np.asarray(_vgg().run(None, {"image": image[None]})[0])[0]


@lru_cache(1)
def _vgg() -> onnxruntime.InferenceSession:
    """VGG, ready to run; made when it is first asked for."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # Pieces differ in size, and the arena would keep the memory of each.
    options.enable_cpu_mem_arena = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(GRAPH, options, providers=["CPUExecutionProvider"])


def _sums_of_cells(
    weights: Float64[np.ndarray, "height width"],
) -> Float64[np.ndarray, "height//4 width//4"]:
    rows, columns = (side // CELL for side in weights.shape)
    return weights.reshape(rows, CELL, columns, CELL).sum(axis=(1, 3))
