"""What an image is, and photos on disk: read as displayed, written back as they were.

An image is RGB float32 in 0..1; a photo is an image with the metadata of its file. What is
read and written of which format stands in `formats`.
"""

import logging
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import PIL.Image

from selfsharp.exif import File
from selfsharp.formats import START, by_ending, fitting, recognise, writable_endings
from selfsharp.output_file import atomic_output
from selfsharp.photo import Photo, StoredPhoto
from selfsharp.photo_error import PhotoError, UnsupportedError
from selfsharp.photo_metadata import Metadata, with_new_thumbnail
from selfsharp.pillow_settings import reading_up_to
from selfsharp.raster import Image, Plane, Raster, grey_of, luma_of, quantize
from selfsharp.raster_image import AnyGrey, AnyImage, GreyImage, RasterImage, raster_of

__all__ = [
    "MAX_MEGAPIXELS",
    "AnyGrey",
    "AnyImage",
    "GreyImage",
    "Image",
    "Photo",
    "PhotoError",
    "Plane",
    "StoredPhoto",
    "atomic_output",
    "grey_of",
    "open_photo",
    "open_with_mask",
    "output_path",
    "quantize",
    "read_mask",
    "read_photo",
    "write_photo",
    "write_plane",
]

Understood = TypeVar("Understood")
"""What is made of a mask as it is read."""

MAX_MEGAPIXELS = 250.0
"""Larger pictures are refused unless a caller says otherwise."""
TOGETHER = 32.0
"""Megapixels of a mask up to which it is read beside its photo: both are decoded in memory then."""


def read_photo(path: Path | str, *, max_megapixels: float = MAX_MEGAPIXELS) -> Photo:
    """Reads a photo as it is displayed, at the depth that it has.

    Grey, RGB and CMYK; colour values are taken as they are, without their profile.

    Args:
        path: a file of one of `formats`; its content tells of which.
        max_megapixels: larger pictures are refused before they are decoded.

    Raises:
        PhotoError: the file is missing, damaged, too large, of another format, of a depth
            that cannot be kept, or has several pages.
    """
    return open_photo(path, max_megapixels=max_megapixels).photo


def open_photo(path: Path | str, *, max_megapixels: float = MAX_MEGAPIXELS) -> StoredPhoto:
    """Reads a photo as :func:`read_photo` does, and leaves it the samples that it is.

    Args:
        path: a file of one of `formats`; its content tells of which.
        max_megapixels: larger pictures are refused before they are decoded.

    Raises:
        PhotoError: as there.
    """
    path = Path(path)
    raster, metadata = _read(path, max_megapixels)
    return StoredPhoto(RasterImage(raster), path, metadata)


def read_mask(
    path: Path | str, height: int, width: int, *, max_megapixels: float = MAX_MEGAPIXELS
) -> Plane:
    """Reads the mask of a photo's blurred part: 1 where it is white, 0 where it is black.

    Colours count by their luma and alpha is ignored.

    Args:
        path: a file in one of the formats.
        height: the photo's, in pixels, as displayed.
        width: the photo's, in pixels, as displayed.
        max_megapixels: larger pictures are refused before they are decoded.

    Raises:
        PhotoError: the file cannot be read, or its size is not the photo's.
    """
    luma = _read_luma(Path(path), max_megapixels)
    _check_fit(luma.shape, Path(path), height, width)
    return luma


def open_with_mask(
    path: Path,
    mask: Path,
    understand: Callable[[Plane], Understood],
    *,
    max_megapixels: float = MAX_MEGAPIXELS,
) -> tuple[StoredPhoto, Understood]:
    """:func:`open_photo` and :func:`read_mask`, at a time if the mask is small enough.

    Args:
        understand: what is made of the mask, at the same time, too.

    Raises:
        PhotoError: as there, of the photo where both are wrong.
    """
    if not _told_megapixels(mask, max_megapixels) <= TOGETHER:
        photo = open_photo(path, max_megapixels=max_megapixels)
        size = photo.image.shape[:2]
        return photo, understand(read_mask(mask, *size, max_megapixels=max_megapixels))

    def read_beside() -> tuple[tuple[int, ...], Understood]:
        luma = _read_luma(mask, max_megapixels)
        return luma.shape, understand(luma)

    with ThreadPoolExecutor(1) as beside:
        reading = beside.submit(read_beside)
        photo = open_photo(path, max_megapixels=max_megapixels)
    shape, understood = reading.result()
    _check_fit(shape, mask, *photo.image.shape[:2])
    return photo, understood


