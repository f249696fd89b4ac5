"""Breaks photos' files in many ways and reads them: ``python tests/fuzz.py --files 20000``.

Whatever a file holds, it is read or refused in one line, within a time and a memory; a command
that refuses writes nothing. The same is done with a few hundred files in `test_fuzz.py`.
"""

import argparse
import io
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import PIL.Image
import tifffile
from PIL.ExifTags import IFD
from PIL.ExifTags import Base as Tag

from selfsharp.cli import main as selfsharp
from selfsharp.image import PhotoError, read_photo, write_photo

SECONDS = 20.0
"""More than any small file takes, broken or not, on a busy machine."""
MEGABYTES = 1500
# Numbers at which sizes, counts and offsets turn over.
EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)


def whole_files(folder: Path) -> list[Path]:
    """A small file of every format and of the ways in which it may be coded."""
    generator = np.random.default_rng(5)
    pixels = generator.integers(0, 256, (20, 28, 4), dtype=np.uint8)
    colour, grey = PIL.Image.fromarray(pixels[:, :, :3]), PIL.Image.fromarray(pixels[:, :, 0])
    exif = PIL.Image.Exif()
    exif[Tag.Make], exif[Tag.Orientation] = "ACME", 6
    exif.get_ifd(IFD.Exif)[Tag.MakerNote] = b"maker\0\1\2\3"
    told = {"exif": exif, "dpi": (240, 240)}
    colour.save(folder / "plain.jpg", **told)
    colour.save(folder / "progressive.jpg", progressive=True, icc_profile=bytes(300))
    colour.convert("CMYK").save(folder / "cmyk.jpg")
    colour.save(folder / "colour.png", **told)
    colour.quantize(16).save(folder / "palette.png", transparency=3)
    PIL.Image.fromarray(pixels[:, :, 0].astype(np.uint16) * 257).save(folder / "deep.png")
    PIL.Image.fromarray(pixels).save(folder / "clear.webp", lossless=True, **told)
    colour.save(folder / "lossy.webp", quality=70)
    colour.save(folder / "colour.avif", quality=70, **told)
    for name in ("raw", "tiff_lzw", "jpeg"):
        colour.save(folder / f"{name}.tif", compression=name)
    grey.convert("1").save(folder / "fax.tif", compression="group4")
    deep = pixels.astype(np.uint16) * 257
    kinds = {"planes": "separate", "tiles": "contig"}
    for name, planes in kinds.items():
        layout = {"tile": (16, 16)} if name == "tiles" else {}
        values = deep[:, :, :3].transpose(2, 0, 1) if planes == "separate" else deep[:, :, :3]
        tifffile.imwrite(
            folder / f"{name}.tif",
            values,
            photometric="rgb",
            planarconfig=planes,
            compression="zlib",
            predictor=True,
            bigtiff=name == "tiles",
            **layout,
        )
    tifffile.imwrite(
        folder / "premultiplied.tif", deep, photometric="rgb", extrasamples=["assocalpha"]
    )
    write_photo(read_photo(folder / "planes.tif"), folder / "colour-deep.png")
    return sorted(folder.iterdir())


def mutated(data: bytes, generator: np.random.Generator) -> bytes:
    """A file with bits flipped, numbers at their edges, pieces cut, doubled or swapped."""
    broken = bytearray(data)
    for _ in range(int(generator.integers(1, 6))):
        at = int(generator.integers(0, max(1, len(broken))))
        if generator.random() < 0.5:  # Headers come first.
            at = at % min(len(broken) or 1, 200)
        size = int(generator.integers(1, 64))
        match int(generator.integers(0, 7)):
            case 0:
                broken[at : at + 1] = bytes([int(generator.integers(0, 256))])
            case 1:
                width = int(generator.choice([1, 2, 4]))
                order = "little" if generator.random() < 0.5 else "big"
                edge = int(generator.choice(EDGES)) & ((1 << 8 * width) - 1)
                broken[at : at + width] = edge.to_bytes(width, order)
            case 2:
                del broken[at:]
            case 3:
                del broken[at : at + size]
            case 4:
                broken[at:at] = broken[at : at + size]
            case 5:
                broken[at : at + size] = generator.bytes(size)
            case _:
                other = int(generator.integers(0, max(1, len(broken))))
                broken[at : at + size] = broken[other : other + size]
    return bytes(broken)


def broken_files(folder: Path, count: int, seed: int) -> Iterator[Path]:
    """Broken files, one after the other; each is gone when the next one comes."""
    generator = np.random.default_rng(seed)
    (folder / "whole").mkdir(parents=True)
    sources = [(path.suffix, path.read_bytes()) for path in whole_files(folder / "whole")]
    for number in range(count):
        ending, data = sources[number % len(sources)]
        path = folder / f"broken{ending}"
        path.write_bytes(mutated(data, generator))
        yield path
        path.unlink()


def read_broken(path: Path) -> str:
    """What became of reading a file: ``read``, or ``refused`` in one line."""
    start, message = time.perf_counter(), ""
    try:
        photo = read_photo(path, max_megapixels=4.0)
        assert photo.image.dtype == np.float32
        assert float(photo.image.min()) >= 0
        assert float(photo.image.max()) <= 1
        told = "read"
    except PhotoError as error:
        told, message = "refused", str(error)
    if told == "refused":
        assert "\n" not in message
        assert str(path) in message
    assert time.perf_counter() - start < SECONDS, f"took over {SECONDS} s"
    return told


def restore_broken(path: Path, model: str) -> str:
    """What became of the whole command: ``restored``, or ``refused`` with nothing written."""
    out = path.with_name(f"{path.stem}-selfsharp{path.suffix}")
    words, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(words), redirect_stderr(errors):
        code = selfsharp(
            ["restore", str(path), "--model", model, "--threads", "1", "--max-megapixels", "4"]
        )
    before = {path.name, "whole"}
    left = {entry.name for entry in path.parent.iterdir()} - before
    if code == 0:
        assert left == {out.name}
        out.unlink()
        return "restored"
    assert code == 2
    assert left == set(), f"left {left}"
    return "refused"


def peak_megabytes() -> float:
    """The most memory that this process held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(files: int, commands: int, seed: int, model: str, folder: Path) -> Counter[str]:
    """Reads and restores broken files; raises what they bring to light, and keeps the file."""
    tally: Counter[str] = Counter()
    for part, count, attempt in (
        ("reading", files, read_broken),
        ("command", commands, lambda path: restore_broken(path, model)),
    ):
        for number, path in enumerate(broken_files(folder / part, count, seed)):
            try:
                tally[f"{part}: {attempt(path)}"] += 1
            except BaseException:
                kept = Path(f"fuzz-{part}-{seed}-{number}{path.suffix}").absolute()
                kept.write_bytes(path.read_bytes())
                print(f"kept the file: {kept}", file=sys.stderr)
                raise
    assert peak_megabytes() < MEGABYTES, f"held {peak_megabytes():.0f} MB"
    return tally


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=20000, help="files to read")
    parser.add_argument("--commands", type=int, default=500, help="files for the whole command")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", default="base")
    given = parser.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        found = run(given.files, given.commands, given.seed, given.model, Path(scratch))
    print(dict(found), f"{time.perf_counter() - began:.0f} s, {peak_megabytes():.0f} MB at most")
