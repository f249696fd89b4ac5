"""Metrics, an open folder. Each file is a metric and defines one function.

``measure(restored, sharp, region=None) -> float``

for two images of one size and an optional boolean plane of the pixels that count.
"""

from selfsharp.catalogue import Folder

METRICS = Folder("selfsharp.metrics", "metric")
