"""A model with generators beside its own: for parts without a PSF, and for less effort."""

import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from selfsharp.model_folder import (  # noqa: E402
    GRAPHS,
    OTHERS,
    QUICK,
    UNGUIDED,
    Card,
    read_card,
    read_graph,
    write_card,
)
from selfsharp.restore.mirrored import IMAGES  # noqa: E402
from selfsharp.restore.restorer import Restorer  # noqa: E402
from selfsharp.restore.runtime import Graph  # noqa: E402
from selfsharp.training.export import TOLERANCE, export, load_average  # noqa: E402
from selfsharp.training.ranges import measure_ranges  # noqa: E402

SHARP = Path(__file__).parents[2] / "examples" / "photos" / "sharp"
CARD = Card(
    "small", "For the tests.", "MIT", 0.8, 0.97, 0.8, least_change=0.0, halo=16, halos={QUICK: 24}
)
LIGHTER = {"widths": [8], "down": [1], "up": []}
"""Options of a generator with fewer scales."""
DEEPER = {"widths": [8, 8, 8], "down": [1, 1, 1], "up": [1, 1]}


@pytest.fixture(scope="module")
def several(tmp_path_factory, save_untrained) -> dict[str, Path]:
    """Checkpoints of generators beside a model's own, and the model's folder."""
    place = tmp_path_factory.mktemp("several")
    made = [save_untrained(place / name, name) for name in ("detector", "mending", "unet")]
    detector, generator, *others = made
    others.append(save_untrained(place / QUICK, "mending", **LIGHTER))
    checkpoints = dict(zip(OTHERS, others, strict=True))
    export(detector, generator, place / "small", CARD, pictures=SHARP, **checkpoints)
    return {"folder": place / "small", **checkpoints}


def test_a_generator_of_their_own_answers_for_parts_without_a_psf(several, photo, tmp_path):
    folder = several["folder"]
    card = read_card(folder)
    assert set(card.graphs) == set(card.sha256) == {*GRAPHS, *OTHERS}
    assert card.training[UNGUIDED]["recipe"]["network"] == "unet"
    assert card.halos == {QUICK: 24}
    without = tmp_path / "without"
    shutil.copytree(folder, without)
    (without / f"{UNGUIDED}.onnx").unlink()
    write_card(without, card)
    both = [Restorer(place, threads=1) for place in (folder, without)]
    mask = np.zeros(photo.shape[:2], np.float32)
    mask[8:24, 8:24] = 1  # Too little to estimate a PSF of.
    own, other = (one.restore(photo, mask) for one in both)
    assert own.psf is None
    network, _ = load_average(several[UNGUIDED], bits=8)
    parts = both[0].find_parts(photo, mask)
    blur = np.stack([parts.gate, parts.radius], axis=2)
    planes = [torch.from_numpy(one.transpose(2, 0, 1).copy())[None] for one in (photo, blur)]
    with torch.inference_mode():
        turned = [[p.flip([1 + axis for axis in axes]) for p in planes] for axes in IMAGES]
        told = [network(*p)[0].flip(axes) for p, axes in zip(turned, IMAGES, strict=True)]
        mean = torch.stack(told).mean(dim=0).numpy().transpose(1, 2, 0)
        wanted = photo + mean * own.gate[:, :, None]
    np.testing.assert_allclose(own.image, np.clip(wanted, 0, 1), atol=TOLERANCE)
    assert (own.image != other.image).any()
    psf = np.ones((3, 3), np.float32)
    known = [one.restore(photo, mask, psf=psf).image for one in both]
    np.testing.assert_array_equal(*known)


def test_a_lighter_generator_restores_with_less_effort_where_a_psf_is_known(several, photo):
    folder = several["folder"]
    mask = np.zeros(photo.shape[:2], np.float32)
    mask[8:24, 8:24] = 1
    psf = np.ones((3, 3), np.float32)
    best, fast = (Restorer(folder, threads=1, quality=q) for q in ("best", "fast"))
    assert [one._model.generator.halo for one in (best, fast)] == [16, 24]
    assert fast._model.unguided.halo == 16
    content = [read_graph(folder, read_card(folder), graph) for graph in ("generator", QUICK)]
    planes = [np.random.default_rng(6).random((n, 16, 24), np.float32) for n in (3, 2, 6)]
    for restorer, graph in zip((best, fast), content, strict=True):
        wanted = Graph(graph, 1)(*planes)
        np.testing.assert_array_equal(restorer._model.generator(*planes), wanted)
    known = [one.restore(photo, mask, psf=psf).image for one in (best, fast)]
    assert (known[0] != known[1]).any()
    # What no PSF is known of is left to the same graph.
    np.testing.assert_array_equal(*(one._model.unguided(*planes[:2]) for one in (best, fast)))


def test_each_generator_has_ranges_of_its_own(several):
    folder = several["folder"]
    card = read_card(folder)
    assert set(card.ranges) == {"generator", *OTHERS}
    for graph, ranges in card.ranges.items():
        measured = measure_ranges(folder / f"{graph}.onnx", SHARP)
        assert {name: tuple(ends) for name, ends in ranges.items()} == measured
    assert all(card.ranges["generator"] != card.ranges[graph] for graph in OTHERS)


def test_a_lighter_generator_is_no_stand_in_where_no_psf_is_known(several, tmp_path):
    without = tmp_path / "without"
    shutil.copytree(several["folder"], without)
    (without / f"{UNGUIDED}.onnx").unlink()
    write_card(without, read_card(without))
    planes = [np.random.default_rng(7).random((n, 16, 24), np.float32) for n in (3, 2, 6)]
    best, fast = (Restorer(without, threads=1, quality=q) for q in ("best", "fast"))
    found = fast._model.unguided(*planes)
    np.testing.assert_array_equal(found, best._model.unguided(*planes))
    assert (found != fast._model.generator(*planes)).any()


@pytest.mark.parametrize("graph", OTHERS)
def test_exporting_again_without_another_generator_leaves_none(tmp_path, save_untrained, graph):
    made = [save_untrained(tmp_path / name, name) for name in ("detector", "mending")]
    other = save_untrained(tmp_path / "other", "mending", **LIGHTER)
    export(*made, tmp_path / "small", CARD, **{graph: other})
    assert set(read_card(tmp_path / "small").sha256) == {*GRAPHS, graph}
    export(*made, tmp_path / "small", CARD)
    assert set(read_card(tmp_path / "small").sha256) == set(GRAPHS)


@pytest.mark.parametrize("graph", OTHERS)
def test_another_generator_has_to_fit(tmp_path, save_untrained, graph):
    detector, generator = (save_untrained(tmp_path / n, n) for n in ("detector", "mending"))
    other = save_untrained(tmp_path / "deeper", "unet", **DEEPER)
    for wrong, told in (
        (detector, "holds the detector"),
        (other, "wants tiles of multiples of 8 "),
    ):
        with pytest.raises(ValueError, match=rf"\A.+ {told}.*; give .+\Z"):
            export(detector, generator, tmp_path / "small", CARD, **{graph: wrong})
