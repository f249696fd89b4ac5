"""Photos come back from disk as they went there, and what cannot is refused in one line."""

import errno
import os
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import jaxtyping
import numpy as np
import PIL.Image
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import ImageCms, ImageFile, ImageOps
from PIL.ExifTags import IFD
from PIL.ExifTags import Base as Tag
from PIL.JpegImagePlugin import JpegImageFile, get_sampling
from PIL.PngImagePlugin import PngImageFile, PngInfo
from PIL.TiffImagePlugin import TiffImageFile

from selfsharp import image
from selfsharp.image import (
    Photo,
    PhotoError,
    atomic_output,
    grey_of,
    open_with_mask,
    output_path,
    quantize,
    read_mask,
    read_photo,
    write_photo,
    write_plane,
)
from selfsharp.photo_metadata import Metadata

ENDINGS = ("jpg", "png", "webp", "tif")
LOSSLESS_ENDINGS = ("png", "webp", "tif")
EXACT: dict[str, Any] = {"lossless": True, "exact": True}  # WebP as the other two.
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><tiff:Orientation>1</tiff:Orientation></x:xmpmeta>'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for tests that hypothesis runs many times; they overwrite their files."""
    return tmp_path_factory.mktemp("photos")


def scene(height: int = 24, width: int = 40, channels: int = 3) -> np.ndarray:
    """Pixels that are smooth enough for JPEG, and look the same in no two orientations."""
    rows, columns = np.mgrid[0:height, 0:width]
    values = [rows * 9, columns * 5, 255 - rows * 3 - columns * 2, 60 + columns * 4]
    return np.stack(values[:channels], axis=2).clip(0, 255).astype(np.uint8)


PHOTO = Photo(scene().astype(np.float32) / 255)


def save(path: Path, pixels: Any = None, **options: Any) -> Path:
    """Writes a file with Pillow alone; WebP without loss unless told otherwise."""
    pixels = scene() if pixels is None else pixels
    if path.suffix == ".webp":
        options = EXACT | options
    PIL.Image.fromarray(pixels).save(path, **options)
    return path


def decoded(path: Path, mode: str = "RGB") -> np.ndarray:
    """What Pillow alone finds in a file, as it is displayed."""
    with PIL.Image.open(path) as picture:
        return np.asarray(ImageOps.exif_transpose(picture).convert(mode))


def camera_exif(orientation: int = 1) -> PIL.Image.Exif:
    """EXIF with all that tends to get lost: maker's notes, GPS, a size as some phones tell it."""
    exif = PIL.Image.Exif()
    exif[Tag.Make], exif[Tag.Orientation], exif[Tag.ImageWidth] = "ACME", orientation, 9999
    exif[Tag.XResolution] = exif[Tag.YResolution] = 300.0
    exif[Tag.ResolutionUnit] = 2
    exif.get_ifd(IFD.Exif)[Tag.FNumber] = 2.8
    exif.get_ifd(IFD.Exif)[Tag.MakerNote] = b"maker\0\1\2\3"
    exif.get_ifd(IFD.Exif)[IFD.Interop] = {1: "R98"}
    exif.get_ifd(IFD.GPSInfo)[1] = "N"
    exif.get_ifd(IFD.GPSInfo)[2] = (47.0, 22.0, 8.25)
    return exif


def assert_camera_exif(path: Path) -> None:
    with PIL.Image.open(path) as picture:
        exif = picture.getexif()
        assert exif[Tag.Make] == "ACME"
        assert exif.get(Tag.Orientation, 1) == 1
        assert exif.get_ifd(IFD.Exif)[Tag.FNumber] == pytest.approx(2.8)
        assert exif.get_ifd(IFD.Exif)[Tag.MakerNote] == b"maker\0\1\2\3"
        assert exif.get_ifd(IFD.Interop)[1] == "R98"
        assert exif.get_ifd(IFD.GPSInfo)[2] == (47.0, 22.0, 8.25)


def assert_one_line(message: str, *parts: object) -> None:
    """The message is one line that names these parts and says what to do instead."""
    assert "\n" not in message
    assert "; " in message
    for part in parts:
        assert str(part) in message


# ------------------------------------------------------------------------------- pixels


@st.composite
def pictures(draw: st.DrawFn) -> PIL.Image.Image:
    """Any small picture of 8 bits, whatever its mode."""
    mode = draw(st.sampled_from(("L", "LA", "RGB", "RGBA", "P")))
    shape = draw(st.tuples(st.integers(1, 20), st.integers(1, 20)))
    if len(mode) > 1:
        shape += (len(mode),)
    pixels = draw(arrays(np.uint8, shape))
    picture = PIL.Image.fromarray(pixels)
    if mode == "P":
        picture.putpalette(draw(arrays(np.uint8, 768)).tobytes())
    return picture


@settings(deadline=None, max_examples=150)
@given(pictures(), st.sampled_from(LOSSLESS_ENDINGS), st.sampled_from(LOSSLESS_ENDINGS))
def test_lossless_files_keep_every_bit(
    folder: Path, picture: PIL.Image.Image, ending: str, out_ending: str
) -> None:
    source, out = folder / f"source.{ending}", folder / f"out.{out_ending}"
    picture.save(source, **(EXACT if ending == "webp" else {}))
    photo = read_photo(source)
    expected = np.asarray(picture.convert("RGBA"))
    assert np.array_equal(quantize(photo.image), expected[:, :, :3])
    if photo.alpha is None:
        assert expected[:, :, 3].min() == 255
    else:
        assert np.array_equal(np.round(photo.alpha * 255), expected[:, :, 3])
    write_photo(photo, out, overwrite=True)
    with PIL.Image.open(out) as written:
        assert np.array_equal(np.asarray(written.convert("RGBA")), expected)
        if picture.mode in ("L", "LA") and "webp" not in (ending, out_ending):
            assert written.mode == picture.mode


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_bilevel_turns_grey(tmp_path: Path, ending: str) -> None:
    source = tmp_path / f"a.{ending}"
    PIL.Image.fromarray(scene()[:, :, 0] > 100).save(source)
    photo = read_photo(source)
    write_photo(photo, tmp_path / "b.png")
    with PIL.Image.open(tmp_path / "b.png") as written:
        assert written.mode == "L"
        assert np.array_equal(np.asarray(written) == 255, scene()[:, :, 0] > 100)


