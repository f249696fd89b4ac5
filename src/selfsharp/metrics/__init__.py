"""Metrics, an open folder. Each file is a metric and defines one function and one number.

``measure(restored, sharp, region=None) -> float``

for two images of one size and an optional region: a boolean plane of the pixels that count,
or a float32 plane of weights, from 0 up, of how much each counts. A metric that needs no
sharp original takes the photo as it was before restoring in its place, and says so.

``REACH``

how many pixels around a pixel the metric looks at; what lies further outside the region
than that does not count.
"""

from selfsharp.catalogue import Folder

METRICS = Folder("selfsharp.metrics", "metric")
