"""What an image is, and photos on disk: read as displayed, written back as they were.

An image is RGB float32 in 0..1; a photo is an image with the metadata of its file. The
formats are JPEG, PNG, WebP and TIFF at 8 bits per channel.
"""

import math
import os
import secrets
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BufferedReader, BytesIO
from pathlib import Path

import numpy as np
import PIL.Image
from jaxtyping import Float32, UInt8
from PIL import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import BITSPERSAMPLE, TiffImageFile

from selfsharp.photo_metadata import DEFLATE, Metadata, encode, read_exif, read_metadata, upright

Image = Float32[np.ndarray, "height width 3"]
Plane = Float32[np.ndarray, "height width"]

# By extension, in Pillow's words.
FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
_MAX_MEGAPIXELS = 250.0
_LONGEST_SIDE = {"JPEG": 65500, "WEBP": 16383}
_MODES = {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "I;16", "I;16B"}
_INSTEAD = "save it as JPEG, PNG, WebP or TIFF with 8 bits per channel first"


class PhotoError(ValueError):
    """A photo cannot be read or written: one line says why, and what to do instead."""

    def __init__(self, message: str) -> None:
        """Joins lines: file names and Pillow's messages may hold line breaks."""
        super().__init__(" ".join(message.split()))


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

    Raises:
        PhotoError: image or alpha is of another type or shape.
    """

    image: Image
    alpha: Plane | None = None
    path: Path | None = None
    metadata: Metadata = field(default_factory=Metadata)

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


def quantize(image: Image) -> UInt8[np.ndarray, "height width 3"]:
    """The image at 8 bits, as a file holds it: clipped to 0..1, rounded, halves up."""
    return _to_bytes(image)


def _to_bytes(values: Float32[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
    return (np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8)


def read_photo(path: Path | str, *, max_megapixels: float = _MAX_MEGAPIXELS) -> Photo:
    """Reads a JPEG, PNG, WebP or TIFF file of 8 bits per channel, as it is displayed.

    Args:
        path: the file; its content tells the format.
        max_megapixels: larger pictures are refused before they are decoded.

    Raises:
        PhotoError: the file is missing, damaged, too large, of another format, deeper
            than 8 bits, neither grey nor RGB, or has several pages.
    """
    path = Path(path)
    with _pillow(path, max_megapixels), _opened(path) as file:
        picture = _identified(path, file, deepest=8)
        picture.load()
        metadata, orientation = read_metadata(picture, file)
        transparent = picture.has_transparency_data
        # Bilevel turns grey, and a palette into the colours it stands for.
        plain = picture.convert(("L" if metadata.grey else "RGB") + "A" * transparent)
        pixels = np.atleast_3d(np.asarray(upright(plain, orientation)))
    colours = 1 if metadata.grey else 3
    image = np.empty((*pixels.shape[:2], 3), np.float32)
    np.divide(pixels[:, :, :colours], np.float32(255), out=image)
    alpha = pixels[:, :, colours] / np.float32(255) if transparent else None
    return Photo(image, alpha, path, metadata)


def read_mask(path: Path | str, height: int, width: int) -> Plane:
    """Reads the mask of a photo's blurred part: 1 where it is white, 0 where it is black.

    Colours count by their luma and alpha is ignored; grey may have 16 bits.

    Args:
        path: a file in one of the four formats.
        height: the photo's, in pixels, as displayed.
        width: the photo's, in pixels, as displayed.

    Raises:
        PhotoError: the file cannot be read, or its size is not the photo's.
    """
    path = Path(path)
    with _pillow(path, _MAX_MEGAPIXELS), _opened(path) as file:
        picture = _identified(path, file, deepest=16)
        picture.load()
        mask = upright(picture, read_exif(picture, file)[1])
        if mask.size != (width, height):
            raise PhotoError(
                f"{path} is {mask.width} x {mask.height} pixels but the photo is "
                f"{width} x {height}; give a mask of the photo's size"
            )
        if mask.mode.startswith("I;16"):
            return np.asarray(mask) / np.float32(65535)
        return np.asarray(mask.convert("L")) / np.float32(255)


# Pillow's limits are global settings, and so are warnings: one thread at a time.
_PILLOW_SETTINGS = threading.Lock()


@contextmanager
def _pillow(path: Path, max_megapixels: float) -> Iterator[None]:
    """Pillow with this limit instead of its own, without warnings, failing by PhotoError."""
    with _PILLOW_SETTINGS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = PIL.Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
        # Pillow warns above its limit; above twice that it refuses, before it decodes.
        PIL.Image.MAX_IMAGE_PIXELS = math.ceil(max_megapixels * 1e6 / 2)
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        try:
            yield
        except (PhotoError, MemoryError):
            raise
        except PIL.Image.DecompressionBombError as error:
            raise PhotoError(
                f"{path} has more than {max_megapixels:g} megapixels; scale it down first"
            ) from error
        except Exception as error:  # Damaged files make Pillow raise nearly anything.
            raise PhotoError(
                f"{path} is damaged or incomplete ({error}); get an undamaged copy of it"
            ) from error
        finally:
            PIL.Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = before


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
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


def _identified(path: Path, file: BufferedReader, deepest: int) -> ImageFile.ImageFile:
    """The picture, not yet decoded; refused if it is of a kind that cannot be kept."""
    try:
        picture = PIL.Image.open(file, formats=("JPEG", "PNG", "WEBP", "TIFF"))
    except PIL.UnidentifiedImageError as error:
        raise PhotoError(_why_unidentified(path, file)) from error
    if isinstance(picture, TiffImageFile) and FORMATS.get(path.suffix.lower()) != "TIFF":
        # Cameras' raw files are TIFF files too, and their first picture is a thumbnail.
        raise PhotoError(f"{path} is a camera's raw file or a misnamed TIFF file; {_INSTEAD}")
    # A JPEG file may carry previews or a gain map; its first picture is the photo itself.
    if not isinstance(picture, JpegImageFile) and getattr(picture, "is_animated", False):
        raise PhotoError(f"{path} is animated or has several pages; save one as its own file")
    depth = 8
    if isinstance(picture, PngImageFile):
        file.seek(24)  # Pillow reads 16-bit colours as 8-bit ones and does not tell.
        depth = file.read(1)[0]
    elif isinstance(picture, TiffImageFile):
        depth = max(picture.tag_v2.get(BITSPERSAMPLE, (1,)))
    if depth > deepest:
        raise PhotoError(f"{path} has {depth} bits per channel; {_INSTEAD}")
    if picture.mode not in _MODES:
        raise PhotoError(f"{path} has {picture.mode} colours, not grey or RGB; {_INSTEAD}")
    return picture


def _why_unidentified(path: Path, file: BufferedReader) -> str:
    file.seek(0)
    start = file.read(12)
    if not start:
        return f"{path} is empty; get a complete copy of it"
    if start.startswith((b"\xff\xd8\xff", b"\x89PNG", b"II*\0", b"MM\0*")) or (
        start.startswith(b"RIFF") and start.endswith(b"WEBP")
    ):
        return f"{path} is damaged or of a rare kind; get an undamaged copy, or {_INSTEAD}"
    found = "HEIC" if start[4:] in (b"ftypheic", b"ftypheix", b"ftypmif1") else None
    with suppress(PIL.UnidentifiedImageError):
        found = PIL.Image.open(file).format
    return f"{path} is {f'a {found} picture' if found else 'not a picture'}; {_INSTEAD}"


def output_path(source: Path | str, *, out_dir: Path | str | None = None) -> Path:
    """Where a sharpened photo goes: NAME-selfsharp.EXT beside the source or in `out_dir`."""
    source = Path(source)
    folder = source.parent if out_dir is None else Path(out_dir)
    return folder / f"{source.stem}-selfsharp{source.suffix}"


def write_photo(photo: Photo, path: Path | str, *, overwrite: bool = False) -> None:
    """Writes a photo with its metadata, in the format that the extension names.

    PNG, TIFF and lossless WebP hold every 8-bit value as it was read. A JPEG is coded as
    the JPEG that it was read from; photos from elsewhere get quality 95 and full colour.
    WebP is lossless if the photo was read from a lossless file, else of quality 95.

    Args:
        photo: what to write; a photo that was read in grey is written in grey.
        path: a file that ends in .jpg, .jpeg, .png, .webp, .tif or .tiff.
        overwrite: whether to replace a file that is there already.

    Raises:
        PhotoError: the file exists, cannot be written, is of no known format or of one
            that cannot hold the photo's alpha or size. Nothing is left behind.
    """
    path = Path(path)
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise PhotoError(f"{path} names no known format; end it in {', '.join(FORMATS)}")
    with atomic_output(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(_encoded(photo, form, path))


def write_plane(plane: Plane, path: Path | str, *, overwrite: bool = False) -> None:
    """Writes a plane, such as a blur map, as a TIFF file of 32-bit floats; values as given.

    Raises:
        PhotoError: the file exists, cannot be written, or does not end in .tif or .tiff.
    """
    path = Path(path)
    if FORMATS.get(path.suffix.lower()) != "TIFF":
        raise PhotoError(f"{path} names no format that holds floats; end it in .tif")
    encoded = BytesIO()
    PIL.Image.fromarray(plane).save(encoded, "TIFF", compression=DEFLATE)
    with atomic_output(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(encoded.getvalue())


@contextmanager
def atomic_output(path: Path | str, *, overwrite: bool = False) -> Iterator[Path]:
    """A temporary file in the folder of `path`, which becomes `path` when the block ends.

    It has the same extension. When the block fails it is removed, and `path` is as before.

    Raises:
        PhotoError: `path` exists and may not be replaced, its folder is missing or cannot
            be written to, or the disc is full.
    """
    path = Path(path)
    taken = f"{path} exists already; choose another name, or allow overwriting"
    # Not tempfile, whose files are for their owner alone, whatever the umask says.
    temporary = path.with_name(f".selfsharp-{secrets.token_hex(8)}{path.suffix}")
    claimed = False
    try:
        if not path.parent.is_dir():
            raise PhotoError(f"there is no folder {path.parent} for {path.name}; create it first")
        if not overwrite and path.exists():
            raise PhotoError(taken)
        temporary.touch(exist_ok=False)
        yield temporary
        with temporary.open("r+b") as file:
            os.fsync(file.fileno())
        if not overwrite:
            path.touch(exist_ok=False)  # Fails if somebody else took the name meanwhile.
            claimed = True
        os.replace(temporary, path)
        claimed = False
    except FileExistsError as error:
        raise PhotoError(taken) from error
    except OSError as error:
        raise PhotoError(
            f"{path} cannot be written ({error.strerror or error}); check the folder's "
            "permissions and free space, or choose another one"
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
            if claimed:
                path.unlink()


def _encoded(photo: Photo, form: str, path: Path) -> bytes:
    """The bytes of the photo's file; `path` is for messages."""
    longest = _LONGEST_SIDE.get(form, math.inf)
    if max(photo.image.shape) > longest:
        raise PhotoError(f"{path}: {form} holds up to {longest} pixels a side; write .png or .tif")
    # Equal channels have their own value as their mean, up to rounding to 8 bits.
    grey = photo.metadata.grey
    channels = [photo.image.mean(axis=2, keepdims=True) if grey else photo.image]
    if photo.alpha is not None and form != "JPEG":
        channels.append(photo.alpha[:, :, None])
    elif photo.alpha is not None and (_to_bytes(photo.alpha) < 255).any():
        raise PhotoError(f"{path}: JPEG cannot hold transparency; write .png, .webp or .tif")
    pixels = _to_bytes(np.concatenate(channels, axis=2))
    picture = PIL.Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    try:
        return encode(picture, photo.metadata, form)
    except MemoryError:
        raise
    except Exception as error:  # Damaged metadata make Pillow raise nearly anything.
        raise PhotoError(f"{path} cannot be coded as {form} ({error}); try .png") from error
