"""Models whose references are taken away or exchanged: proof that they tell what they seem to."""

from dataclasses import replace
from functools import partial

import numpy as np
from PIL import Image as PillowImage

from selfsharp.benchmark.row import Row, Truth
from selfsharp.benchmark.rows.model import version_of
from selfsharp.blur.psf import Psf
from selfsharp.config import BenchmarkSettings
from selfsharp.datasets import find_photos
from selfsharp.image import Image, Plane, grey_of, read_photo
from selfsharp.restore.reference import Referred, encode, find, refer
from selfsharp.restore.restorer import Refer, Restorer

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
        "shuffled references": _shuffled,
        "foreign references": partial(_foreign, settings),
        "keys as they are": _keys_as_they_are,
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


def _none(image: Image, gate: Plane, psf: Psf) -> None:
    """No references."""


def _shuffled(image: Image, gate: Plane, psf: Psf) -> Referred | None:
    """References that are as like as they were, to patches that they were not found for."""
    referred = refer(image, gate, psf)
    if referred is None:
        return None
    references, matches = referred
    order = np.random.default_rng(0).permutation(len(matches.keys))
    return references, replace(matches, keys=matches.keys[order])


def _foreign(settings: BenchmarkSettings, image: Image, gate: Plane, psf: Psf) -> Referred | None:
    """References of the first photo of the folder that is another one."""
    assert settings.pictures is not None
    small = _small(image)
    for path in find_photos(settings.pictures):
        other = read_photo(path).image
        if float(_small(other) @ small) < SAME:
            references = encode(other, np.zeros(other.shape[:2], np.float32), psf)
            return (references, find(image, gate, references)) if references else None
    return None


def _keys_as_they_are(image: Image, gate: Plane, psf: Psf) -> Referred | None:
    """References searched by sharp keys; what is carried over is the same."""
    references = encode(image, gate, psf)
    if references is None:
        return None
    (top, left), (height, width, _) = references.origin, references.means.shape
    within = image[top : top + height, left : left + width]
    means = references.layout.means(within)
    codes = references.layout.patches(means, references.keys) @ references.basis
    sharp = replace(references, means=means, codes=codes)
    return sharp, find(image, gate, sharp)


def _small(image: Image) -> np.ndarray:
    """The image's grey values at 32 x 32 px, without their mean, of length 1."""
    grey = np.asarray(PillowImage.fromarray(grey_of(image)).resize((32, 32))).ravel()
    grey = grey - grey.mean()
    return grey / max(float(np.linalg.norm(grey)), 1e-9)
