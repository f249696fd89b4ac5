"""Every format, with every layout that it holds and every kind of metadata, there and back.

Half of each photo is changed; the other half is what a gate leaves alone, and has to come back
with all its bits wherever the format keeps them.
"""

import io
import struct
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageCms
from PIL.ExifTags import IFD
from PIL.ExifTags import Base as Tag

from selfsharp import exif
from selfsharp.formats import FORMATS, by_ending, fitting, media_type, writable_endings
from selfsharp.image import Photo, PhotoError, output_path, read_photo, write_photo
from selfsharp.photo_metadata import Metadata
from selfsharp.raster import Layout, Raster, alpha_of, to_image, to_raster, turned

LAYOUTS = [
    Layout(colour, alpha, depth)
    for colour, alpha, depth in product(
        ("grey", "rgb", "cmyk"), ("none", "straight", "premultiplied"), (8, 16)
    )
]
NEEDS = {"heif": "pillow_heif", "raw": "rawpy"}
WRITTEN = [name for name, module in FORMATS.load_all().items() if hasattr(module, "write")]
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"></x:xmpmeta>'


def profile(colour: str) -> bytes:
    """A profile that claims to be of these colours."""
    space = {"grey": b"GRAY", "rgb": b"RGB ", "cmyk": b"CMYK"}[colour]
    return SRGB[:16] + space + SRGB[20:]


