"""Footage: clips decoded into frames, to be averaged into real motion blur.

A clip is a video file, decoded by PyAV, or a folder of frames.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image as PillowImage
from rich.progress import track

from selfsharp.datasets import SUFFIXES, find_photos
from selfsharp.recipe import Footage

Pixels = UInt8[np.ndarray, "_ _ 3"]
VIDEOS = frozenset({".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v"})
SHORTEST = 3
"""Frames under which a shot has no neighbours to average."""


@dataclass(frozen=True)
class Clip:
    """Consecutive frames of footage, without a cut.

    Attributes:
        frames: in order, of one size.
        speed: pixels that the picture moves on by from frame to frame, about.
    """

    frames: list[Pixels]
    speed: float


def load_clips(folder: Path, wanted: Mapping[str, Footage]) -> list[Clip]:
    """The shots of the clips in a folder, in the order of their names.

    Args:
        folder: video files, and folders of frames.
        wanted: how each clip is used, by its name without extension; all of them as they
            are when empty.

    Raises:
        ValueError: the folder has no clip, or not one that is wanted, or it cannot be decoded.
    """
    found = find_clips(folder)
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise ValueError(f"no clip {missing[0]!r} in {folder}; it has {', '.join(found)}")
    used = {name: wanted.get(name, Footage()) for name in (wanted or found)}
    clips: list[Clip] = []
    for name in track(sorted(used), "reading footage", transient=True):
        clips += read_shots(found[name], used[name])
    return clips


def find_clips(folder: Path) -> dict[str, Path]:
    """Video files and folders of frames by their names, in order.

    Raises:
        ValueError: there are none.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder; name a folder of clips")
    found = {
        path.stem if path.is_file() else path.name: path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in VIDEOS or (path.is_dir() and _has_photos(path))
    }
    if not found:
        raise ValueError(f"no clip in {folder}; name a folder of MP4 files or of folders of frames")
    return found


def read_shots(path: Path, settings: Footage) -> list[Clip]:
    """The shots of one clip, each without a cut.

    Raises:
        ValueError: a setting is out of its range, a span is not in the clip, or the file
            cannot be decoded.
    """
    if settings.shrink < 1 or settings.speed <= 0:
        raise ValueError(
            f"clip {path.name}: shrink {settings.shrink} and speed {settings.speed:g} "
            "have to be at least 1 and over 0"
        )
    last = max((span[1] for span in settings.spans), default=None)
    frames = []
    for frame in _decoded(path):
        frames.append(_part(frame, settings))
        if len(frames) - 1 == last:
            break
    shots = []
    for first, end in settings.spans or ((0, len(frames) - 1),):
        if not 0 <= first <= end < len(frames):
            raise ValueError(
                f"clip {path.name}: span {first} to {end} is not within its {len(frames)} frames"
            )
        shots.append(Clip(frames[first : end + 1], settings.speed))
    return [shot for shot in shots if len(shot.frames) >= SHORTEST]


def split_by_time(clips: Sequence[Clip]) -> tuple[list[Clip], list[Clip]]:
    """Each shot but for its last tenth, and the last tenths, for validation."""
    train, kept = [], []
    for clip in clips:
        first_kept = len(clip.frames) - len(clip.frames) // 10
        train.append(Clip(clip.frames[:first_kept], clip.speed))
        if len(clip.frames) - first_kept >= SHORTEST:
            kept.append(Clip(clip.frames[first_kept:], clip.speed))
    return train, kept


def _decoded(path: Path) -> Iterator[PillowImage.Image]:
    """The frames of a file or of a folder, in order."""
    if path.is_dir():
        for photo in find_photos(path):
            with PillowImage.open(photo) as picture:
                yield picture.convert("RGB")
        return
    import av  # Only those who have footage need it.

    try:
        with av.open(str(path)) as container:
            container.streams.video[0].thread_type = "AUTO"
            for frame in container.decode(video=0):
                yield frame.to_image()
    except (av.FFmpegError, IndexError) as error:
        raise ValueError(f"{path} cannot be decoded ({error}); give a video or frames") from None


def _part(frame: PillowImage.Image, settings: Footage) -> Pixels:
    """The part of a frame to use, shrunk: each pixel is the mean of a square."""
    small = frame if settings.shrink == 1 else frame.reduce(settings.shrink)
    if settings.box is None:
        return np.asarray(small)
    top, left, bottom, right = settings.box
    if not (0 <= top < bottom <= small.height and 0 <= left < right <= small.width):
        raise ValueError(
            f"box {settings.box} is not within a frame of {small.height} x {small.width}; "
            "give its top, left, bottom and right after shrinking"
        )
    return np.asarray(small.crop((left, top, right, bottom)))


def _has_photos(folder: Path) -> bool:
    return any(path.suffix.lower() in SUFFIXES for path in folder.iterdir())
