"""Models whose references are taken away or exchanged: proof that they tell what they seem to."""

from functools import partial

import numpy as np
from PIL import Image as PillowImage

from selfsharp.benchmark.row import Row, Truth
from selfsharp.benchmark.rows.model import version_of
from selfsharp.blur.psf import Psf
from selfsharp.config import BenchmarkSettings
from selfsharp.datasets import find_photos
from selfsharp.image import Image, Plane, grey_of, read_photo
from selfsharp.restore.blend import Refer
from selfsharp.restore.refer_otherwise import Both, by_sharp_keys, of_another, shuffled
from selfsharp.restore.reference import References
from selfsharp.restore.restorer import Restorer

SAME = 0.8
"""Correlation of two photos, 32 x 32 px each, from which they are one and the same."""


def rows(settings: BenchmarkSettings) -> list[Row]:
    """Four rows for every model that asks for references, each told the mask.

    `no references`; `shuffled references`, whose matches are those of other patches;
    `foreign references`, of another photo of the folder; and `keys as they are`, sharp ones, not
    blurred again.

    Raises:
        ValueError: there is no such model, or none of them asks for references.
    """
    ways: dict[str, Refer] = {
        "no references": _none,
        "shuffled references": shuffled,
        "foreign references": partial(_foreign, settings),
        "keys as they are": by_sharp_keys,
    }
    asking = [model for model in settings.models if Restorer(model, settings.threads).refers]
    if not asking:
        raise ValueError(
            f"{', '.join(settings.models)} asks for no references; leave out --rows references, "
            "or name a model that does with --model"
        )
    return [
        _row_of(model, settings.threads, name, way)
        for model in asking
        for name, way in ways.items()
    ]


def _row_of(model: str, threads: int | None, name: str, way: Refer) -> Row:
    restorer = Restorer(model, threads, refer=way)

    def restore(image: Image, truth: Truth | None) -> Image:
        assert truth is not None
        return restorer.restore(image, truth.mask).image

    title = f"{restorer.card.name}, {name}"
    return Row(title, restore, told="mask", version=version_of(restorer.card))


def _none(image: Image, gate: Plane, psf: Psf, both: Both) -> None:
    """No references."""


def _foreign(
    settings: BenchmarkSettings, image: Image, gate: Plane, psf: Psf, both: Both
) -> References | None:
    """References of the first photo of the folder that is another one."""
    assert settings.pictures is not None
    small = _small(image)
    for path in find_photos(settings.pictures):
        other = read_photo(path).image
        if float(_small(other) @ small) < SAME:
            return of_another(image, gate, psf, both, other)
    return None


def _small(image: Image) -> np.ndarray:
    """The image's grey values at 32 x 32 px, without their mean, of length 1."""
    grey = np.asarray(PillowImage.fromarray(grey_of(image)).resize((32, 32))).ravel()
    grey = grey - grey.mean()
    return grey / max(float(np.linalg.norm(grey)), 1e-9)
