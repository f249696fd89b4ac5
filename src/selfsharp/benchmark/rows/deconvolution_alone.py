"""Deconvolution alone: what a model's proposals are worth without its generator."""

from selfsharp.benchmark.row import Row
from selfsharp.benchmark.rows.model import rows_of
from selfsharp.config import BenchmarkSettings


def rows(settings: BenchmarkSettings) -> list[Row]:
    """Two rows for every model: the PSF estimated, checked, undone, and blended in as it is.

    Unlike `blind`, which takes the whole photo to be blurred, it goes by the blurred part.

    Raises:
        ValueError: there is no such model.
    """
    return [
        row for name in settings.models for row in rows_of(name, settings.threads, "deconvolution")
    ]
