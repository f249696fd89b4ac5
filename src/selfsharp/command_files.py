"""The files that commands name and write: what cannot be is refused before any work."""

from collections.abc import Sequence
from pathlib import Path

from selfsharp.config import MapSettings, PsfSettings

BAD_INPUT = 2
"""Exit code of a command that was given what it cannot work with."""


def check_photos(photos: Sequence[Path]) -> None:
    """Refuses to have nothing to do."""
    if not photos:
        raise ValueError("no photo given; name at least one file, or a folder")


def check_folder(folder: Path | None) -> None:
    """Makes a missing output folder; refuses what cannot be one."""
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ValueError(
            f"{folder} cannot be a folder for photos ({reason}); name another"
        ) from None


def free_outputs(settings: MapSettings | PsfSettings, photo: Path, *ends: str) -> list[Path]:
    """The files that come of a photo, named after it; refuses to replace what is there."""
    folder = settings.out_dir or photo.parent
    outputs = [folder / f"{photo.stem}{end}" for end in ends]
    check_free(outputs, settings.overwrite)
    return outputs


def check_free(files: Sequence[Path], overwrite: bool) -> None:
    """Refuses, before any work, to replace what is there."""
    for path in files:
        if path.exists() and not overwrite:
            raise ValueError(f"{path} exists already; name another output, or give --overwrite")