@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
def test_transparent_colours_of_png_become_alpha(tmp_path: Path, mode: str) -> None:
    picture = PIL.Image.fromarray(scene()).convert(mode)
    clear = picture.getpixel((3, 3))
    transparency = bytes(range(255, -1, -1)) if mode == "P" else clear
    picture.save(tmp_path / "a.png", transparency=transparency)
    write_photo(read_photo(tmp_path / "a.png"), tmp_path / "b.png")
    expected = decoded(tmp_path / "a.png", "RGBA")
    assert expected[3, 3, 3] < 255
    assert np.array_equal(decoded(tmp_path / "b.png", "RGBA"), expected)


def test_grey_stays_grey_even_where_the_image_has_been_coloured(tmp_path: Path) -> None:
    photo = read_photo(save(tmp_path / "a.png", scene()[:, :, 0]))
    image = photo.image.copy()
    image[4, 5] = (0.3, 0.4, 0.8)
    write_photo(replace(photo, image=image), tmp_path / "b.png")
    with PIL.Image.open(tmp_path / "b.png") as written:
        assert written.mode == "L"
        assert written.getpixel((5, 4)) == 128
        expected = scene()[:, :, 0].copy()
        expected[4, 5] = 128
        assert np.array_equal(np.asarray(written), expected)


def test_every_8_bit_value_survives_floats() -> None:
    levels = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(16, 16, 3)
    assert np.array_equal(quantize(levels.astype(np.float32) / 255), levels)


@given(st.floats(-2, 3, width=32))
def test_quantize_clips_and_takes_the_nearest_value(value: float) -> None:
    found = int(quantize(np.full((1, 1, 3), value, np.float32))[0, 0, 0])
    assert abs(found - 255 * min(max(value, 0), 1)) <= 0.5001


def test_quantize_rounds_halves_up() -> None:
    halves = (np.arange(255, dtype=np.float32) + np.float32(0.5)) / 255
    # Those that are exact halves in floats, too.
    exact = halves[halves * 255 == np.arange(255, dtype=np.float32) + 0.5]
    found = quantize(np.repeat(exact, 3).reshape(1, -1, 3))[0, :, 0]
    assert len(exact) > 100
    assert np.array_equal(found, np.ceil(exact * 255).astype(np.uint8))


# ----------------------------------------------------------------------------- metadata


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_are_read_and_written_upright(tmp_path: Path, ending: str, orientation: int) -> None:
    source, out = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}"
    exif = camera_exif(orientation)
    if ending == "tif":
        del exif[Tag.ImageWidth]  # Pillow would write the file as wide as EXIF says.
    save(source, exif=exif, quality=90)
    expected = decoded(source)
    assert (expected.shape == scene().shape) == (orientation <= 4)
    photo = read_photo(source)
    assert np.array_equal(quantize(photo.image), expected)
    write_photo(photo, out)
    with PIL.Image.open(out) as written:
        assert written.size == expected.shape[1::-1]
        assert written.getexif().get(Tag.Orientation, 1) == 1
        assert written.getexif()[Tag.Make] == "ACME"
    assert np.abs(decoded(out).astype(int) - expected).mean() < (1 if ending == "jpg" else 1e-9)


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
def test_exif_stays_byte_for_byte_but_for_its_orientation(
    tmp_path: Path, ending: str, orientation: int
) -> None:
    # What follows the directories, such as a thumbnail, would be lost if EXIF were built anew.
    exif = camera_exif(orientation).tobytes() + b"thumbnail"
    write_photo(read_photo(save(tmp_path / f"a.{ending}", exif=exif)), tmp_path / f"b.{ending}")
    with PIL.Image.open(tmp_path / f"b.{ending}") as written:
        written.load()
        found = written.info["exif"].removeprefix(b"Exif\0\0")
    assert found == camera_exif(1).tobytes().removeprefix(b"Exif\0\0") + b"thumbnail"


@pytest.mark.parametrize(("orientation", "dpi"), [(3, (240, 120)), (6, (120, 240))])
def test_resolution_turns_with_the_photo(
    tmp_path: Path, orientation: int, dpi: tuple[int, int]
) -> None:
    source = save(tmp_path / "a.jpg", exif=camera_exif(orientation), dpi=(240, 120))
    write_photo(read_photo(source), tmp_path / "b.jpg")
    with PIL.Image.open(tmp_path / "b.jpg") as written:
        assert written.info["dpi"] == dpi


def test_xmp_says_upright_too(tmp_path: Path) -> None:
    xmp = XMP.replace(b">1<", b">6<")
    source = save(tmp_path / "a.jpg", exif=camera_exif(6), xmp=xmp)
    write_photo(read_photo(source), tmp_path / "b.jpg")
    with PIL.Image.open(tmp_path / "b.jpg") as written:
        assert written.info["xmp"] == XMP


