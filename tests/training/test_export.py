"""From checkpoint to restored photo, for every generator there is."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays
from hypothesis.strategies import floats

torch = pytest.importorskip("torch")

from selfsharp.blur.kinds import shake  # noqa: E402
from selfsharp.blur.regions import everywhere  # noqa: E402
from selfsharp.blur.synthesis import Camera, blur_region  # noqa: E402
from selfsharp.model_folder import (  # noqa: E402
    ESTIMATING,
    GRAPHS,
    Card,
    read_card,
    read_graph,
    write_card,
)
from selfsharp.networks.blocks import CHANNELS  # noqa: E402
from selfsharp.networks.generators import GENERATORS  # noqa: E402
from selfsharp.restore.restorer import Restorer  # noqa: E402
from selfsharp.restore.runtime import Graph  # noqa: E402
from selfsharp.training import export as module  # noqa: E402
from selfsharp.training.export import TOLERANCE, export, in_8_bits, load_average  # noqa: E402
from selfsharp.training.ranges import RARE, _samples, measure_ranges  # noqa: E402

EXAMPLES = Path(__file__).parents[2] / "examples" / "photos"

CARD = Card("small", "For the tests.", "MIT", 0.8, 0.97, 0.8, least_change=0.0, halo=16)


@dataclass
class Exported:
    """A generator's checkpoint and the model folder made of it."""

    checkpoint: Path
    folder: Path


@pytest.fixture(scope="module", params=GENERATORS.names())
def exported(request, tmp_path_factory, save_untrained) -> Exported:
    place = tmp_path_factory.mktemp(request.param)
    detector = save_untrained(place / "detector.safetensors", "detector")
    generator = save_untrained(place / "generator.safetensors", request.param)
    export(detector, generator, place / "small", CARD)
    return Exported(generator, place / "small")


def make_planes(inputs: list[str], rows: int, columns: int) -> list[np.ndarray]:
    """Random planes of what a generator asks for; radii up to 8 px."""
    generator = np.random.default_rng([rows, columns])
    planes = {
        name: generator.random((CHANNELS[name], rows, columns), np.float32) for name in inputs
    }
    if "blur" in planes:
        planes["blur"][1] *= 8
    return list(planes.values())


@pytest.mark.parametrize("size", [(2, 2), (2, 9), (7, 3), (20, 24)])
def test_the_graph_equals_pytorch_at_any_size_of_tile(exported, size):
    network, _ = load_average(exported.checkpoint, bits=8)
    card = read_card(exported.folder)
    graph = Graph(read_graph(exported.folder, card, "generator"), threads=1)
    assert tuple(graph.inputs) == tuple(network.inputs)
    planes = make_planes(graph.inputs, *(card.multiple * side for side in size))
    with torch.inference_mode():
        wanted = network(*(torch.from_numpy(plane)[None] for plane in planes))[0].numpy()
    assert np.abs(wanted).max() > 0.02  # Else zeros would do.
    np.testing.assert_allclose(graph(*planes), wanted, atol=TOLERANCE)


@pytest.mark.parametrize("size", [(64, 80), (51, 47), (30, 300)])
def test_the_model_folder_restores_photos_of_any_size(exported, photo, size):
    height, width = size
    image = np.tile(photo, (1, 4, 1))[:height, :width]
    mask = np.zeros(size, np.float32)
    mask[8:24, 5:-5] = 1
    result = Restorer(exported.folder, threads=1).restore(image, mask)
    changed = (result.image != image).any(axis=2)
    assert changed[mask > 0].mean() > 0.5
    assert not changed[mask == 0].any()
    assert np.isfinite(result.image).all()
    assert 0 <= result.image.min() <= result.image.max() <= 1


def test_the_card_says_what_was_exported(exported):
    card = read_card(exported.folder)
    network, facts = load_average(exported.checkpoint)
    assert card.network == facts["recipe"]["network"]
    assert card.multiple == network.multiple
    assert card.training["generator"]["recipe"]["options"] == facts["recipe"]["options"]


