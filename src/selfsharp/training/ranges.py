"""What goes into a generator's convolutions, on blurred photos: what 8 bits have to hold."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from PIL import Image as PillowImage

from selfsharp.blur.camera import Camera
from selfsharp.blur.regions import everywhere
from selfsharp.blur.synthesis import blur_region
from selfsharp.datasets import find_photos
from selfsharp.networks.blocks import CHANNELS
from selfsharp.recipe import Mix
from selfsharp.restore.backends import Ranges
from selfsharp.restore.proposal import propose
from selfsharp.training.draws import cut, draw_psf

SAMPLES, SIDE = 24, 256
"""Crops that are looked at, and their side in pixels; few photos have several each."""
RARE = 1e-4
"""Share of the numbers of a crop at either end that may be cut off."""
UNPROPOSED = 3
"""One crop in so many has no proposals."""


def measure_ranges(graph: Path, pictures: Path) -> Ranges:
    """Lowest and highest number that goes into each convolution of a generator's graph.

    But for the first, which sees the photo itself: 8 bits would take its faint light for none.

    Args:
        graph: the generator's ONNX file.
        pictures: folder of sharp photos, which are blurred as in training.

    Raises:
        ValueError: the folder is missing or has no photos.
    """
    model = onnx.load(graph)
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"][1:]
    given = {node.input[0] for node in convolutions}
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in sorted(given))
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    inputs = [entry.name for entry in session.get_inputs()]
    ends: dict[str, list[np.ndarray]] = {name: [] for name in given}
    for planes in _samples(pictures, inputs):
        for name, numbers in zip(sorted(given), session.run(None, planes), strict=True):
            ends[name].append(np.quantile(np.asarray(numbers), (RARE, 1 - RARE)))
    ranges = {}
    for node in convolutions:
        least, most = np.array(ends[node.input[0]]).T
        ranges[node.name] = (min(0.0, float(least.min())), float(most.max()))
    return ranges


def _samples(pictures: Path, inputs: list[str]) -> list[dict[str, np.ndarray]]:
    """What a generator is given of blurred crops, its inputs by their names."""
    photos = find_photos(pictures)
    generator = np.random.default_rng(0)
    samples = []
    for number in range(SAMPLES):
        path = photos[number * len(photos) // SAMPLES]
        photo = np.asarray(PillowImage.open(path).convert("RGB"))
        psf, region = draw_psf(Mix(), generator), everywhere(SIDE, SIDE)
        noise = Camera(noise=float(generator.uniform(0, 2.5)) / 255)
        sample = blur_region(cut(photo, SIDE, generator), psf, region, noise, generator)
        proposals = np.concatenate([sample.blurred] * 2, axis=2)
        if number % UNPROPOSED and "proposals" in inputs:
            proposals = propose(sample.blurred, region, (psf, psf))
        known = {
            "image": sample.blurred,
            "blur": np.stack([region, sample.blur_map], axis=2),
            "proposals": proposals,
            "references": np.zeros((SIDE, SIDE, CHANNELS["references"]), np.float32),
        }
        samples.append({n: known[n].transpose(2, 0, 1)[None].copy() for n in inputs})
    return samples
