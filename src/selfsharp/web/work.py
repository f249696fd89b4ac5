"""The worker process: takes jobs from its input, does one at a time, tells on its output.

It is a process of its own, so that a photo that takes too long, or all the memory, is ended
with it and the server goes on.
"""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL.Image import DecompressionBombError

from selfsharp.blur.estimate import Quality
from selfsharp.image import Photo, PhotoError, Plane, read_mask, read_photo
from selfsharp.restore.restorer import Restorer
from selfsharp.web.job import (
    Advanced,
    Began,
    Finished,
    Job,
    Refused,
    Report,
    Told,
    read_job,
    to_line,
)
from selfsharp.web.outputs import Made, write_outputs

TOO_LARGE, UNFIT, FAILED = 413, 422, 500
Tell = Callable[[Told], None]


def main() -> None:
    """Works until its input ends: the server has stopped then."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to heed.
    # Whatever else is printed must not come between the lines for the server.
    lines = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def tell(told: Told) -> None:
        lines.write(to_line(told))

    threads = int(sys.argv[1]) if len(sys.argv) > 1 else None
    for line in sys.stdin.buffer:
        tell(do(read_job(line), threads, tell))


def do(job: Job, threads: int | None, tell: Tell) -> Finished | Refused:
    """Does a job; what goes wrong becomes a refusal in one line."""
    try:
        return _work(job, threads, tell)
    except MemoryError:
        return Refused(TOO_LARGE, f"{job.shown} needs more memory than there is; scale it down")
    except PhotoError as error:
        too_large = isinstance(error.__cause__, DecompressionBombError)
        return Refused(TOO_LARGE if too_large else UNFIT, _without_folder(error, job))
    except ValueError as error:
        return Refused(UNFIT, _without_folder(error, job))
    except Exception:
        traceback.print_exc()
        return Refused(FAILED, f"{job.shown} met a fault of this program, not of the photo")


def _work(job: Job, threads: int | None, tell: Tell) -> Finished:
    start = time.perf_counter()
    tell(Began("reading"))
    photo = read_photo(job.folder / job.photo, max_megapixels=job.max_megapixels)
    mask = read_mask(job.folder / job.mask, *photo.image.shape[:2]) if job.mask else None
    tell(Began("looking"))
    made = _restored(job, photo, mask, threads, tell) if job.task == "restore" else None
    made = made or _mapped(job, photo, threads)
    tell(Began("writing"))
    files = write_outputs(made, job.outputs, job.folder)
    return Finished(_report(made, time.perf_counter() - start), files)


def _restored(job: Job, photo: Photo, mask: Plane | None, threads: int | None, tell: Tell) -> Made:
    restorer = _restorer(job.model, threads, job.backend, job.quality)

    def advance(done: int, total: int) -> None:
        if done == 0 and total:
            tell(Began("restoring"))
        tell(Advanced(done, total))

    result = restorer.restore(photo.image, mask, job.strength, advance)
    psf, matches = result.psf, result.references
    return Made(photo, result.image, result.blur_map, result.gate, psf, matches)


def _mapped(job: Job, photo: Photo, threads: int | None) -> Made:
    restorer = _restorer(job.model, threads, job.backend, job.quality)
    radius, parts = restorer.map_blur(photo.image)
    return Made(photo, photo.image, radius, parts.gate.astype(np.float32, copy=False))


@lru_cache(maxsize=2)
def _restorer(model: str, threads: int | None, backend: str, quality: Quality) -> Restorer:
    return Restorer(model, threads, backend=backend, quality=quality)


def _report(made: Made, seconds: float) -> Report:
    height, width = made.blur_map.shape
    blurred = made.blur_map > 0
    return Report(
        width=width,
        height=height,
        unchanged=made.image is made.photo.image,
        blurred=float(blurred.mean()),
        restored=float(np.count_nonzero(made.gate)) / made.gate.size,
        mean_radius=float(made.blur_map[blurred].mean()) if blurred.any() else 0.0,
        largest_radius=float(made.blur_map.max()),
        seconds=seconds,
    )


def _without_folder(error: Exception, job: Job) -> str:
    """The error in one line that names the photo as its sender does, and no folder."""
    line = " ".join(str(error).split())
    if job.mask:
        line = line.replace(str(job.folder / job.mask), "the mask")
    line = line.replace(str(job.folder / job.photo), job.shown)
    return line.replace(str(job.folder), "")


if __name__ == "__main__":
    main()
