"""What a photo is: an image with the metadata of its file."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from selfsharp.photo_error import PhotoError
from selfsharp.photo_metadata import Metadata
from selfsharp.raster import Image, Plane, Raster, alpha_of
from selfsharp.raster_image import RasterImage


@dataclass(frozen=True, eq=False)
class Photo:
    """An image with the metadata of its file; ``Photo(array)`` is enough.

    To write a sharpened image as the photo that it came from, take
    ``dataclasses.replace(photo, image=sharpened)``.

    Attributes:
        image: RGB in 0..1, sRGB as displayed.
        alpha: straight alpha in 0..1, 1 opaque; None if there is none.
        path: where the photo was read from; None if nowhere.
        metadata: what is written besides the pixels.
        source: the samples that were read, where they do not follow from the image: inks and
            premultiplied colours. Pixels that did not change are written with them.

    Raises:
        PhotoError: image or alpha is of another type or shape.
    """

    image: Image
    alpha: Plane | None = None
    path: Path | None = None
    metadata: Metadata = field(default_factory=Metadata)
    source: Raster | None = None

    def __post_init__(self) -> None:
        """Refuses arrays that would come out as another picture than was meant."""
        image, alpha = self.image, self.alpha
        if image.dtype != np.float32 or image.shape[2:] != (3,) or image.size == 0:
            raise PhotoError(
                f"an image of {image.dtype} and shape {image.shape} is not a photo's; "
                "give float32 in 0..1 of shape (height, width, 3)"
            )
        if alpha is not None and (alpha.dtype != np.float32 or alpha.shape != image.shape[:2]):
            raise PhotoError(
                f"alpha of {alpha.dtype} and shape {alpha.shape} does not fit the image; "
                f"give float32 in 0..1 of shape {image.shape[:2]}"
            )


@dataclass(frozen=True, eq=False)
class StoredPhoto:
    """A photo that stays the samples that its file holds, and becomes floats piece by piece.

    Attributes:
        image: made of samples; once restored, with what has changed.
        path: where the photo was read from.
        metadata: what is written besides the pixels.
    """

    image: RasterImage
    path: Path
    metadata: Metadata

    @cached_property
    def alpha(self) -> Plane | None:
        """Straight alpha in 0..1, 1 opaque; None if there is none."""
        return alpha_of(self.image.raster)

    @property
    def source(self) -> Raster | None:
        """The samples, where they do not follow from the image."""
        raster = self.image.raster
        return None if raster.layout.is_image else raster

    @property
    def photo(self) -> Photo:
        """The same with all of its image as floats."""
        whole = np.asarray(self.image)
        return Photo(whole, self.alpha, self.path, self.metadata, self.source)
