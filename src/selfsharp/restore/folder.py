"""Restores a folder of photos: several at a time, going on where it was stopped.

A result appears under its name when it is whole, so that what is there is done. `LOG`, in the
folder of results, has a line of JSON for each photo that was looked at.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from selfsharp.formats import by_ending
from selfsharp.image import output_path
from selfsharp.output_file import TEMPORARY, remove_unfinished
from selfsharp.restore.workers import Options, work_off

LOG = "selfsharp.jsonl"
_MOST_JOBS = 4  # More of them hold more photos in memory at a time.

Status = Literal["restored", "unchanged", "skipped", "failed"]


@dataclass(frozen=True)
class Entry:
    """A line of the log: what became of a photo.

    Attributes:
        photo: its path below the folder.
        output: its result's path below the folder of results.
        status: restored; unchanged, where nothing was to be restored; skipped, as there is a
            result already; or failed.
        share: of the photo that was restored, 0..1.
        seconds: that it took.
        lost: what the result lacks, each as a line.
        error: why it failed.
        strength: how much of the restoration was blended in.
        model: that restored.
        size: of the photo's file in bytes.
        changed: when the photo's file was last changed, in nanoseconds.
    """

    photo: str
    output: str
    status: Status
    strength: float
    model: str
    size: int
    changed: int
    share: float = 0.0
    seconds: float = 0.0
    lost: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Plan:
    """What there is to do in a folder.

    Attributes:
        tasks: every photo with where its result goes.
        left_out: what is passed over, each as a line.
    """

    tasks: Sequence[tuple[Path, Path]]
    left_out: Sequence[str]


def plan_folder(folder: Path, out_dir: Path) -> Plan:
    """The photos in a folder and below, and where their results go: the same tree elsewhere.

    Links that lead out of the folder are left out, and so is the folder of results.

    Raises:
        ValueError: there is no photo in it.
    """
    inside, results = folder.resolve(), out_dir.resolve()
    tasks: dict[Path, Path] = {}
    left_out = []
    # Links to folders are not followed.
    for parent, folders, names in os.walk(folder):
        here = Path(parent)
        folders[:] = sorted(name for name in folders if (here / name).resolve() != results)
        for name in sorted(names):
            path = here / name
            if path.suffix.lower() not in by_ending() or name.startswith(TEMPORARY):
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(inside):
                left_out.append(f"{path} is a link that leads out of the folder; it is left out")
                continue
            if here.resolve() == results or not path.is_file():
                continue
            out = output_path(path, out_dir=out_dir / here.relative_to(folder))
            if out in tasks:
                left_out.append(
                    f"{path} would have the same result as {tasks[out].name}; rename it"
                )
                continue
            tasks[out] = path
    if not tasks:
        raise ValueError(f"no photo in {folder}; name a folder of {', '.join(by_ending())} files")
    return Plan([(path, out) for out, path in tasks.items()], left_out)


def restore_folder(
    folder: Path,
    out_dir: Path,
    options: Options,
    *,
    jobs: int | None = None,
    tell: Callable[[Entry], None] = lambda entry: None,
    left_out: Callable[[str], None] = lambda line: None,
) -> list[Entry]:
    """Restores all photos of a folder that have no result yet; returns what became of each.

    Args:
        folder: of photos; those in folders below count, too.
        out_dir: where results go; made if it is missing.
        options: how to restore.
        jobs: photos restored at a time; one for every core, but no more than four, when None.
        tell: is told of each photo when it is done.
        left_out: is told what is passed over, a line each.

    Raises:
        ValueError: there is no photo in the folder, the model is none, or another run is
            writing into the folder of results.
    """
    plan = plan_folder(folder, out_dir)
    for line in plan.left_out:
        left_out(line)
    done: list[Entry] = []
    with _locked(out_dir / LOG) as log:
        remove_unfinished(out_dir)
        known = _read_log(out_dir / LOG)

        def finish(entry: Entry) -> None:
            log(entry)
            done.append(entry)
            tell(entry)

        waiting = []
        for path, out in plan.tasks:
            entry = _looked_at(path, out, folder, out_dir, options, known)
            if entry.status in ("skipped", "failed"):
                finish(entry)
            else:
                waiting.append((path, out, entry))
        try:
            count = jobs or min(os.cpu_count() or 1, _MOST_JOBS)
            tasks = [(path, out) for path, out, _ in waiting]
            for number, found in work_off(tasks, options, min(count, len(tasks))):
                finish(Entry(**(asdict(waiting[number][2]) | found)))
        finally:
            remove_unfinished(out_dir)
    return done


def _looked_at(
    path: Path,
    out: Path,
    folder: Path,
    out_dir: Path,
    options: Options,
    known: dict[str, dict[str, Any]],
) -> Entry:
    """The entry of a photo before it is restored: skipped, failed, or yet to be filled in."""
    status: Status = "restored"
    error, size, changed = "", 0, 0
    try:
        told = path.stat()
        size, changed = told.st_size, told.st_mtime_ns
        out.parent.mkdir(parents=True, exist_ok=True)
        if not out.parent.resolve().is_relative_to(out_dir.resolve()):
            raise ValueError(f"{out.parent} is a link that leads out of {out_dir}; remove it")
        if os.path.lexists(out) and not options.overwrite:
            status = "skipped"
            before = known.get(str(out.relative_to(out_dir)), {})
            now = {"strength": options.strength, "model": options.model}
            now |= {"size": size, "changed": changed}
            if any(before.get(key, value) != value for key, value in now.items()):
                raise ValueError(
                    f"{out} was made with other settings, or from another version of {path.name}; "
                    "name another --out-dir, or give --overwrite"
                )
    except (OSError, ValueError) as problem:
        status, error = "failed", str(problem)
    return Entry(
        photo=str(path.relative_to(folder)),
        output=str(out.relative_to(out_dir)),
        status=status,
        strength=options.strength,
        model=options.model,
        size=size,
        changed=changed,
        error=error,
    )


@contextmanager
def _locked(path: Path) -> Iterator[Callable[[Entry], None]]:
    """The log, to which entries are added; two runs cannot hold it at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b", buffering=0) as file:
        try:
            import fcntl  # Where there is none, nobody is kept out.

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:
            pass
        except BlockingIOError:
            raise ValueError(
                f"another run is writing into {path.parent}; wait for it, or name another folder"
            ) from None
        end = file.seek(0, os.SEEK_END)
        file.seek(max(0, end - 1))
        if file.read(1) not in (b"", b"\n"):  # Cut off when a run was killed.
            file.write(b"\n")

        def add(entry: Entry) -> None:
            line = asdict(entry) | {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
            file.write(json.dumps(line).encode() + b"\n")

        yield add


def _read_log(path: Path) -> dict[str, dict[str, Any]]:
    """By their outputs, what was told last of the results that were made; broken lines pass."""
    made = {}
    for line in path.read_bytes().splitlines():
        with suppress(ValueError, KeyError, TypeError):
            entry = json.loads(line)
            if entry["status"] in ("restored", "unchanged"):
                made[str(entry["output"])] = entry
    return made
