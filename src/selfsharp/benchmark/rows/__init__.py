"""Rows of the benchmark's tables, an open folder. Each file defines one function.

``rows(settings: BenchmarkSettings) -> list[Row]``

the rows that the settings ask for: one for a classical method, two for every model, one for
every outside program. `--rows` names files of this folder.
"""

from collections.abc import Sequence

from selfsharp.benchmark.row import Row
from selfsharp.catalogue import Folder
from selfsharp.config import BenchmarkSettings

ROWS = Folder("selfsharp.benchmark.rows", "row")


def choose_rows(settings: BenchmarkSettings, usual: Sequence[str]) -> list[Row]:
    """The rows that the settings name, or those that are usual in the suite.

    Raises:
        ValueError: there is no such row, or two would be called alike.
    """
    chosen = [row for name in settings.rows or usual for row in ROWS.load(name).rows(settings)]
    names = [row.name for row in chosen]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two rows would be called {name!r}; name each model or peer once")
    return chosen
