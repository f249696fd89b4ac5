"""Outside programs, each run as a whole process for every photo."""

import shlex
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from selfsharp.benchmark.process import run_process
from selfsharp.benchmark.row import Row, RowError, Truth
from selfsharp.config import BenchmarkSettings
from selfsharp.image import Image, Photo, PhotoError, read_photo, write_photo


@dataclass(frozen=True)
class Peer:
    """An outside program that restores a photo.

    Attributes:
        name: what tables call it.
        words: the command, with {input} and {output} where the two files are named.
    """

    name: str
    words: tuple[str, ...]

    def command(self, source: Path, out: Path) -> list[str]:
        """The command for one photo."""
        files = {"{input}": str(source), "{output}": str(out)}
        words = list(self.words)
        for mark, file in files.items():
            words = [word.replace(mark, file) for word in words]
        return words


def rows(settings: BenchmarkSettings) -> list[Row]:
    """One row for every outside program.

    Raises:
        ValueError: a text is no ``NAME=COMMAND {input} {output}``, or there is no such program.
    """
    return [row_of(read_peer(text), settings.peer_timeout) for text in settings.peer]


def row_of(peer: Peer, timeout: float) -> Row:
    """The row of one program; what it does wrong becomes a RowError."""

    def restore(image: Image, truth: Truth | None) -> Image:
        with tempfile.TemporaryDirectory(prefix="selfsharp-peer-") as folder:
            source, out = Path(folder) / "input.png", Path(folder) / "output.png"
            write_photo(Photo(image), source)
            ended = run_process(peer.command(source, out), timeout)
            if ended.timed_out:
                raise RowError(f"timed out after {timeout:g} s", for_good=True)
            if ended.code != 0:
                said = f": {ended.last_words}" if ended.last_words else ""
                raise RowError(f"ended with code {ended.code}{said}")
            return _read(out, image)

    return Row(peer.name, restore, version=shlex.join(peer.words))


def read_peer(text: str) -> Peer:
    """The program that a ``NAME=COMMAND {input} {output}`` names; no shell reads it.

    Raises:
        ValueError: the text has another form, or there is no such program.
    """
    name, equals, command = (part.strip() for part in text.partition("="))
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise ValueError(f"peer {text!r} cannot be read: {error}; close every quote") from None
    for mark in ("{input}", "{output}"):
        if not (name and equals and any(mark in word for word in words)):
            raise ValueError(
                f"peer {text!r} lacks {mark if name and equals else 'a name'}; give "
                '"NAME=COMMAND {input} {output}"'
            )
    if shutil.which(words[0]) is None:
        raise ValueError(f"peer {name}: there is no program {words[0]!r}; check its name and path")
    return Peer(name, words)


def _read(out: Path, image: Image) -> Image:
    """The picture that a program wrote."""
    if not out.exists():
        raise RowError("wrote no picture")
    try:
        restored = read_photo(out).image
    except PhotoError as error:
        message = str(error).replace(str(out), "its picture")
        raise RowError(message) from None
    if restored.shape != image.shape:
        height, width = image.shape[:2]
        size = f"{restored.shape[1]} x {restored.shape[0]}"
        raise RowError(f"wrote a picture of {size} px instead of {width} x {height}")
    return restored