def test_ranges_are_those_of_what_goes_into_each_convolution(exported, tmp_path):
    """Checked by PyTorch: hooks see the same numbers on the same crops."""
    photos = EXAMPLES / "sharp"
    ranges = measure_ranges(exported.folder / "generator.onnx", photos)
    network, _ = load_average(exported.checkpoint, bits=8)
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    if not all(type(m) is torch.nn.Conv2d for m in convolutions) or not ranges:
        pytest.skip("its convolutions are not its modules")
    seen: list[list[torch.Tensor]] = []
    for module_ in convolutions:
        module_.register_forward_hook(lambda _, given, __: seen[-1].append(given[0]))
    ends = []
    for planes in _samples(photos, list(network.inputs)):
        seen.append([])
        with torch.inference_mode():
            network(*(torch.from_numpy(planes[name]) for name in network.inputs))
        ends.append([np.quantile(one.numpy(), (RARE, 1 - RARE)) for one in seen[-1][1:]])
    least, most = np.array(ends).transpose(2, 1, 0)
    found = np.array(list(ranges.values()))
    assert len(ranges) == len(seen[0]) - 1
    np.testing.assert_allclose(found[:, 0], np.minimum(least.min(1), 0), atol=1e-3)
    np.testing.assert_allclose(found[:, 1], most.max(1), atol=1e-3)


def test_a_graph_that_computes_something_else_is_not_let_through(exported, tmp_path):
    network, _ = load_average(exported.checkpoint, bits=8)
    graph = tmp_path / "generator.onnx"
    graph.write_bytes((exported.folder / "generator.onnx").read_bytes())
    inputs = {name: CHANNELS[name] for name in network.inputs}
    module._prove_equal(network, inputs, graph)
    with torch.no_grad():
        for weights in network.parameters():
            weights.add_(0.02 * torch.randn_like(weights))
    with pytest.raises(RuntimeError, match=r"\A.+ONNX Runtime differs from PyTorch by .+\Z"):
        module._prove_equal(network, inputs, graph)


@pytest.fixture(scope="module")
def estimating(tmp_path_factory, save_untrained) -> Exported:
    """A model with a learnt round; the checkpoint is the estimator's."""
    place = tmp_path_factory.mktemp("estimating")
    detector = save_untrained(place / "detector.safetensors", "detector")
    generator = save_untrained(place / "generator.safetensors", "mending")
    estimator = save_untrained(place / "estimator.safetensors", "estimator")
    export(detector, generator, place / "small", CARD, estimator)
    return Exported(estimator, place / "small")


@pytest.mark.parametrize("graph", ESTIMATING)
@pytest.mark.parametrize("size", [(2, 2), (7, 5), (31, 31)])
def test_the_graphs_of_a_learnt_round_equal_pytorch(estimating, graph, size):
    network, _ = load_average(estimating.checkpoint)
    module = network.get_submodule(graph)
    (name,) = module.inputs
    planes = make_planes([name], *(module.multiple * side for side in size))
    ready = Graph(read_graph(estimating.folder, read_card(estimating.folder), graph), threads=1)
    with torch.inference_mode():
        wanted = module(torch.from_numpy(planes[0])[None])[0].numpy()
    np.testing.assert_allclose(ready(*planes), wanted, atol=TOLERANCE)


def test_a_learnt_round_changes_the_psf_that_is_undone(estimating, photo, tmp_path):
    generator = np.random.default_rng(2)
    sharp = np.tile(photo, (2, 3, 1))
    everything, psf = everywhere(*sharp.shape[:2]), shake.psf_of_extent(9.0, generator)
    blurred = blur_region(sharp, psf, everything, Camera(), generator).blurred
    without = tmp_path / "without"
    shutil.copytree(estimating.folder, without)
    for graph in ESTIMATING:
        (without / f"{graph}.onnx").unlink()
    write_card(without, read_card(without))
    parts = [Restorer(folder, threads=1) for folder in (estimating.folder, without)]
    found = [one.judge(blurred, one.find_parts(blurred, everything)).estimate for one in parts]
    assert all(one is None or one.psf.sum() == pytest.approx(1, abs=1e-4) for one in found)
    assert (found[0] is None) != (found[1] is None) or not np.array_equal(
        *(one.psf for one in found if one)
    )


def test_the_card_tells_of_a_learnt_round(estimating):
    card = read_card(estimating.folder)
    assert set(card.graphs) == set(card.sha256) == {*GRAPHS, *ESTIMATING}
    assert card.training["estimator"]["recipe"]["network"] == "estimator"