@pytest.mark.parametrize("out_ending", ENDINGS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_metadata_are_kept_from_format_to_format(
    tmp_path: Path, ending: str, out_ending: str
) -> None:
    source, out = tmp_path / f"a.{ending}", tmp_path / f"b.{out_ending}"
    options: dict[str, Any] = {"icc_profile": SRGB, "dpi": (240, 120), "exif": camera_exif()}
    if ending == "png":
        chunks = PngInfo()
        chunks.add_itxt("XML:com.adobe.xmp", XMP.decode())
        save(source, **options, pnginfo=chunks)
    elif ending == "tif":  # Pillow cannot write all of it; what this package writes, it must read.
        write_photo(read_photo(save(tmp_path / "c.jpg", **options, xmp=XMP)), source)
    else:
        save(source, **options, xmp=XMP)
    write_photo(read_photo(source), out)
    assert_camera_exif(out)
    with PIL.Image.open(out) as written:
        written.load()
        assert written.info["icc_profile"] == SRGB
        assert written.info["xmp"] == XMP
        assert out.read_bytes().count(XMP) == 1
        if "webp" not in (ending, out_ending):  # WebP has no resolution but EXIF's.
            # PNG counts pixels per metre.
            assert written.info["dpi"] == pytest.approx((240, 120), abs=0.02)


def test_no_metadata_are_made_up(tmp_path: Path) -> None:
    for ending in ENDINGS:
        write_photo(PHOTO, tmp_path / f"a.{ending}")
        metadata = read_photo(tmp_path / f"a.{ending}").metadata
        assert (metadata.exif, metadata.icc, metadata.xmp, metadata.dpi) == (None,) * 4


def test_jpeg_without_resolution_gets_none(tmp_path: Path) -> None:
    exif = PIL.Image.Exif()
    exif[Tag.Make] = "ACME"
    assert read_photo(save(tmp_path / "a.jpg", exif=exif)).metadata.dpi is None


def test_damaged_exif_does_not_hinder(tmp_path: Path) -> None:
    whole = camera_exif(6).tobytes()
    for length in range(14, len(whole), 11):
        source = save(tmp_path / ("a.png" if length % 2 else "a.jpg"), exif=whole[:length])
        photo = read_photo(source)
        for ending in ENDINGS:
            write_photo(photo, tmp_path / f"b.{ending}", overwrite=True)
            assert read_photo(tmp_path / f"b.{ending}").image.shape == photo.image.shape


def test_exif_that_points_to_itself_ends(tmp_path: Path) -> None:
    entry = struct.pack("<HHII", IFD.Exif, 4, 1, 8)
    exif = b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + entry + bytes(4)
    photo = read_photo(save(tmp_path / "a.png", exif=exif))
    write_photo(photo, tmp_path / "b.tif")
    assert np.array_equal(decoded(tmp_path / "b.tif"), scene())


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5, 7, 8, 9, 11, 12])
def test_tiff_tags_keep_their_values_whatever_their_kind(
    tmp_path: Path, byteorder: Literal["<", ">"], kind: int
) -> None:
    values = {1: b"abcde", 2: "abcde", 5: (1, 3, 2, 7), 7: b"abcde", 8: (-1, 2), 9: (-1, 70000)}
    count = {1: 5, 2: 0, 7: 5}.get(kind, 2)
    codes = (Tag.Make, Tag.Copyright, 50000)
    tags = [(code, kind, count, values.get(kind, (1, 2)), True) for code in codes]
    source, out = tmp_path / "a.tif", tmp_path / "b.tif"
    tifffile.imwrite(source, scene(), photometric="rgb", byteorder=byteorder, extratags=tags)
    write_photo(read_photo(source), out)
    with tifffile.TiffFile(source) as before, tifffile.TiffFile(out) as after:
        for code in codes:
            was, now = before.pages.first.tags[code], after.pages.first.tags[code]
            assert (now.value, now.dtype) == (was.value, was.dtype)
        assert np.array_equal(after.asarray(), scene())


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("kind", [1, 4, 7])
def test_captions_in_tiff_stay_byte_for_byte(
    tmp_path: Path, byteorder: Literal["<", ">"], kind: int
) -> None:
    captions = b"\x1c\x02\x05\0\x04lamp\0\0\0"
    values = captions
    if kind == 4:  # As Photoshop does: bytes that pretend to be numbers.
        values = struct.unpack(f"{byteorder}3I", captions)
    tags = [(Tag.IPTCNAA, kind, len(values), values, True)]
    source, out = tmp_path / "a.tif", tmp_path / "b.tif"
    tifffile.imwrite(source, scene(), photometric="rgb", byteorder=byteorder, extratags=tags)
    write_photo(read_photo(source), out)
    with tifffile.TiffFile(out) as after:
        assert after.pages.first.tags[Tag.IPTCNAA].value == captions


def test_big_tiff_is_read(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif",
        scene(),
        photometric="rgb",
        bigtiff=True,
        software="ACME",
        extratags=[(50000, 16, 1, 5, True)],  # Of a kind that TIFF does not know.
    )
    write_photo(read_photo(tmp_path / "a.tif"), tmp_path / "b.tif")
    with PIL.Image.open(tmp_path / "b.tif") as written:
        assert written.getexif()[Tag.Software] == "ACME"
        assert 50000 not in written.getexif()
    assert np.array_equal(decoded(tmp_path / "b.tif"), scene())


