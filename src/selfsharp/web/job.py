"""What is asked of the worker process and what it tells: a job, and lines of JSON about it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from selfsharp.blur.estimate import Quality
from selfsharp.restore.runtime import USUAL

Stage = Literal["reading", "looking", "restoring", "writing"]
"""What is being done to a photo."""


@dataclass(frozen=True)
class Job:
    """A photo in a folder of its own, and what to do with it.

    Attributes:
        task: restore the photo, or only map its blur.
        folder: where the photo lies; what comes out goes there too.
        outputs: what is wanted, by the names of :mod:`selfsharp.web.outputs`.
        strength: how much of the restoration to blend in, 0..1.
        model: name of a bundled model, or the path of a model folder.
        max_megapixels: size from which the photo is refused.
        photo: name of the photo's file in the folder.
        mask: name of the mask's file in the folder; None if the blurred part is to be found.
        shown: what the photo is called in messages and in the names of what comes out.
        backend: what runs the model's graphs.
        quality: how much effort goes into estimating a PSF.
    """

    task: Literal["restore", "map"]
    folder: Path
    outputs: tuple[str, ...]
    strength: float
    model: str
    max_megapixels: float
    photo: str = "photo"
    mask: str | None = None
    shown: str = "photo"
    backend: str = USUAL
    quality: Quality = "best"


@dataclass(frozen=True)
class Report:
    """What was found and done, in numbers.

    Attributes:
        width: of the photo as displayed, in pixels.
        height: of the photo as displayed, in pixels.
        unchanged: whether the photo comes back as it is, byte for byte.
        blurred: share of the photo that was found or told to be blurred, 0..1.
        restored: share of the photo that was restored, or of a map would be, 0..1.
        mean_radius: of the blurred part, in pixels.
        largest_radius: of the blurred part, in pixels.
        seconds: what it took, without waiting.
    """

    width: int
    height: int
    unchanged: bool
    blurred: float
    restored: float
    mean_radius: float
    largest_radius: float
    seconds: float


@dataclass(frozen=True)
class Began:
    """The photo is in another stage now."""

    stage: Stage


@dataclass(frozen=True)
class Advanced:
    """So many tiles are done, of so many."""

    done: int
    total: int


@dataclass(frozen=True)
class Refused:
    """The photo cannot be restored: an HTTP status, and one line on why and what to do."""

    status: int
    detail: str


@dataclass(frozen=True)
class Finished:
    """It is done; files by the outputs' names, each a file name in the job's folder."""

    report: Report
    files: dict[str, str]


Told = Began | Advanced | Refused | Finished
_TOLD: dict[str, type] = {kind.__name__: kind for kind in (Began, Advanced, Refused, Finished)}


def to_line(told: Job | Told) -> bytes:
    """One line of JSON."""
    table = {"kind": type(told).__name__, **asdict(told)}
    return json.dumps(table, default=str).encode() + b"\n"


def read_job(line: bytes) -> Job:
    """The job in a line."""
    table = _table(line)
    return Job(**table | {"folder": Path(table["folder"]), "outputs": tuple(table["outputs"])})


def read_told(line: bytes) -> Told:
    """What the worker tells in a line."""
    kind, table = json.loads(line)["kind"], _table(line)
    if kind == Finished.__name__:
        table["report"] = Report(**table["report"])
    return _TOLD[kind](**table)


def _table(line: bytes) -> dict[str, Any]:
    return {name: value for name, value in json.loads(line).items() if name != "kind"}
