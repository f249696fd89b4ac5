"""Trained models told the true PSF: what a better estimate could gain."""

from selfsharp.benchmark.row import Row, RowError, Truth
from selfsharp.benchmark.rows.model import version_of
from selfsharp.config import BenchmarkSettings
from selfsharp.image import Image
from selfsharp.restore.restorer import Restorer


def rows(settings: BenchmarkSettings) -> list[Row]:
    """One row for every model, an oracle.

    Raises:
        ValueError: there is no such model.
    """
    return [_row_of(name, settings.threads) for name in settings.models]


def _row_of(model: str, threads: int | None) -> Row:
    restorer = Restorer(model, threads)

    def restore(image: Image, truth: Truth | None) -> Image:
        assert truth is not None
        try:
            return restorer.restore(image, truth.mask, psf=truth.psf).image
        except ValueError as error:  # A model may have no use for PSFs, or none for so large ones.
            raise RowError(str(error)) from None

    version = version_of(restorer.card)
    return Row(f"{restorer.card.name}, PSF given", restore, told="blur", version=version)
