"""Files that appear whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from selfsharp.photo_error import PhotoError

TEMPORARY = ".selfsharp-"
"""How the names of unfinished files begin."""


@contextmanager
def atomic_output(path: Path | str, *, overwrite: bool = False) -> Iterator[Path]:
    """A temporary file in the folder of `path`, which becomes `path` when the block ends.

    It has the same extension. When the block fails it is removed, and `path` is as before.
    When the whole process is killed, `path` is as before, too, or it is the whole new file.

    Raises:
        PhotoError: `path` exists and may not be replaced, its folder is missing or cannot
            be written to, or the disc is full.
    """
    path = Path(path)
    taken = f"{path} exists already; choose another name, or allow overwriting"
    # Not tempfile, whose files are for their owner alone, whatever the umask says.
    temporary = path.with_name(f"{TEMPORARY}{secrets.token_hex(8)}{path.suffix}")
    try:
        if not path.parent.is_dir():
            raise PhotoError(f"there is no folder {path.parent} for {path.name}; create it first")
        if not overwrite and os.path.lexists(path):
            raise PhotoError(taken)
        temporary.touch(exist_ok=False)
        yield temporary
        with temporary.open("r+b") as file:
            os.fsync(file.fileno())
        if overwrite:
            os.replace(temporary, path)
        else:
            _publish(temporary, path)
    except FileExistsError as error:
        raise PhotoError(taken) from error
    except OSError as error:
        raise PhotoError(
            f"{path} cannot be written ({error.strerror or error}); check the folder's "
            "permissions and free space, or choose another one"
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> int:
    """Removes what killed processes left in a folder and below; tells how many files it was.

    Nobody else may be writing there.
    """
    removed = 0
    for path in folder.rglob(f"{TEMPORARY}*"):
        with suppress(OSError):
            path.unlink()
            removed += 1
    return removed


def _publish(temporary: Path, path: Path) -> None:
    """Gives a file its name in one step, which fails if somebody else took it meanwhile."""
    if os.name == "nt":
        os.rename(temporary, path)
        return
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # A file system without hard links, such as exFAT.
        if os.path.lexists(path):
            raise FileExistsError(path) from None
        os.replace(temporary, path)
