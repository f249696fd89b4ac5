"""Suites of the benchmark, an open folder. Each file is a suite and defines three things.

``PICTURES``: in words, the folder of pictures that it takes.

``ROWS``: the rows that it measures unless told otherwise.

``run(bench: Bench) -> Report``: measures them.

Equal seeds give equal figures of quality, to the last digit.
"""

from selfsharp.catalogue import Folder

SUITES = Folder("selfsharp.benchmark.suites", "suite")
