"""Trained models, each with its mask found and with the true mask given."""

from dataclasses import replace

from selfsharp.benchmark.row import Row, Truth
from selfsharp.blur.estimate import Quality
from selfsharp.config import BenchmarkSettings
from selfsharp.image import Image
from selfsharp.model_folder import Card
from selfsharp.restore.blend import Alone
from selfsharp.restore.restorer import Restorer

FOUND, GIVEN = "mask found", "mask given"


def rows(settings: BenchmarkSettings) -> list[Row]:
    """Two rows for every model.

    Raises:
        ValueError: there is no such model.
    """
    return [row for name in settings.models for row in rows_of(name, settings.threads)]


def rows_of(
    model: str, threads: int | None, alone: Alone | None = None, quality: Quality = "best"
) -> list[Row]:
    """The two rows of one model, or of one half of its method, or of less effort."""
    restorer = Restorer(model, threads, alone, quality=quality)

    def find_and_restore(image: Image, truth: Truth | None) -> Image:
        return restorer.restore(image).image

    def restore_given(image: Image, truth: Truth | None) -> Image:
        assert truth is not None
        return restorer.restore(image, truth.mask).image

    name, measured = restorer.card.name, model
    if alone or quality != "best":
        # The card tells what the whole model does, at its best.
        name, measured = f"{name}, {alone} alone" if alone else f"{name}, {quality}", ""
    version = version_of(restorer.card)
    return [
        Row(f"{name}, {FOUND}", find_and_restore, model=measured, version=version),
        Row(f"{name}, {GIVEN}", restore_given, told="mask", model=measured, version=version),
    ]


def version_of(card: Card) -> str:
    """What tells one model from another of its name: all of its card that restoring depends on."""
    return repr(replace(card, training={}, scores={}))