def test_tags_that_are_no_exif_do_not_get_into_it(tmp_path: Path) -> None:
    layers = [(37724, 7, 5, b"layer", True)]  # Photoshop would show these and not the photo.
    tifffile.imwrite(
        tmp_path / "a.tif",
        scene(),
        photometric="rgb",
        software=False,
        metadata=None,
        iccprofile=SRGB,
        extratags=layers,
    )
    assert read_photo(tmp_path / "a.tif").metadata.exif is None


def test_a_tag_that_claims_to_be_huge_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tags = [(50000, 12, 2, (1.5, 2.5), True), (50001, 2, 0, "small", True)]
    tifffile.imwrite(path, scene(), photometric="rgb", extratags=tags)
    entry = struct.pack("<HHI", 50000, 12, 2)
    data = path.read_bytes()
    assert data.count(entry) == 1
    path.write_bytes(data.replace(entry, struct.pack("<HHI", 50000, 12, 2**32 - 1)))
    write_photo(read_photo(path), tmp_path / "b.tif")
    with PIL.Image.open(tmp_path / "b.tif") as written:
        assert 50000 not in written.getexif()
        assert written.getexif()[50001] == "small"


def test_tiff_is_well_formed(tmp_path: Path) -> None:
    """Tags in ascending order; all that does not fit into them at even places."""
    exif = camera_exif()
    exif[Tag.Artist], exif[Tag.Copyright] = "odd", "also odd"  # With the zero: 4 and 9 bytes.
    for width in range(1, 5):
        source = save(tmp_path / "a.png", scene(3, width), exif=exif)
        photo = read_photo(source)
        raw = replace(photo.metadata, tiff_compression="raw")  # Can end at odd places.
        write_photo(replace(photo, metadata=raw), tmp_path / "b.tif", overwrite=True)
        data = (tmp_path / "b.tif").read_bytes()
        (place,) = struct.unpack_from("<I", data, 4)
        (count,) = struct.unpack_from("<H", data, place)
        entries = [struct.unpack_from("<HHII", data, place + 2 + 12 * at) for at in range(count)]
        assert place % 2 == 0
        assert [entry[0] for entry in entries] == sorted({entry[0] for entry in entries})
        places = [entry[3] for entry in entries if entry[1] in (2, 5) and entry[2] > 4]
        places += [entry[3] for entry in entries if entry[0] in (IFD.Exif, IFD.GPSInfo)]
        assert len(places) >= 4
        assert not any(place % 2 for place in places)


@pytest.mark.parametrize("per_metre", [0, 2**32 - 1])
def test_impossible_resolution_is_none(tmp_path: Path, per_metre: int) -> None:
    data = save(tmp_path / "a.png", dpi=(300, 300)).read_bytes()
    at = data.index(b"pHYs")
    chunk = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
    whole = chunk + struct.pack(">I", zlib.crc32(chunk))
    (tmp_path / "a.png").write_bytes(data[:at] + whole + data[at + len(whole) :])
    assert read_photo(tmp_path / "a.png").metadata.dpi is None


def test_a_grey_profile_does_not_get_into_colour(tmp_path: Path) -> None:
    profile = SRGB[:16] + b"GRAY" + SRGB[20:]
    photo = read_photo(save(tmp_path / "a.png", scene()[:, :, 0], icc_profile=profile))
    for ending, expected in (("png", profile), ("tif", profile), ("jpg", profile), ("webp", None)):
        write_photo(photo, tmp_path / f"b.{ending}")
        assert read_photo(tmp_path / f"b.{ending}").metadata.icc == expected


def test_png_keeps_texts_and_colour_space(tmp_path: Path) -> None:
    chunks = PngInfo()
    chunks.add_text("Title", "a lamp")
    chunks.add_itxt("Beschreibung", "grün", lang="de")
    chunks.add(b"gAMA", struct.pack(">I", 50000))
    chunks.add(b"cICP", b"\x0c\x0d\x00\x01")
    write_photo(read_photo(save(tmp_path / "a.png", pnginfo=chunks)), tmp_path / "b.png")
    with PIL.Image.open(tmp_path / "b.png") as written:
        assert isinstance(written, PngImageFile)
        written.load()
        assert written.info["gamma"] == 0.5
        assert written.text == {"Title": "a lamp", "Beschreibung": "grün"}
        assert getattr(written.text["Beschreibung"], "lang", None) == "de"
    assert b"cICP\x0c\x0d\x00\x01" in (tmp_path / "b.png").read_bytes()


# ------------------------------------------------------------------------------- coding


def coding(path: Path) -> tuple[dict[int, list[int]], int, bool]:
    """Tables, subsampling and whether it is progressive, by Pillow alone."""
    with PIL.Image.open(path) as picture:
        assert isinstance(picture, JpegImageFile)
        return picture.quantization, get_sampling(picture), "progressive" in picture.info


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("quality", [20, 75, 98])
def test_jpeg_is_coded_as_it_was(
    tmp_path: Path, quality: int, subsampling: int, progressive: bool
) -> None:
    source = save(
        tmp_path / "a.jpg", quality=quality, subsampling=subsampling, progressive=progressive
    )
    write_photo(read_photo(source), tmp_path / "b.jpg")
    assert coding(tmp_path / "b.jpg") == coding(source)
    change = decoded(source).astype(int) - decoded(tmp_path / "b.jpg")
    assert np.abs(change).mean() < 2


