"""Fast: what a model gains with less effort, as by `restore --quality fast`."""

from selfsharp.benchmark.row import Row
from selfsharp.benchmark.rows.model import rows_of
from selfsharp.config import BenchmarkSettings


def rows(settings: BenchmarkSettings) -> list[Row]:
    """Two rows for every model: fewer estimates of the PSF, from a smaller part.

    Raises:
        ValueError: there is no such model.
    """
    return [
        row for name in settings.models for row in rows_of(name, settings.threads, quality="fast")
    ]
