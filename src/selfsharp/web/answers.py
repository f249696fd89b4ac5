"""Answers: one file as it is, several in JSON, or progress by server-sent events."""

import base64
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path

from fastapi import HTTPException, Request
from fastapi.responses import FileResponse, Response, StreamingResponse

from selfsharp.formats import media_type
from selfsharp.web.job import Finished, Job, Refused, Report
from selfsharp.web.outputs import shown_name
from selfsharp.web.worker import Beats, Worker

EVENTS = "text/event-stream"
_PIECE = 3 * 2**16
"""Bytes that are coded at a time; a multiple of 3, so that the pieces of base64 fit together."""


@dataclass(frozen=True)
class File:
    """A file in JSON.

    Attributes:
        name: to save it under.
        type: media type.
        base64: its bytes.
    """

    name: str
    type: str
    base64: str


@dataclass(frozen=True)
class Answer:
    """What was done, and the files that were asked for, by output."""

    report: Report
    files: dict[str, File]


async def answer(request: Request, worker: Worker, job: Job) -> Response:
    """Does a job, and answers as the request wants it.

    Raises:
        HTTPException: the job was refused.
    """
    if EVENTS in request.headers.get("accept", ""):
        return StreamingResponse(_events(request, worker, job), media_type=EVENTS)
    finished = await _finished(request, worker, job)
    if len(job.outputs) > 1 or not finished.files:
        return StreamingResponse(_json(job, finished), media_type="application/json")
    ((output, name),) = finished.files.items()
    return FileResponse(
        job.folder / name,
        media_type=media_type(Path(name).suffix),
        filename=shown_name(output, job.shown),
        headers={"Selfsharp-Report": json.dumps(asdict(finished.report))},
    )


async def _finished(request: Request, worker: Worker, job: Job) -> Finished:
    async with aclosing(worker.do(job)) as tellings:
        async for told in tellings:
            if isinstance(told, Finished):
                return told
            if isinstance(told, Refused):
                raise HTTPException(told.status, told.detail)
            if await request.is_disconnected():
                break
    raise HTTPException(499, "nobody waits for the answer any more")


async def _events(request: Request, worker: Worker, job: Job) -> AsyncGenerator[str]:
    """Every telling as an event; files come with the last."""
    async with aclosing(worker.do(job)) as tellings:
        async for told in tellings:
            if isinstance(told, Beats):
                yield ":\n\n"
            elif isinstance(told, Finished):
                yield "event: finished\ndata: "
                for piece in _json(job, told):
                    yield piece
                yield "\n\n"
            else:
                name = type(told).__name__.lower()
                yield f"event: {name}\ndata: {json.dumps(asdict(told))}\n\n"
            if await request.is_disconnected():
                return


def _json(job: Job, finished: Finished) -> Iterator[str]:
    """An `Answer` in one line of JSON, piece by piece: photos are large."""
    yield f'{{"report": {json.dumps(asdict(finished.report))}, "files": {{'
    for place, (output, name) in enumerate(finished.files.items()):
        yield ", " if place else ""
        about = {
            "name": shown_name(output, job.shown),
            "type": media_type(Path(name).suffix),
        }
        yield f'"{output}": {json.dumps(about)[:-1]}, "base64": "'
        yield from _base64(job.folder / name)
        yield '"}'
    yield "}}"


def _base64(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield base64.b64encode(piece).decode()
