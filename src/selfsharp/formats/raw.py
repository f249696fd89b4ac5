"""Cameras' raw files, developed by LibRaw (rawpy), which is an extra; written as 16-bit TIFF."""

from importlib import import_module

from selfsharp import exif
from selfsharp.exif import File
from selfsharp.formats import check_size
from selfsharp.photo_metadata import Metadata
from selfsharp.raster import Layout, Raster

NAME = "camera raw"
ENDINGS = (
    *(".dng", ".nef", ".nrw", ".cr2", ".cr3", ".arw", ".srf", ".sr2", ".orf", ".rw2"),
    *(".pef", ".raf", ".srw", ".x3f", ".erf", ".mrw", ".3fr", ".iiq", ".kdc", ".dcr"),
)
RANK = 6
WRITTEN_AS = ".tif"

_LAST_OF_TIFF = 34853  # Tags above are of Adobe's DNG and of makers: how to develop the file.


def recognises(start: bytes, ending: str) -> bool:
    """Whether a file is a camera's raw file, which its name alone tells."""
    return ending in ENDINGS


def read(file: File, most_pixels: float) -> tuple[Raster, Metadata]:
    """The photo that a raw file becomes by the camera's white balance, in sRGB at 16 bits."""
    rawpy = import_module("rawpy")

    with rawpy.imread(file) as raw:
        check_size(raw.sizes.raw_width, raw.sizes.raw_height, most_pixels)
        samples = raw.postprocess(
            output_bps=16,
            use_camera_wb=True,
            no_auto_bright=True,
            output_color=rawpy.ColorSpace.sRGB,
        )
    layout = Layout("rgb", "none", 16)
    metadata = Metadata(
        format=NAME,
        layout=layout,
        lossless=True,
        exif=exif.from_tiff(file, last=_LAST_OF_TIFF),
        lost=("the raw file itself: it is developed, and written as TIFF of 16 bits in sRGB",),
    )
    return Raster(samples, layout), metadata