def _told_megapixels(path: Path, max_megapixels: float) -> float:
    """Size of a picture as its first bytes tell it to Pillow; not a number where they do not."""
    with suppress(Exception), _guarded(path, max_megapixels), PIL.Image.open(path) as picture:
        return picture.width * picture.height / 1e6
    return math.nan


def _read_luma(path: Path, max_megapixels: float) -> Plane:
    return luma_of(_read(path, max_megapixels)[0])


def _check_fit(shape: tuple[int, ...], path: Path, height: int, width: int) -> None:
    """Refuses a mask that has not the photo's size."""
    down, across = shape
    if (down, across) != (height, width):
        raise PhotoError(
            f"{path} is {across} x {down} pixels but the photo is "
            f"{width} x {height}; give a mask of the photo's size"
        )


def _read(path: Path, max_megapixels: float) -> tuple[Raster, Metadata]:
    with _guarded(path, max_megapixels), _opened(path) as file:
        start = file.read(START)
        form = recognise(start, path.suffix.lower())
        if form is None:
            raise PhotoError(_why_unrecognised(path, file, start))
        file.seek(0)
        try:
            return form.read(file, max_megapixels * 1e6)
        except UnsupportedError as error:
            instead = error.instead or _INSTEAD
            raise PhotoError(f"{path} {error.what}; {instead}") from error


_INSTEAD = "save it as JPEG, PNG, WebP or TIFF with 8 or 16 bits per channel first"

# What Pillow logs of damaged files would be printed if nobody asked for its log.
logging.getLogger("PIL").addHandler(logging.NullHandler())


@contextmanager
def _guarded(path: Path, max_megapixels: float) -> Iterator[None]:
    """Pillow with this limit, failing by PhotoError."""
    with reading_up_to(max_megapixels):
        try:
            yield
        except PhotoError:
            raise
        except MemoryError as error:
            raise PhotoError(
                f"{path} takes more memory than there is; scale it down first"
            ) from error
        except PIL.Image.DecompressionBombError as error:
            raise PhotoError(
                f"{path} has more than {max_megapixels:g} megapixels; scale it down first, or "
                "restore it with a larger --max-megapixels"
            ) from error
        except ModuleNotFoundError as error:
            raise PhotoError(
                f"{path} needs {error.name} to be read; pip install 'selfsharp[formats]'"
            ) from error
        except Exception as error:  # Damaged files make Pillow raise nearly anything.
            raise PhotoError(
                f"{path} is damaged or incomplete ({error}); get an undamaged copy of it"
            ) from error


@contextmanager
def _opened(path: Path) -> Iterator[File]:
    try:
        if path.exists() and not path.is_file():
            raise PhotoError(f"{path} is a folder or device; give a photo's file")
        file = path.open("rb")
    except FileNotFoundError as error:
        raise PhotoError(f"there is no file {path}; check its name and folder") from error
    except OSError as error:
        message = f"{path} cannot be opened ({error.strerror}); check its name and permissions"
        raise PhotoError(message) from error
    with file:
        yield file


def _why_unrecognised(path: Path, file: File, start: bytes) -> str:
    if not start:
        return f"{path} is empty; get a complete copy of it"
    if start.startswith((b"II*\0", b"MM\0*")):
        return f"{path} is a camera's raw file or a misnamed TIFF file; {_INSTEAD}"
    found = None
    with suppress(Exception):
        found = PIL.Image.open(file).format
    return f"{path} is {f'a {found} picture' if found else 'not a picture'}; {_INSTEAD}"


