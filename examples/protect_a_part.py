"""Restores the left half of a photo only: python examples/protect_a_part.py PHOTO OUT."""

import sys
from dataclasses import replace

import numpy as np

from selfsharp import Restorer, read_photo, write_photo

source, target = sys.argv[1:3]
photo = read_photo(source)
restorer = Restorer()
mask = restorer.find_parts(photo.image).gate.copy()
mask[:, mask.shape[1] // 2 :] = 0
result = restorer.restore(photo.image, mask, strength=0.8)
right = np.s_[:, photo.image.shape[1] // 2 :]
assert np.array_equal(result.image[right], photo.image[right])
write_photo(replace(photo, image=result.image), target)
print(f"the right half is bit for bit as it was: {target}")