@pytest.mark.parametrize("count", [1, 2, 3])
def test_jpeg_keeps_tables_of_its_own(tmp_path: Path, count: int) -> None:
    tables = [[number * 10 + step // 8 + 1 for step in range(64)] for number in range(count)]
    source = save(tmp_path / "a.jpg", qtables=tables)
    write_photo(read_photo(source), tmp_path / "b.jpg")
    assert coding(tmp_path / "b.jpg")[0] == coding(source)[0]


def test_grey_jpeg_stays_grey_at_its_quality(tmp_path: Path) -> None:
    source = save(tmp_path / "a.jpg", scene()[:, :, 0], quality=60)
    write_photo(read_photo(source), tmp_path / "b.jpg")
    with PIL.Image.open(tmp_path / "b.jpg") as written:
        assert written.mode == "L"
    assert coding(tmp_path / "b.jpg")[0][0] == coding(source)[0][0]


def test_jpeg_keeps_comment_captions_and_long_xmp(tmp_path: Path) -> None:
    captions = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x05\x1c\x02\x78\0\0\0"
    long_xmp = b"http://ns.adobe.com/xmp/extension/\0" + b"x" * 40000
    segments = [(b"\xff\xed", captions), (b"\xff\xe1", long_xmp), (b"\xff\xe1", long_xmp)]
    extra = b"".join(mark + struct.pack(">H", len(data) + 2) + data for mark, data in segments)
    source = save(tmp_path / "a.jpg", comment=b"a lamp", extra=extra, progressive=True)
    write_photo(read_photo(source), tmp_path / "b.jpg")
    with PIL.Image.open(tmp_path / "b.jpg") as written:
        assert isinstance(written, JpegImageFile)
        assert written.info["comment"] == b"a lamp"
        assert written.app["APP13"] == captions
        assert written.applist.count(("APP1", long_xmp)) == 2


def test_photos_from_elsewhere_become_good_jpegs(tmp_path: Path) -> None:
    write_photo(read_photo(save(tmp_path / "a.png")), tmp_path / "b.jpg")
    expected = coding(save(tmp_path / "c.jpg", quality=95, subsampling=0))
    assert coding(tmp_path / "b.jpg") == expected


def test_the_photo_in_a_jpeg_of_several_pictures_is_the_first(tmp_path: Path) -> None:
    preview = PIL.Image.fromarray(scene(12, 20))
    save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[preview])
    photo = read_photo(tmp_path / "a.jpg")
    assert np.array_equal(quantize(photo.image), decoded(tmp_path / "a.jpg"))
    assert photo.metadata.format == "JPEG"
    write_photo(photo, tmp_path / "b.jpg")
    assert coding(tmp_path / "b.jpg") == coding(tmp_path / "a.jpg")


def webp_kind(path: Path) -> bytes:
    return path.read_bytes()[12:16]


def test_webp_is_lossless_only_if_the_photo_was(tmp_path: Path) -> None:
    for name, options in (("lossy.webp", {"lossless": False}), ("a.jpg", {})):
        photo = read_photo(save(tmp_path / name, **options))
        write_photo(photo, tmp_path / f"{name}.webp")
        assert webp_kind(tmp_path / f"{name}.webp") == b"VP8 "
    for name in ("lossless.webp", "a.png", "a.tif"):
        write_photo(read_photo(save(tmp_path / name)), tmp_path / f"{name}.webp")
        assert webp_kind(tmp_path / f"{name}.webp") == b"VP8L"
    write_photo(PHOTO, tmp_path / "array.webp")
    assert webp_kind(tmp_path / "array.webp") == b"VP8 "


def test_lossy_webp_with_metadata_is_seen_to_be_lossy(tmp_path: Path) -> None:
    pixels = scene(channels=4)
    source = save(tmp_path / "a.webp", pixels, lossless=False, icc_profile=SRGB)
    assert webp_kind(source) == b"VP8X"
    assert not read_photo(source).metadata.lossless
    for profile in (SRGB, SRGB + b"!"):  # Of even and of odd length.
        source = save(tmp_path / "b.webp", pixels, icc_profile=profile)
        assert webp_kind(source) == b"VP8X"
        assert read_photo(source).metadata.lossless


@pytest.mark.parametrize("name", ["raw", "packbits", "tiff_lzw", "tiff_adobe_deflate", "zstd"])
@pytest.mark.parametrize("exif", [None, camera_exif()])
def test_tiff_keeps_its_compression(tmp_path: Path, name: str, exif: PIL.Image.Exif | None) -> None:
    save(tmp_path / "a.png", **({"exif": exif} if exif else {}))
    save(tmp_path / "a.tif", compression=name)
    photo = read_photo(tmp_path / "a.tif")
    carried = read_photo(tmp_path / "a.png").metadata.exif
    write_photo(replace(photo, metadata=replace(photo.metadata, exif=carried)), tmp_path / "b.tif")
    with PIL.Image.open(tmp_path / "b.tif") as written:
        assert isinstance(written, TiffImageFile)
        assert written.info["compression"] == name
        assert written.tag_v2.get(317) == (None if name in ("raw", "packbits") else 2)  # Predictor
        assert (IFD.Exif in written.getexif()) == bool(exif)
    assert np.array_equal(decoded(tmp_path / "b.tif"), scene())
    if name not in ("tiff_lzw", "zstd"):  # Which tifffile alone does not read.
        assert np.array_equal(tifffile.imread(tmp_path / "b.tif"), scene())


def test_tiff_that_was_compressed_with_loss_is_not_again(tmp_path: Path) -> None:
    source = save(tmp_path / "a.tif", compression="jpeg")
    photo = read_photo(source)
    assert not photo.metadata.lossless
    write_photo(photo, tmp_path / "b.tif")
    assert np.array_equal(decoded(tmp_path / "b.tif"), decoded(source))


# ----------------------------------------------------------------------------- refusals


def claim_size(path: Path, width: int, height: int) -> None:
    """A small PNG file that says it is large."""
    data = bytearray(save(path).read_bytes())
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(data)


def cut(path: Path, share: float = 0.6, **options: Any) -> None:
    data = save(path, np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8), **options)
    path.write_bytes(data.read_bytes()[: int(share * data.stat().st_size)])