def samples_of(layout: Layout, height: int = 30, width: int = 44, seed: int = 0) -> np.ndarray:
    """Smooth samples with every channel different, premultiplied ones no larger than alpha."""
    rows, columns = np.mgrid[0:height, 0:width] / max(height, width)
    waves = [
        0.5 + 0.45 * np.sin(seed + 3 * channel + rows * (2 + channel) + columns * 3)
        for channel in range(layout.channels)
    ]
    values = np.stack(waves, axis=2)
    if layout.alpha != "none":
        values[:, : width // 4, -1] = 0
        values[:, -width // 4 :, -1] = 1
    if layout.alpha == "premultiplied":
        values[:, :, :-1] *= values[:, :, -1:]
    return (values * layout.white + 0.5).astype(layout.dtype)


def camera_exif(thumbnail: bytes = b"") -> bytes:
    """EXIF with a maker's note, and with a thumbnail where one is given."""
    block = PIL.Image.Exif()
    block[Tag.Make], block[Tag.Orientation] = "ACME", 1
    block.get_ifd(IFD.Exif)[Tag.MakerNote] = b"maker\0\1\2\3"
    whole = bytearray(block.tobytes().removeprefix(b"Exif\0\0"))
    if thumbnail:
        order = "<" if whole.startswith(b"II") else ">"
        (start,) = struct.unpack_from(order + "I", whole, 4)
        (number,) = struct.unpack_from(order + "H", whole, start)
        struct.pack_into(order + "I", whole, start + 2 + 12 * number, len(whole))
        place = len(whole) + 2 + 12 * 3 + 4
        whole += struct.pack(order + "H", 3)
        whole += struct.pack(order + "HHII", Tag.Orientation, 3, 1, 6 << (16 * (order == ">")))
        whole += struct.pack(order + "HHII", Tag.JpegIFOffset, 4, 1, place)
        whole += struct.pack(order + "HHII", Tag.JpegIFByteCount, 4, 1, len(thumbnail))
        whole += bytes(4) + thumbnail
    return bytes(whole)


def old_thumbnail() -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (45, 60, 3), dtype=np.uint8)
    PIL.Image.fromarray(noise).save(file, "JPEG", quality=90)
    return file.getvalue()


def half_changed(photo: Photo) -> Photo:
    """The photo with its lower half brighter."""
    image = photo.image.copy()
    image[len(image) // 2 :] = image[len(image) // 2 :] * np.float32(0.9) + np.float32(0.05)
    return replace(photo, image=image)


# name of the format, what the photo has, and the metadata beside the pixels
TABLE = [
    pytest.param(
        name, layout, kind, id=f"{name}-{layout.colour}-{layout.alpha}-{layout.depth}-{kind}"
    )
    for name in WRITTEN
    for layout in LAYOUTS
    for kind in ("none", "exif", "thumbnail", "icc", "xmp", "dpi")
    if fitting(layout, FORMATS.load(name))[0] == layout
]


@pytest.mark.parametrize(("name", "layout", "kind"), TABLE)
def test_what_a_format_holds_comes_back(
    tmp_path: Path, name: str, layout: Layout, kind: str
) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    form = FORMATS.load(name)
    told = {
        "none": Metadata(),
        "exif": Metadata(exif=camera_exif()),
        "thumbnail": Metadata(exif=camera_exif(old_thumbnail())),
        "icc": Metadata(icc=profile(layout.colour)),
        "xmp": Metadata(xmp=XMP),
        "dpi": Metadata(dpi=(240.0, 120.0)),
    }[kind]
    raster = Raster(samples_of(layout), layout)
    image, alpha = to_image(raster), alpha_of(raster)
    metadata = replace(told, layout=layout, lossless=True)
    first = tmp_path / f"first{form.ENDINGS[0]}"
    source = None if layout.is_image else raster
    lost = write_photo(Photo(image, alpha, None, metadata, source), first)
    photo = read_photo(first)
    assert photo.metadata.layout == layout
    second = tmp_path / f"second{form.ENDINGS[0]}"
    lost += write_photo(half_changed(photo), second)
    again = read_photo(second)
    kept = again.metadata

    half = len(image) // 2
    if form.HOLDS.lossless:
        before, after = (form.read(path.open("rb"), 1e6)[0] for path in (first, second))
        np.testing.assert_array_equal(before.samples, raster.samples)
        np.testing.assert_array_equal(after.samples[:half], before.samples[:half])
        assert (after.samples[half:] != before.samples[half:]).any()
    else:
        assert np.abs(again.image - half_changed(photo).image).mean() < 0.02

    assert kept.xmp == told.xmp
    assert kept.icc == told.icc or any("profile" in line for line in lost)
    if told.dpi and not any("resolution" in line for line in lost):
        assert kept.dpi == pytest.approx(told.dpi, abs=0.02)
    rebuilt = name in ("tiff", "avif")  # EXIF comes back by its values, not byte for byte.
    if kind == "exif" and not rebuilt:
        assert kept.exif == told.exif
    if told.exif:
        block = PIL.Image.Exif()
        block.load(kept.exif)
        assert block[Tag.Make] == "ACME"
        assert block.get_ifd(IFD.Exif)[Tag.MakerNote] == b"maker\0\1\2\3"
    if kind == "thumbnail" and not rebuilt:
        shown = exif.read_thumbnail(kept.exif)
        assert shown is not None
        assert shown.rstrip(b"\0") != old_thumbnail()
        with PIL.Image.open(io.BytesIO(shown)) as small:
            found = np.asarray(small.convert("RGB").resize((44, 30)), np.float32) / 255
        if layout.colour != "cmyk" and layout.alpha == "none":  # Else Pillow shows it otherwise.
            assert np.abs(found - again.image).mean() < 0.05
    if kind == "thumbnail" and rebuilt:
        assert any("thumbnail" in line for line in lost)


OUTSIDE = [
    pytest.param(name, layout, id=f"{name}-{layout.colour}-{layout.alpha}-{layout.depth}")
    for name in WRITTEN
    for layout in LAYOUTS
    if fitting(layout, FORMATS.load(name))[0] != layout
]


@pytest.mark.parametrize(("name", "layout"), OUTSIDE)
def test_what_a_format_does_not_hold_is_said_or_refused(
    tmp_path: Path, name: str, layout: Layout
) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    form = FORMATS.load(name)
    raster = Raster(samples_of(layout), layout)
    image, alpha = to_image(raster), alpha_of(raster)
    photo = Photo(image, alpha, None, Metadata(layout=layout, lossless=True))
    out = tmp_path / f"out{form.ENDINGS[0]}"
    if layout.alpha != "none" and "straight" not in form.HOLDS.alphas:
        with pytest.raises(PhotoError, match="transparency"):
            write_photo(photo, out)
        assert not out.exists()
        return
    lost = write_photo(photo, out)
    again = read_photo(out)
    assert np.abs(again.image - image).mean() < 0.02
    if layout.colour == "cmyk" and "cmyk" not in form.HOLDS.colours:
        assert any("CMYK" in line for line in lost)
    if layout.depth not in form.HOLDS.depths:
        assert any("bits per channel" in line for line in lost)


def test_every_16_bit_value_survives_floats() -> None:
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    for layout, samples in (
        (Layout("grey", "none", 16), levels),
        (Layout("rgb", "none", 16), np.repeat(levels, 3, axis=2)),
        (Layout("rgb", "straight", 16), np.repeat(levels, 4, axis=2)),
    ):
        image, alpha = to_image(Raster(samples, layout)), alpha_of(Raster(samples, layout))
        np.testing.assert_array_equal(to_raster(image, alpha, layout).samples, samples)


@st.composite
def rasters(draw: st.DrawFn) -> Raster:
    """Any samples in any layout, from 1x1 to 5000x7; premultiplied ones may be impossible."""
    layout = draw(st.sampled_from(LAYOUTS))
    height, width = draw(
        st.one_of(
            st.tuples(st.integers(1, 12), st.integers(1, 12)),
            st.tuples(st.integers(1, 5000), st.integers(1, 7)),
            st.tuples(st.integers(1, 7), st.integers(1, 5000)),
        )
    )
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = (height, width, layout.channels)
    return Raster(generator.integers(0, layout.white + 1, shape).astype(layout.dtype), layout)


@settings(deadline=None, max_examples=60)
@given(raster=rasters(), name=st.sampled_from(["png", "tiff"]))
def test_any_samples_of_any_size_come_back(
    tmp_path_factory: pytest.TempPathFactory, raster: Raster, name: str
) -> None:
    form = FORMATS.load(name)
    if fitting(raster.layout, form)[0] != raster.layout:
        name, form = "tiff", FORMATS.load("tiff")
    image, alpha = to_image(raster), alpha_of(raster)
    source = None if raster.layout.is_image else raster
    photo = Photo(image, alpha, None, Metadata(layout=raster.layout), source)
    path = tmp_path_factory.getbasetemp() / f"any{form.ENDINGS[0]}"
    write_photo(photo, path, overwrite=True)
    with path.open("rb") as file:
        found, _ = form.read(file, 1e8)
    assert found.layout == raster.layout
    np.testing.assert_array_equal(found.samples, raster.samples)
    again = read_photo(path)
    np.testing.assert_array_equal(again.image, image)


@pytest.mark.parametrize("compression", [None, "zlib", "packbits"])
@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_another_reader_finds_the_same_in_tiff(
    tmp_path: Path, layout: Layout, compression: str | None
) -> None:
    raster = Raster(samples_of(layout), layout)
    image, alpha = to_image(raster), alpha_of(raster)
    pillow = {None: "raw", "zlib": "tiff_adobe_deflate", "packbits": "packbits"}[compression]
    metadata = Metadata(layout=layout, tiff_compression=pillow)
    write_photo(Photo(image, alpha, None, metadata, raster), tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        page = file.pages.first
        found = page.asarray().reshape(raster.samples.shape)
        np.testing.assert_array_equal(found, raster.samples)
        assert page.bitspersample == layout.depth
        alphas = {"none": (), "premultiplied": (1,), "straight": (2,)}
        assert tuple(page.extrasamples) == alphas[layout.alpha]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_another_reader_finds_the_same_in_deep_png(tmp_path: Path, channels: int) -> None:
    """By the definition of PNG: rows unfiltered one byte after the other."""
    import zlib

    colour, alpha = ("grey", "rgb")[channels > 2], ("straight", "none")[channels % 2]
    layout = Layout(colour, alpha, 16)
    raster = Raster(samples_of(layout), layout)
    write_photo(
        Photo(to_image(raster), alpha_of(raster), None, Metadata(layout=layout)), tmp_path / "a.png"
    )
    data, at, stream = (tmp_path / "a.png").read_bytes(), 8, b""
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        assert zlib.crc32(data[at + 4 : at + 8 + size]) == int.from_bytes(
            data[at + 8 + size : at + 12 + size], "big"
        )
        stream += data[at + 8 : at + 8 + size] if name == b"IDAT" else b""
        at += 12 + size
    rows, step, width = zlib.decompress(stream), 2 * channels, 2 * channels * 44
    above, found, kinds = bytearray(width), [], set()
    for start in range(0, len(rows), width + 1):
        kind, row = rows[start], bytearray(rows[start + 1 : start + 1 + width])
        kinds.add(kind)
        for x in range(width):
            left, corner = (row[x - step], above[x - step]) if x >= step else (0, 0)
            near = min((left, above[x], corner), key=lambda v: abs(left + above[x] - corner - v))
            row[x] = (row[x] + [0, left, above[x], (left + above[x]) // 2, near][kind]) % 256
        found.append(bytes(row))
        above = row
    samples = np.frombuffer(b"".join(found), ">u2").reshape(30, 44, channels)
    np.testing.assert_array_equal(samples, raster.samples)
    assert len(kinds) > 1


def test_inks_that_change_show_the_new_image_and_keep_their_share_of_black() -> None:
    layout = Layout("cmyk", "none", 16)
    raster = Raster(samples_of(layout), layout)
    image = to_image(raster)
    changed = image * np.float32(0.8) + np.float32(0.05)
    made = to_raster(changed, None, layout, raster)
    shown = to_image(made)
    np.testing.assert_allclose(shown, changed, atol=2e-4)
    only_black = np.zeros((1, 2, 4), np.uint16)
    only_black[:, :, 3] = (20000, 50000)
    black = Raster(only_black, layout)
    darker = to_raster(to_image(black) * np.float32(0.7), None, layout, black)
    assert darker.samples[:, :, :3].max() <= 2
    assert (darker.samples[:, :, 3] > only_black[:, :, 3]).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_samples_are_turned_as_pillow_turns_them(orientation: int) -> None:
    samples = samples_of(Layout())
    block = PIL.Image.Exif()
    block[Tag.Orientation] = orientation
    file = io.BytesIO()
    PIL.Image.fromarray(samples).save(file, "PNG", exif=block)
    from PIL import ImageOps

    with PIL.Image.open(file) as picture:
        expected = np.asarray(ImageOps.exif_transpose(picture))
    np.testing.assert_array_equal(turned(samples, orientation), expected)


def test_a_raw_file_is_developed_at_16_bits_and_written_as_tiff(tmp_path: Path) -> None:
    """A small DNG of a grey wall that gets brighter to the right, behind a Bayer filter."""
    pytest.importorskip("rawpy")
    ones = (1, 0, 0, 0, 1, 0, 0, 0, 1)
    tags = [
        (50706, 1, 4, b"\1\4\0\0", True),  # DNGVersion
        (33421, 3, 2, (2, 2), True),  # CFARepeatPatternDim
        (33422, 1, 4, b"\0\1\1\2", True),  # CFAPattern
        (50721, 10, 9, tuple(part for one in ones for part in (one, 1)), True),  # ColorMatrix1
        (50728, 5, 3, (1, 1, 1, 1, 1, 1), True),  # AsShotNeutral
        (50717, 4, 1, 16383, True),  # WhiteLevel
        (50708, 2, 0, "ACME One", True),  # UniqueCameraModel
        (Tag.Make, 2, 0, "ACME", True),
        (Tag.Model, 2, 0, "One", True),
    ]
    wall = np.tile(np.linspace(1000, 9000, 96).astype(np.uint16), (64, 1))
    path = tmp_path / "a.dng"
    tifffile.imwrite(path, wall, photometric=32803, extratags=tags, software=False, metadata=None)
    photo = read_photo(path)
    assert photo.metadata.layout == Layout("rgb", "none", 16)
    assert photo.image.shape == (64, 96, 3)
    assert (np.diff(photo.image[32, 8:-8, 1]) >= 0).mean() > 0.9
    assert len(np.unique(np.round(photo.image * 65535) % 256)) > 20  # More than 8 bits.
    assert output_path(path).name == "a-selfsharp.tif"
    lost = write_photo(photo, tmp_path / "a.tif")
    assert any("raw" in line for line in lost)
    np.testing.assert_array_equal(read_photo(tmp_path / "a.tif").image, photo.image)
    with PIL.Image.open(tmp_path / "a.tif") as written:
        assert written.getexif()[Tag.Make] == "ACME"
        assert 50706 not in written.getexif()


@pytest.mark.parametrize("name", sorted(NEEDS))
def test_a_missing_extra_is_named_in_one_line(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, NEEDS[name], None)
    path = tmp_path / f"a{FORMATS.load(name).ENDINGS[0]}"
    start = {"heif": b"\0\0\0\x18ftypheic", "raw": b"II*\0\x08\0\0\0"}[name]
    path.write_bytes(start + bytes(99))
    with pytest.raises(PhotoError, match=r"\A.* pip install 'selfsharp\[formats\]'\Z"):
        read_photo(path)


def test_every_ending_has_one_format() -> None:
    endings = [ending for module in FORMATS.load_all().values() for ending in module.ENDINGS]
    assert len(endings) == len(set(endings)) == len(by_ending())
    assert writable_endings()[:3] == [".jpeg", ".jpg", ".png"]


def test_every_format_that_can_be_written_has_the_usual_media_type():
    kinds = {ending: media_type(ending) for ending in writable_endings()}
    registered = {"avif", "heic", "jpeg", "png", "tiff", "webp"}
    assert set(kinds.values()) == {f"image/{name}" for name in registered}
    assert kinds[".jpg"] == kinds[".jpeg"] == "image/jpeg"