def output_path(source: Path | str, *, out_dir: Path | str | None = None) -> Path:
    """Where a sharpened photo goes: NAME-selfsharp.EXT beside the source or in `out_dir`.

    The extension is the source's, or for formats that are only read, such as a camera's raw
    file, that of the format in their place.
    """
    source = Path(source)
    folder = source.parent if out_dir is None else Path(out_dir)
    form = by_ending().get(source.suffix.lower())
    ending = getattr(form, "WRITTEN_AS", source.suffix)
    return folder / f"{source.stem}-selfsharp{ending}"


def write_photo(
    photo: Photo | StoredPhoto, path: Path | str, *, overwrite: bool = False
) -> tuple[str, ...]:
    """Writes a photo with its metadata, in the format that the extension names.

    PNG, TIFF and lossless WebP hold every value as it was read, PNG and TIFF at 16 bits, too.
    A JPEG is coded as the JPEG that it was read from; photos from elsewhere get quality 95
    and full colour. WebP is lossless if the photo was read from a lossless file, else of
    quality 95. A thumbnail in EXIF is made anew.

    Args:
        photo: what to write; a photo that was read in grey or CMYK is written so.
        path: a file that ends as one of `formats` that can be written.
        overwrite: whether to replace a file that is there already.

    Returns:
        What was in the photo's file and could not be kept, each as a line.

    Raises:
        PhotoError: the file exists, cannot be written, is of no known format or of one
            that cannot hold the photo's alpha or size. Nothing is left behind.
    """
    path = Path(path)
    form = by_ending().get(path.suffix.lower())
    if form is None or not hasattr(form, "write"):
        endings = ", ".join(writable_endings())
        raise PhotoError(f"{path} names no known format; end it in {endings}")
    with atomic_output(path, overwrite=overwrite) as temporary:
        encoded, lost = _encoded(photo, form, path)
        temporary.write_bytes(encoded)
    return lost


def _encoded(
    photo: Photo | StoredPhoto, form: ModuleType, path: Path
) -> tuple[bytes, tuple[str, ...]]:
    """The bytes of the photo's file and what they lack; `path` is for messages."""
    longest = form.HOLDS.longest
    if max(photo.image.shape) > longest:
        message = f"{path}: {form.NAME} holds up to {longest} pixels a side; write .png or .tif"
        raise PhotoError(message)
    layout = photo.metadata.layout
    if photo.alpha is None:
        layout = replace(layout, alpha="none")
    elif layout.alpha == "none":
        layout = replace(layout, alpha="straight")
    held, lost = fitting(layout, form)
    if held.alpha == "none" and photo.alpha is not None and (photo.alpha < 1 - 0.5 / 255).any():
        raise PhotoError(f"{path}: {form.NAME} cannot hold transparency; write .png, .webp or .tif")
    try:
        raster = raster_of(photo.image, photo.alpha, held, photo.source)
        metadata = with_new_thumbnail(photo.metadata, raster)
        encoded, further = form.write(raster, metadata)
    except MemoryError as error:
        message = f"{path} takes more memory than there is; scale the photo down first"
        raise PhotoError(message) from error
    except ModuleNotFoundError as error:
        raise PhotoError(
            f"{path} needs {error.name} to be written; pip install 'selfsharp[formats]'"
        ) from error
    except Exception as error:  # Damaged metadata make Pillow raise nearly anything.
        raise PhotoError(f"{path} cannot be coded as {form.NAME} ({error}); try .png") from error
    return encoded, (*metadata.lost, *lost, *further)


def write_plane(plane: Plane, path: Path | str, *, overwrite: bool = False) -> None:
    """Writes a plane, such as a blur map, as a TIFF file of 32-bit floats; values as given.

    Raises:
        PhotoError: the file exists, cannot be written, or does not end in .tif or .tiff.
    """
    path = Path(path)
    if path.suffix.lower() not in (".tif", ".tiff"):
        raise PhotoError(f"{path} names no format that holds floats; end it in .tif")
    encoded = BytesIO()
    PIL.Image.fromarray(plane).save(encoded, "TIFF", compression="tiff_adobe_deflate")
    with atomic_output(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(encoded.getvalue())