def test_exporting_again_without_an_estimator_leaves_no_learnt_round(tmp_path, save_untrained):
    made = [save_untrained(tmp_path / name, name) for name in ("detector", "mending", "estimator")]
    detector, generator, estimator = made
    export(detector, generator, tmp_path / "small", CARD, estimator)
    export(detector, generator, tmp_path / "small", CARD)
    assert set(read_card(tmp_path / "small").sha256) == set(GRAPHS)


@given(
    arrays(
        np.float32,
        array_shapes(min_dims=4, max_dims=4, max_side=5),
        elements=floats(-8, 8, width=32),
    )
)
def test_weights_in_8_bits_are_off_by_half_a_step_at_most(weights):
    whole, factor = in_8_bits(weights)
    again = whole * factor
    assert (np.abs(again - weights) <= 0.501 * factor).all()
    twice, factors = in_8_bits(again)
    np.testing.assert_array_equal(twice * factors, again)


@pytest.mark.parametrize("wrong", ["detector", "mending"])
def test_what_is_no_estimator_is_refused_in_one_line(tmp_path, save_untrained, wrong):
    detector = save_untrained(tmp_path / "detector", "detector")
    generator = save_untrained(tmp_path / "mending", "mending")
    with pytest.raises(ValueError, match=r"\A.+ holds no estimator; .+\Z"):
        export(detector, generator, tmp_path / "small", CARD, tmp_path / wrong)


def test_a_detector_with_context_becomes_two_graphs(tmp_path, save_untrained, photo):
    detector = save_untrained(tmp_path / "detector.safetensors", "detector", context=[8, 12, 16])
    generator = save_untrained(tmp_path / "generator.safetensors", "mending")
    folder = tmp_path / "small"
    card = export(detector, generator, folder, CARD)
    assert (card.detector_multiple, card.context_multiple) == (8, 32)
    assert "context" in read_card(folder).graphs
    restorer = Restorer(folder, threads=1)
    found = restorer.find_blur(photo)
    assert found.seen is not None
    # Restoring does not look at the surroundings: without that graph it does the same.
    alone = export(
        save_untrained(tmp_path / "alone.safetensors", "detector"), generator, folder, CARD
    )
    assert "context" not in read_card(folder).graphs
    assert alone.detector_multiple == 8
    assert Restorer(folder, threads=1).find_blur(photo).seen is None


def test_a_context_may_be_another_detectors(tmp_path, save_untrained, photo):
    own = {"widths": [8, 8, 8], "down": [1, 1, 1], "up": [1, 0]}
    detector = save_untrained(tmp_path / "detector.safetensors", "detector", **own)
    context = save_untrained(tmp_path / "context.safetensors", "detector", context=[8, 12, 16])
    generator = save_untrained(tmp_path / "generator.safetensors", "mending")
    folder = tmp_path / "small"
    export(detector, generator, folder, CARD)
    alone = Restorer(folder, threads=1).find_blur(photo)
    card = export(detector, generator, folder, CARD, context=context)
    assert (card.detector_multiple, card.context_multiple) == (16, 32)
    assert card.training["context"]["recipe"]["options"]["context"] == [8, 12, 16]
    restorer = Restorer(folder, threads=1)
    found = restorer.find_blur(photo)
    assert found.seen is not None
    # What is restored is told by the detector, and `map` says the same of it.
    np.testing.assert_array_equal(found.probability, alone.probability)
    _, parts = restorer.map_blur(photo)
    np.testing.assert_array_equal(parts.radius, restorer.find_parts(photo).radius)


def test_a_context_that_is_none_is_refused_in_one_line(tmp_path, save_untrained):
    detector = save_untrained(tmp_path / "detector.safetensors", "detector")
    generator = save_untrained(tmp_path / "generator.safetensors", "mending")
    with pytest.raises(ValueError, match=r"\A.+ knows no surroundings; .+\Z"):
        export(detector, generator, tmp_path / "small", CARD, context=detector)
    with pytest.raises(ValueError, match=r"\A.+ holds no detector; .+\Z"):
        export(detector, generator, tmp_path / "small", CARD, context=generator)