def garble(path: Path) -> None:
    data = bytearray(save(path).read_bytes())
    data[len(data) // 2] ^= 0x55
    path.write_bytes(data)


def convert(path: Path, mode: str, **options: Any) -> None:
    PIL.Image.fromarray(scene()).convert(mode).save(path, **options)


def animate(path: Path) -> None:
    further = PIL.Image.fromarray(255 - scene())
    save(path, save_all=True, append_images=[further])


def lab_tiff(path: Path) -> None:
    PIL.Image.merge("LAB", PIL.Image.fromarray(scene()).split()).save(path)


REFUSED: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "missing": ("a.jpg", lambda path: None, "no file"),
    "folder": ("a.jpg", Path.mkdir, "folder"),
    "device": ("a.jpg", os.mkfifo, "device"),
    "empty": ("a.jpg", Path.touch, "empty"),
    "text": ("a.jpg", lambda path: path.write_text("not a photo at all"), "not a picture"),
    "short": ("a.jpg", lambda path: path.write_bytes(b"\xff"), "not a picture"),
    "gif": ("a.png", lambda path: convert(path, "P", format="GIF"), "a GIF picture"),
    "bmp": ("a.jpg", lambda path: convert(path, "RGB", format="BMP"), "a BMP picture"),
    "start of jpeg": ("a.jpg", lambda path: path.write_bytes(b"\xff\xd8\xff\xe0"), "damaged"),
    "cut jpeg": ("a.jpg", cut, "damaged"),
    "cut progressive jpeg": ("a.jpg", lambda path: cut(path, progressive=True), "damaged"),
    "cut png": ("a.png", cut, "damaged"),
    "cut webp": ("a.webp", cut, "damaged"),
    "cut tiff": ("a.tif", cut, "damaged"),
    "cut compressed tiff": ("a.tif", lambda path: cut(path, compression="tiff_lzw"), "damaged"),
    "garbled png": ("a.png", garble, "damaged"),
    "float tiff": ("a.tif", lambda path: save(path, np.float32(scene()[:, :, 0])), "32 bits"),
    "lab tiff": ("a.tif", lab_tiff, "LAB"),
    "animated png": ("a.png", animate, "animated"),
    "animated webp": ("a.webp", animate, "animated"),
    "pages": ("a.tif", animate, "several pages"),
    "raw": ("a.nef", lambda path: convert(path, "RGB", format="TIFF"), "raw"),
    "huge": ("a.png", lambda path: claim_size(path, 16000, 16000), "250 megapixels"),
    "absurd": ("a.png", lambda path: claim_size(path, 2**31 - 1, 2**31 - 1), "250 megapixels"),
}


@pytest.mark.parametrize(("name", "make", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_kept_is_refused(
    tmp_path: Path, name: str, make: Callable[[Path], object], reason: str
) -> None:
    path = tmp_path / name
    make(path)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with pytest.raises(PhotoError) as caught:
            read_photo(path)
    assert_one_line(str(caught.value), path, reason)
    assert not warned


@pytest.mark.parametrize("ending", ENDINGS)
def test_size_is_checked_before_decoding(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / f"a.{ending}")  # 960 pixels
    assert read_photo(path, max_megapixels=960e-6).image.shape == (24, 40, 3)
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("was decoded"))
    with pytest.raises(PhotoError, match=r"has more than 0\.0009 megapixels"):
        read_photo(path, max_megapixels=900e-6)


@pytest.mark.parametrize("most", [32.0, 1e-6])
def test_photo_and_mask_are_read_at_a_time_as_one_by_one(
    tmp_path: Path, most: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image, "TOGETHER", most)
    path, mask = save(tmp_path / "a.png"), save(tmp_path / "mask.png")
    photo, marked = open_with_mask(path, mask, lambda plane: 1 - plane)
    np.testing.assert_array_equal(np.asarray(photo.image), read_photo(path).image)
    np.testing.assert_array_equal(marked, 1 - read_mask(mask, *photo.image.shape[:2]))
    cut(tmp_path / "cut.jpg")
    with pytest.raises(PhotoError, match=r"cut\.jpg is damaged"):
        open_with_mask(tmp_path / "cut.jpg", tmp_path / "nowhere.png", np.copy)
    with pytest.raises(PhotoError, match=r"no file .*nowhere\.png"):
        open_with_mask(path, tmp_path / "nowhere.png", np.copy)


def test_settings_of_pillow_neither_count_nor_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 100)
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    cut(tmp_path / "cut.jpg")
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        assert read_photo(save(tmp_path / "a.tif")).image.shape == (24, 40, 3)
        with pytest.raises(PhotoError, match="incomplete"):
            read_photo(tmp_path / "cut.jpg")
    assert not warned
    assert (PIL.Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES) == (100, True)


def test_unreadable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "a.png")

    def forbidden(*_: object) -> None:  # Root, as whom tests may run, is never forbidden.
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(PhotoError) as caught:
        read_photo(path)
    assert_one_line(str(caught.value), path, "Permission denied")


def test_messages_are_one_line_whatever_the_name(tmp_path: Path) -> None:
    with pytest.raises(PhotoError) as caught:
        read_photo(tmp_path / "two\nlines.jpg")
    assert_one_line(str(caught.value), "two lines.jpg")


