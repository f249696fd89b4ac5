"""References taken away, exchanged or found otherwise: what tells whether they are worth anything.

Each takes what `encode` takes. A generator that is told its photo's own references, found by
keys that met the fate of what is blurred, has to do better than one that is told any of these,
trained alike.
"""

from dataclasses import replace
from typing import Literal

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.psf import Psf
from selfsharp.image import Image, Plane
from selfsharp.restore.reference import (
    References,
    closest,
    distance_of_queries,
    encode,
    encoded,
)

Told = Literal["own", "none", "shuffled", "foreign", "sharp keys"]
"""What a generator is told: its photo's own references or none; own ones of other patches; those of
another photo; or own ones that were found by keys which are not blurred again."""
Other = Float32[np.ndarray, "other_height other_width 3"]
"""Another photo, of whatever size."""
Both = tuple[Psf, Psf] | None


def shuffled(image: Image, gate: Plane, psf: Psf, both: Both) -> References | None:
    """References that are as like as they were, to patches that they were not found for."""
    references = encode(image, gate, psf, both)
    return references and replace(references, dealt=True)


def of_another(image: Image, gate: Plane, psf: Psf, both: Both, other: Other) -> References | None:
    """References of another photo, all of which is taken to be sharp."""
    references = encode(other, np.zeros(other.shape[:2], np.float32), psf, both)
    return references and replace(references, apart=distance_of_queries(gate, references.layout))


def by_sharp_keys(image: Image, gate: Plane, psf: Psf, both: Both) -> References | None:
    """References searched by sharp keys; what is carried over is the same."""
    references = encode(image, gate, psf, both)
    if references is None:
        return None
    means = references.layout.means(image[closest(gate)])
    basis, codes = encoded(references.layout, means, references.keys)
    return replace(references, means=means, basis=basis, codes=codes)


def encode_as_told(
    told: Told, image: Image, gate: Plane, psf: Psf, both: Both, other: Other
) -> References | None:
    """What a photo is told of itself, by one of these ways."""
    if told == "none":
        return None
    if told == "foreign":
        return of_another(image, gate, psf, both, other)
    ways = {"own": encode, "shuffled": shuffled, "sharp keys": by_sharp_keys}
    return ways[told](image, gate, psf, both)
