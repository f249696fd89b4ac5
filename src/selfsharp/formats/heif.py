"""HEIC, as phones write it: RGB of 8 bits, or of 10, by pillow-heif, which is an extra."""

from importlib import import_module
from io import BytesIO

import numpy as np

from selfsharp.exif import File
from selfsharp.formats import Holds, check_size
from selfsharp.formats._boxes import brands
from selfsharp.photo_error import UnsupportedError
from selfsharp.photo_metadata import EXIF_START, Metadata, fits_profile, plain_exif, upright_xmp
from selfsharp.raster import Layout, Raster

NAME = "HEIC"
ENDINGS = (".heic", ".heif", ".hif")
RANK = 5
HOLDS = Holds(("rgb",), depths=(8, 16), longest=16384, lossless=False)

_QUALITY = 90
_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}
_SUBSAMPLINGS = {420: "4:2:0", 422: "4:2:2", 444: "4:4:4"}


def recognises(start: bytes, ending: str) -> bool:
    """Whether a file is a HEIC file."""
    found = brands(start)
    return bool(found & _BRANDS) and not found & {b"avif", b"avis"}


def read(file: File, most_pixels: float) -> tuple[Raster, Metadata]:
    """Upright samples and metadata of a HEIC file; 10 bits are stretched to 16."""
    pillow_heif = import_module("pillow_heif")

    found = pillow_heif.open_heif(file, convert_hdr_to_8bit=False, bgr_mode=False)
    if len(found) > 1:
        raise UnsupportedError("holds several photos", "save one as its own file")
    width, height = found.size
    check_size(width, height, most_pixels)
    lost = ["the quality at which it was coded, which is not told; the file is of quality 90"]
    if found.info.get("depth_images") or found.info.get("aux"):
        lost.append("further pictures in the file (depth, mattes or a gain map)")
    deep = found.mode.endswith(";16")
    layout = Layout("rgb", "straight" if found.has_alpha else "none", 16 if deep else 8)
    samples = np.asarray(found)
    if samples.ndim == 2:
        samples = np.repeat(samples[:, :, None], 3, axis=2)
    if deep:
        bits = int(found.info["bit_depth"])
        whole = (samples >> (16 - bits)).astype(np.float32) * np.float32(65535 / ((1 << bits) - 1))
        samples = (whole + 0.5).astype(np.uint16)
        lost += ["12 bits per channel; the file has 10"] * (bits > 10)
    block, orientation = plain_exif(found.info)  # libheif has turned the pixels already.
    xmp = found.info.get("xmp")
    metadata = Metadata(
        format=NAME,
        layout=layout,
        exif=block,
        icc=found.info.get("icc_profile"),
        xmp=upright_xmp(xmp, orientation) if isinstance(xmp, bytes) else None,
        subsampling=_SUBSAMPLINGS.get(found.info.get("chroma", 0)),
        lost=tuple(lost),
    )
    return Raster(np.ascontiguousarray(samples), layout), metadata


def write(raster: Raster, metadata: Metadata) -> tuple[bytes, list[str]]:
    """A HEIC file of quality 90, of 10 bits where the photo has more than 8."""
    pillow_heif = import_module("pillow_heif")

    lost, kept = [], {}
    if metadata.icc and fits_profile(metadata.icc, raster.layout):
        kept["icc_profile"] = metadata.icc
    elif metadata.icc:
        lost.append("the colour profile, which is for other colours than the file's")
    if metadata.exif:
        kept["exif"] = EXIF_START + metadata.exif
    elif metadata.dpi:
        lost.append("the resolution, for which HEIC has no place but EXIF")
    if metadata.xmp:
        kept["xmp"] = metadata.xmp
    if metadata.layout.depth == 16 and metadata.format != NAME:
        lost.append("16 bits per channel; HEIC holds 10")
    chroma = {"4:2:2": 422, "4:2:0": 420}.get(metadata.subsampling or "", 444)
    mode = "RGB" + "A" * (raster.layout.alpha != "none") + ";16" * (raster.layout.depth == 16)
    height, width = raster.samples.shape[:2]
    file = BytesIO()
    pillow_heif.encode(
        mode,
        (width, height),
        raster.samples.tobytes(),
        file,
        quality=_QUALITY,
        chroma=chroma,
        **kept,
    )
    return file.getvalue(), lost
