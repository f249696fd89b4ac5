"""Every backend gives what ONNX Runtime gives, to the precision that it promises."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from selfsharp.image import read_photo
from selfsharp.metrics import psnr
from selfsharp.model_folder import PRETRAINED, QUICK, UNGUIDED, find_model, read_card, read_graph
from selfsharp.restore.backends import BACKENDS
from selfsharp.restore.restorer import Restorer
from selfsharp.restore.runtime import USUAL, Graph

EXAMPLES = Path(__file__).parents[2] / "examples" / "photos"
BLURRED, SHARP = EXAMPLES / "flowers-blurred.png", EXAMPLES / "sharp" / "flowers.webp"
NAMES = BACKENDS.names()


@pytest.fixture(params=NAMES)
def backend(request) -> str:
    if request.param != USUAL:
        pytest.importorskip(request.param)
    return request.param


def graph(name: str, backend: str, *, exact: bool = False) -> Graph:
    folder = find_model("base")
    return Graph(read_graph(folder, read_card(folder), name), 2, backend, exact=exact)


def planes_for(name: str) -> list[np.ndarray]:
    generator = np.random.default_rng(5)
    counts = {"detector": [3], UNGUIDED: [3, 2]}.get(name, [3, 2, 6])
    return [generator.random((count, 64, 128), np.float32) for count in counts]


@pytest.mark.parametrize("name", ["detector", "generator", UNGUIDED, QUICK])
def test_exact_graphs_agree_to_rounding(backend, name):
    planes = planes_for(name)
    found, usual = graph(name, backend, exact=True)(*planes), graph(name, USUAL)(*planes)
    np.testing.assert_allclose(found, usual, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "share"), [("detector", 0.02), ("generator", 0.05), (UNGUIDED, 0.1), (QUICK, 0.05)]
)
def test_quicker_graphs_agree_to_a_share_of_what_they_answer(backend, name, share):
    planes = planes_for(name)
    found, usual = graph(name, backend)(*planes), graph(name, USUAL)(*planes)
    off = np.sqrt(((found - usual) ** 2).mean())
    assert off < share * np.sqrt((usual**2).mean())


def test_a_graph_may_be_run_by_several_threads_at_a_time(backend):
    detector = graph("detector", backend)
    generator = np.random.default_rng(8)
    images = [generator.random((3, 64 * (1 + k % 3), 64), np.float32) for k in range(24)]
    alone = [detector(image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(detector, images))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ["generator", UNGUIDED, QUICK])
def test_8_bits_are_used_where_a_graph_has_ranges_and_cost_little(backend, name):
    folder = find_model("base")
    card = read_card(folder)
    content = read_graph(folder, card, name)
    tile = read_photo(BLURRED).image[64:256, 64:320].transpose(2, 0, 1)
    planes = [tile, np.full((2, *tile.shape[1:]), 3, np.float32)]
    measured = card.ranges[name]
    if name != UNGUIDED:
        planes = [*planes, np.concatenate([tile, tile])]

    def answer(by: str, *, exact: bool = False, ranges=None) -> np.ndarray:
        return Graph(content, 2, by, exact=exact, ranges=ranges)(*planes)

    usual = answer(USUAL)
    assert measured
    off = answer(backend, ranges=measured) - usual
    assert np.sqrt((off**2).mean()) < 0.5 / 255
    exact = answer(backend, exact=True, ranges=measured)
    np.testing.assert_allclose(exact, usual, atol=1e-4)
    if backend == "openvino":
        assert off.any()
        narrow = dict.fromkeys(measured, (0.0, 1e-3))
        lost = answer(backend, ranges=narrow) - usual
        assert np.sqrt((lost**2).mean()) > 2 * np.sqrt((off**2).mean())


def test_a_fast_photo_is_as_good_by_every_backend_to_a_tenth_of_a_decibel(backend):
    photo, sharp = read_photo(BLURRED).image, read_photo(SHARP).image
    found, usual = (
        Restorer(backend=name, quality="fast").restore(photo) for name in (backend, USUAL)
    )
    assert psnr.measure(found.image, sharp) > psnr.measure(usual.image, sharp) - 0.1
    np.testing.assert_array_equal(found.image[found.gate == 0], photo[found.gate == 0])


def test_a_restored_photo_is_as_good_to_a_tenth_of_a_decibel(backend):
    photo, sharp = read_photo(BLURRED).image, read_photo(SHARP).image
    found, usual = (Restorer(backend=name).restore(photo) for name in (backend, USUAL))
    assert psnr.measure(found.image, sharp) > psnr.measure(usual.image, sharp) - 0.1
    np.testing.assert_array_equal(found.image[found.gate == 0], photo[found.gate == 0])


def test_a_broken_graph_is_refused_in_one_line(backend):
    content = (PRETRAINED / "base" / "detector.onnx").read_bytes()
    with pytest.raises(ValueError, match=f"{backend} cannot load the graph") as refused:
        Graph(content[: len(content) // 2], 1, backend)
    assert "\n" not in str(refused.value)


def test_an_unknown_backend_is_refused_with_the_names_there_are():
    with pytest.raises(ValueError, match=r"unknown backend 'cuda'; choose one of: .*onnxruntime"):
        Restorer(backend="cuda")


def test_a_backend_that_is_not_installed_says_how_to_get_it(monkeypatch):
    def missing(name: str):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(type(BACKENDS), "load", lambda _, name: missing(name))
    with pytest.raises(ValueError, match=r"not installed; pip install 'selfsharp\[openvino\]'"):
        Graph(b"", 1, "openvino")