@pytest.fixture
def unchecked() -> Iterator[None]:
    """Without jaxtyping's checks, which users do not have."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("image", "alpha"),
    [
        (scene(), None),
        (scene().astype(np.float64), None),
        (scene().astype(np.float32)[:, :, 0], None),
        (scene(channels=4).astype(np.float32), None),
        (np.zeros((0, 4, 3), np.float32), None),
        (np.zeros((4, 5, 3), np.float32), np.zeros((5, 4), np.float32)),
        (np.zeros((4, 5, 3), np.float32), np.zeros((4, 5), np.uint8)),
    ],
)
def test_arrays_of_another_kind_are_refused(image: np.ndarray, alpha: np.ndarray | None) -> None:
    with pytest.raises(PhotoError) as caught:
        Photo(image, alpha)
    assert_one_line(str(caught.value), "give float32 in 0..1")


# ------------------------------------------------------------------------------ writing


def test_output_is_named_after_the_source() -> None:
    assert output_path("photos/sea.side.JPG") == Path("photos/sea.side-selfsharp.JPG")
    assert output_path(Path("/a/b.png"), out_dir="c") == Path("c/b-selfsharp.png")


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_text("precious")
    with pytest.raises(PhotoError) as caught:
        write_photo(PHOTO, path)
    assert_one_line(str(caught.value), path, "exists")
    assert path.read_text() == "precious"
    # It is refused before any work is done.
    with pytest.raises(PhotoError), atomic_output(path):
        pytest.fail("the block was entered")
    write_photo(PHOTO, path, overwrite=True)
    assert np.array_equal(decoded(path), scene())
    assert os.listdir(tmp_path) == ["a.png"]


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.png"

    def write() -> None:
        with atomic_output(path) as temporary:
            temporary.write_text("new")
            path.write_text("precious")

    with pytest.raises(PhotoError, match="exists"):
        write()
    assert path.read_text() == "precious"
    assert os.listdir(tmp_path) == ["a.png"]


@pytest.mark.parametrize(
    ("function", "overwrite"),
    [("fsync", False), ("fsync", True), ("replace", True), ("write_bytes", False)],
)
def test_failing_to_write_leaves_everything_as_it_was(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    function: str,
    overwrite: bool,
) -> None:
    path = tmp_path / "a.png"
    if overwrite:
        path.write_text("precious")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path if function == "write_bytes" else os, function, full)
    with pytest.raises(PhotoError) as caught:
        write_photo(PHOTO, path, overwrite=overwrite)
    assert_one_line(str(caught.value), path, "No space left on device")
    assert os.listdir(tmp_path) == (["a.png"] if overwrite else [])
    assert not overwrite or path.read_text() == "precious"


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_what_interrupts_writing_passes_and_leaves_nothing(
    tmp_path: Path, error: type[BaseException]
) -> None:
    def write() -> None:
        with atomic_output(tmp_path / "a.png") as temporary:
            temporary.write_text("half")
            assert (temporary.parent, temporary.suffix) == (tmp_path, ".png")
            raise error

    with pytest.raises(error):
        write()
    assert os.listdir(tmp_path) == []


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_photo(PHOTO, tmp_path / "a.png")
        write_photo(PHOTO, tmp_path / "a.png", overwrite=True)
        write_photo(PHOTO, tmp_path / "b.png", overwrite=True)
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o640}


def clear(photo: Photo) -> Photo:
    return replace(photo, alpha=np.full(photo.image.shape[:2], 0.5, np.float32))


def long(length: int) -> Photo:
    return Photo(np.zeros((1, length, 3), np.float32))


UNWRITABLE: dict[str, tuple[str, Callable[[Photo], Photo], str]] = {
    "format": ("a.gif", lambda photo: photo, "no known format"),
    "no format": ("a", lambda photo: photo, "no known format"),
    "folder": ("missing/a.png", lambda photo: photo, "no folder"),
    "alpha": ("a.jpg", clear, "transparency"),
    "long webp": ("a.webp", lambda photo: long(16384), "16383 pixels"),
    "long jpeg": ("a.jpg", lambda photo: long(65501), "65500 pixels"),
}


@pytest.mark.parametrize(("name", "change", "reason"), UNWRITABLE.values(), ids=UNWRITABLE)
def test_what_cannot_be_written_is_refused(
    tmp_path: Path, name: str, change: Callable[[Photo], Photo], reason: str
) -> None:
    with pytest.raises(PhotoError) as caught:
        write_photo(change(PHOTO), tmp_path / name)
    assert_one_line(str(caught.value), tmp_path / Path(name).parent, Path(name).name, reason)
    assert os.listdir(tmp_path) == []


def test_longest_sides_can_be_written(tmp_path: Path) -> None:
    for name, length in (("a.webp", 16383), ("a.jpg", 65500)):
        write_photo(long(length), tmp_path / name)
        assert decoded(tmp_path / name).shape == (1, length, 3)


def test_a_folder_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(PhotoError) as caught:
        write_photo(PHOTO, tmp_path / "a.png", overwrite=True)
    assert_one_line(str(caught.value), tmp_path / "a.png")
    assert os.listdir(tmp_path) == ["a.png"]


def test_opaque_alpha_does_not_hinder_jpeg(tmp_path: Path) -> None:
    opaque = replace(PHOTO, alpha=np.ones(PHOTO.image.shape[:2], np.float32))
    write_photo(opaque, tmp_path / "a.jpg")
    assert decoded(tmp_path / "a.jpg").shape == scene().shape


@pytest.mark.parametrize("kind", ["exif", "xmp"])
def test_what_is_too_long_for_jpeg_is_left_out(tmp_path: Path, kind: str) -> None:
    longest = {"exif": 65533 - len(b"Exif\0\0"), "xmp": 65504}[kind]
    for length, kept in ((longest, True), (longest + 1, False)):
        data = b"II*\0".ljust(length, b"x")
        metadata = Metadata(exif=data) if kind == "exif" else Metadata(xmp=data)
        photo = replace(PHOTO, metadata=metadata)
        for ending in ("jpg", "png", "webp"):
            out = tmp_path / f"a.{ending}"
            write_photo(photo, out, overwrite=True)
            expected = data if kept or ending != "jpg" else None
            assert getattr(read_photo(out).metadata, kind) == expected


# ----------------------------------------------------------------------- masks and planes


@pytest.mark.parametrize("ending", LOSSLESS_ENDINGS)
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_masks_of_every_mode_are_white_where_blurred(
    tmp_path: Path, mode: str, ending: str
) -> None:
    expected = np.zeros((6, 9), np.float32)
    expected[2:5, 1:7] = 1
    picture = PIL.Image.fromarray((expected * 255).astype(np.uint8))
    if mode == "I;16":
        if ending == "webp":
            return
        picture = PIL.Image.fromarray((expected * 65535).astype(np.uint16))
    elif mode in ("LA", "RGBA"):
        picture = picture.convert(mode)
        picture.putalpha(77)  # Alpha is ignored.
    else:
        picture = picture.convert(mode)
    picture.save(tmp_path / f"mask.{ending}", **(EXACT if ending == "webp" else {}))
    mask = read_mask(tmp_path / f"mask.{ending}", 6, 9)
    assert mask.dtype == np.float32
    assert np.array_equal(mask, expected)


def test_masks_have_every_grey_in_between(tmp_path: Path) -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    save(tmp_path / "grey.png", levels)
    save(tmp_path / "deep.png", levels.astype(np.uint16) * 257)
    tifffile.imwrite(tmp_path / "deep.tif", levels.astype(np.uint16) * 257, byteorder=">")
    for name in ("grey.png", "deep.png", "deep.tif"):
        found = read_mask(tmp_path / name, 16, 16)
        np.testing.assert_allclose(found, levels / 255, atol=1e-6)


def test_masks_in_colour_count_by_luma(tmp_path: Path) -> None:
    mask = read_mask(save(tmp_path / "mask.png"), 24, 40)
    np.testing.assert_allclose(mask, scene() @ (0.299, 0.587, 0.114) / 255, atol=1 / 255)


def test_masks_are_upright_as_their_photos_are(tmp_path: Path) -> None:
    pixels = (scene()[:, :, 0] > 90).astype(np.uint8) * 255
    source = save(tmp_path / "mask.png", pixels, exif=camera_exif(6))
    assert np.array_equal(read_mask(source, 40, 24), np.rot90(pixels / 255, -1))


def test_masks_of_another_size_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "mask.png")
    with pytest.raises(PhotoError) as caught:
        read_mask(path, 40, 24)
    assert_one_line(str(caught.value), path, "40 x 24", "24 x 40")


def test_masks_are_checked_as_photos_are(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "map.tif", np.zeros((6, 9), np.float32))
    cut(tmp_path / "cut.png")
    for name, reason in (("map.tif", "32 bits"), ("cut.png", "damaged"), ("no.png", "no file")):
        with pytest.raises(PhotoError) as caught:
            read_mask(tmp_path / name, 6, 9)
        assert_one_line(str(caught.value), tmp_path / name, reason)


@settings(deadline=None, max_examples=40)
@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 12), st.integers(1, 12)),
        elements=st.floats(width=32, allow_nan=False),
    )
)
def test_planes_are_written_as_given(folder: Path, plane: np.ndarray) -> None:
    write_plane(plane, folder / "map.tif", overwrite=True)
    assert np.array_equal(tifffile.imread(folder / "map.tif").reshape(plane.shape), plane)
    with PIL.Image.open(folder / "map.tif") as picture:
        assert picture.mode == "F"


def test_planes_are_written_as_carefully_as_photos(tmp_path: Path) -> None:
    plane = np.zeros((4, 5), np.float32)
    path = tmp_path / "map.tif"
    path.write_text("precious")
    with pytest.raises(PhotoError, match="exists"):
        write_plane(plane, path)
    assert path.read_text() == "precious"
    with pytest.raises(PhotoError) as caught:
        write_plane(plane, tmp_path / "map.png")
    assert_one_line(str(caught.value), tmp_path / "map.png", ".tif")


def test_files_are_encoded_before_the_old_one_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "a.png")
    before = path.read_bytes()

    def broken(*_: object, **__: object) -> None:
        raise ValueError("cannot encode")

    monkeypatch.setattr(PIL.Image.Image, "save", broken)
    with pytest.raises(PhotoError) as caught:
        write_photo(PHOTO, path, overwrite=True)
    assert_one_line(str(caught.value), path, "cannot encode")
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.png"]


def test_a_photo_may_be_written_over_itself(tmp_path: Path) -> None:
    path = save(tmp_path / "a.tif", compression="tiff_lzw")
    write_photo(read_photo(path), path, overwrite=True)
    assert np.array_equal(decoded(path), scene())


def test_grey_is_the_mean_of_the_channels():
    image = np.random.default_rng(0).random((7, 5, 3), np.float32)
    np.testing.assert_allclose(grey_of(image), image.mean(axis=2), atol=1e-7)
    assert grey_of(image).dtype == np.float32
