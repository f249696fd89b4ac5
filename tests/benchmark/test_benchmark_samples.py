"""What the benchmark measures on stays the same photo, bit for bit, from version to version."""

import hashlib

import numpy as np

from selfsharp.benchmark.suites.table1 import shaken_blob
from selfsharp.image import quantize


def test_a_partly_shaken_photo_of_table_1_is_blurred_as_it_always_was(photo):
    digest = hashlib.sha256()
    for seed in ([0, 0], [0, 1], [3, 7]):
        sample = shaken_blob(photo, seed)
        digest.update(quantize(sample.blurred).tobytes())
        digest.update(quantize(sample.sharp).tobytes())
        digest.update(np.rint(sample.blur_map * 1000).astype(np.int32).tobytes())
    assert digest.hexdigest()[:16] == "c8c3e33affdcf41f"
