"""Metrics of maps, an open folder. Each file is a metric and defines one function.

``measure(found, true, region=None) -> float``

for what was found to be blurred, as a mask or as a float32 map from 0 (sharp) to 1
(blurred), the true mask, and an optional region as in `selfsharp.metrics`.
"""

from selfsharp.catalogue import Folder

MAP_METRICS = Folder("selfsharp.map_metrics", "map metric")
