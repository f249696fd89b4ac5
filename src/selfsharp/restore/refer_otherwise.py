"""References taken away, exchanged or found otherwise: what tells whether they are worth anything.

Each takes what `refer` takes. A generator that is told its photo's own references, found by
re-blurred keys, has to do better than one that is told any of these, trained alike.
"""

from dataclasses import replace
from typing import Literal

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.psf import Psf
from selfsharp.image import Image, Plane
from selfsharp.restore.reference import Referred, encode, find, refer

Told = Literal["own", "none", "shuffled", "foreign", "sharp keys"]
"""What a generator is told: its photo's own references or none; own ones of other patches; those of
another photo; or own ones that were found by keys which are not blurred again."""
Other = Float32[np.ndarray, "other_height other_width 3"]
"""Another photo, of whatever size."""


def shuffled(image: Image, gate: Plane, psf: Psf) -> Referred | None:
    """References that are as like as they were, to patches that they were not found for."""
    referred = refer(image, gate, psf)
    if referred is None:
        return None
    references, matches = referred
    order = np.random.default_rng(0).permutation(len(matches.keys))
    return references, replace(matches, keys=matches.keys[order])


def of_another(image: Image, gate: Plane, psf: Psf, other: Other) -> Referred | None:
    """References of another photo, all of which is taken to be sharp."""
    references = encode(other, np.zeros(other.shape[:2], np.float32), psf)
    return (references, find(image, gate, references)) if references else None


def by_sharp_keys(image: Image, gate: Plane, psf: Psf) -> Referred | None:
    """References searched by sharp keys; what is carried over is the same."""
    references = encode(image, gate, psf)
    if references is None:
        return None
    (top, left), (height, width, _) = references.origin, references.means.shape
    within = image[top : top + height, left : left + width]
    means = references.layout.means(within)
    codes = references.layout.patches(means, references.keys) @ references.basis
    sharp = replace(references, means=means, codes=codes)
    return sharp, find(image, gate, sharp)


def refer_as_told(told: Told, image: Image, gate: Plane, psf: Psf, other: Other) -> Referred | None:
    """What a photo is told of itself, by one of these ways."""
    if told == "none":
        return None
    if told == "foreign":
        return of_another(image, gate, psf, other)
    ways = {"own": refer, "shuffled": shuffled, "sharp keys": by_sharp_keys}
    return ways[told](image, gate, psf)
