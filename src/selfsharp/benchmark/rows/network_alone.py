"""Network alone: what a model's generator is worth without proposals."""

from selfsharp.benchmark.row import Row
from selfsharp.benchmark.rows.model import rows_of
from selfsharp.config import BenchmarkSettings


def rows(settings: BenchmarkSettings) -> list[Row]:
    """Two rows for every model: no PSF is estimated, and the generator restores by itself.

    Raises:
        ValueError: there is no such model.
    """
    return [row for name in settings.models for row in rows_of(name, settings.threads, "network")]
