"""Does nothing: what every gain is measured from."""

from selfsharp.benchmark.row import Row
from selfsharp.config import BenchmarkSettings


def rows(settings: BenchmarkSettings) -> list[Row]:
    """The image as it came."""
    return [Row("do nothing", lambda image, truth: image)]
