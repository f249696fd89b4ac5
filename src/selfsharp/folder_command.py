"""``selfsharp restore DIR``: what it refuses, and what it tells."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from selfsharp.config import RestoreSettings
from selfsharp.restore.folder import LOG, Entry, restore_folder
from selfsharp.restore.workers import Options
from selfsharp.terminal import tell, tell_error, words

STATUSES = ("restored", "unchanged", "skipped", "failed")


def restore_folder_of(settings: RestoreSettings) -> int:
    """Restores a folder of photos, and shows what became of them in a table.

    Returns:
        The exit code: 0, or 2 if a photo failed.

    Raises:
        ValueError: the settings do not go with a folder.
    """
    folder, out_dir = settings.photos[0], settings.out_dir
    if len(settings.photos) > 1 or out_dir is None or settings.out:
        named = next(path for path in settings.photos if path.is_dir())
        raise ValueError(f"{named} is a folder; name it alone, and --out-dir for its results")
    if settings.mask or settings.psf or settings.compare or settings.explain:
        single = "--mask, --psf, --compare and --explain"
        raise ValueError(f"{folder} is a folder; {single} go with single photos")
    if settings.jobs is not None and settings.jobs < 1:
        raise ValueError(f"--jobs {settings.jobs} is out of range; give 1 or more")
    entries: list[Entry] = []

    def tell_of(entry: Entry) -> None:
        entries.append(entry)
        if entry.status == "failed":
            tell_error(entry.error)
        elif entry.status != "skipped":
            path, out = folder / entry.photo, out_dir / entry.output
            for line in restored_lines(path, out, entry.share, entry.seconds, entry.lost):
                tell(line)

    options = Options(
        settings.model,
        settings.strength,
        settings.threads,
        settings.overwrite,
        settings.max_megapixels,
        settings.backend,
        settings.quality,
    )
    stopped = False
    try:
        restore_folder(
            folder, out_dir, options, jobs=settings.jobs, tell=tell_of, left_out=tell_error
        )
    except KeyboardInterrupt:
        stopped = True
        raise
    finally:
        if entries or stopped:
            words.print(summary(entries))
            tell(f"a line for each photo: {out_dir / LOG}")
    return 2 if any(entry.status == "failed" for entry in entries) else 0


def restored_lines(
    path: Path, out: Path, share: float, seconds: float, lost: Sequence[str]
) -> list[str]:
    """What became of a photo: a line, and one for each thing that could not be kept."""
    told = f"{100 * share:.0f} % of the photo restored"
    if not share:
        told = "nothing to restore, the photo is unchanged"
    return [f"{path}: {told}, {seconds:.1f} s: {out}", *(f"  not kept: {line}" for line in lost)]


def summary(entries: Sequence[Entry]) -> Table:
    """How many photos were restored, and how long each took in the mean."""
    table = Table("", "photos", "seconds each")
    numbers = Counter(entry.status for entry in entries)
    for status in STATUSES:
        seconds = sum(entry.seconds for entry in entries if entry.status == status)
        mean = f"{seconds / numbers[status]:.1f}" if seconds else ""
        table.add_row(status, str(numbers[status]), mean)
    return table
