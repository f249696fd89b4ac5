"""Restores a photo from Python: python examples/restore_photo.py PHOTO OUT."""

import sys
from dataclasses import replace

from selfsharp import Restorer, read_photo, write_photo

source, target = sys.argv[1:3]
photo = read_photo(source)
result = Restorer().restore(photo.image)
if result.share == 0:
    print("nothing is blurred, the photo is unchanged")
write_photo(replace(photo, image=result.image), target)
print(f"{100 * result.share:.0f} % of the photo restored: {target}")
