"""Mirror images are asked as well where no PSF is known and there is little to restore."""

import numpy as np
import pytest

from selfsharp.restore import restorer
from selfsharp.restore.mirrored import Mirrored
from selfsharp.restore.restorer import Restorer
from selfsharp.restore.runtime import Graph


class Skewed(Graph):
    """A graph that answers with a plane that has a left and a right, a top and a bottom."""

    def __init__(self):
        self.inputs = ["image"]

    def __call__(self, *planes):
        (image,) = planes
        rows, columns = image.shape[1:]
        return image * 2 + np.arange(rows * columns, dtype=np.float32).reshape(1, rows, columns)


def test_the_mean_answer_is_as_even_as_what_it_is_asked_of():
    image = np.random.default_rng(0).random((3, 6, 8), np.float32)
    found = Mirrored(Skewed())(image)
    # What the graph adds is turned round with its images, and evens out.
    np.testing.assert_allclose(found, 2 * image + (6 * 8 - 1) / 2, rtol=1e-6)
    assert not np.allclose(found, Skewed()(image))


def test_it_takes_what_the_generator_takes():
    assert Mirrored(Skewed()).inputs == ["image"]


@pytest.mark.parametrize(
    ("quality", "psf", "little", "asked"),
    [
        ("best", None, 16, 4),
        ("fast", None, 16, 1),
        ("best", None, 0, 1),
        ("best", np.ones((3, 3), np.float32), 16, 1),
    ],
)
def test_how_often_a_tile_is_asked(photo, monkeypatch, quality, psf, little, asked):
    monkeypatch.setattr(restorer, "LITTLE", little)
    mask = np.zeros(photo.shape[:2], np.float32)
    mask[8:24, 8:24] = 1  # Too little to estimate a PSF of.
    one = Restorer("base", threads=1, quality=quality)
    graph, called, call = one._model.unguided, [], Graph.__call__
    if psf is not None:
        graph = one._model.generator

    def counted(self, *planes):
        called.append(self)
        return call(self, *planes)

    monkeypatch.setattr(Graph, "__call__", counted)
    one.restore(photo, mask, psf=psf)
    assert called.count(graph) == asked
