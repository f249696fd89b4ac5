"""What programs that are timed read: a photo, mirrored to a size, and its mask."""

from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from selfsharp.benchmark.programs import MASK, PHOTO
from selfsharp.image import Image, Photo, Plane, StoredPhoto, write_photo
from selfsharp.picture import write_picture


def sides_of(megapixels: float) -> tuple[int, int]:
    """Height and width of a photo of a size, half as wide again as it is high."""
    height = round((megapixels * 1e6 * 2 / 3) ** 0.5)
    return height, round(megapixels * 1e6 / height)


def mirrored(
    picture: Shaped[np.ndarray, "_ _ 3"], height: int, width: int
) -> Shaped[np.ndarray, "height width 3"]:
    """A picture at another size: its corner, or itself and its mirror images in turn."""
    rows, columns = picture.shape[:2]
    fill = [(0, max(0, height - rows)), (0, max(0, width - columns)), (0, 0)]
    return np.pad(picture, fill, "symmetric")[:height, :width]


def write_inputs(image: Image, mask: Plane, folder: Path) -> None:
    """Writes an image and the mask of its blurred part where programs read them."""
    write_both(Photo(image), (mask * 255).astype(np.uint8), folder)


def write_both(
    photo: Photo | StoredPhoto, white: Shaped[np.ndarray, "height width"], folder: Path
) -> None:
    """Writes a photo and its mask, whose samples of 8 bits are given."""
    write_photo(photo, folder / PHOTO, overwrite=True)
    write_picture(white[:, :, None].repeat(3, axis=2), folder / MASK, overwrite=True)
