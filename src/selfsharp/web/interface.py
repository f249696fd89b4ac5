"""The HTTP interface: what can be asked, in which form, and what comes back."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, File, Form, HTTPException, Request, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic import AfterValidator, WithJsonSchema
from starlette.datastructures import UploadFile as Upload

import selfsharp
from selfsharp.config import ServeSettings
from selfsharp.formats import media_type, writable_endings
from selfsharp.model_folder import find_model, model_names, read_card, read_graph
from selfsharp.restore.runtime import USUAL, load_backend
from selfsharp.web.answers import EVENTS, Answer, answer
from selfsharp.web.guard import Guard
from selfsharp.web.job import Job
from selfsharp.web.outputs import OF_A_MAP, OUTPUTS
from selfsharp.web.worker import Worker

PAGE = Path(__file__).parent / "page"
"""The page's own files."""
DESCRIPTION = """Sharpens the blurred parts of a photo by referring to its own sharp parts.

Photos stay on this computer, and nothing of them is kept after the answer. One wanted output is
answered as a file, with a report in the header `Selfsharp-Report`; several are answered in JSON.
Who accepts `text/event-stream` is told of the progress: `waits`, `began`, `advanced`, and at last
`refused` (with a status and a detail) or `finished` (with the same JSON).
"""
_LONGEST_NAME = 100
_UNFIT = 422


@dataclass(frozen=True)
class Refusal:
    """Why something was refused, and what to do instead, in one line."""

    detail: str


@dataclass(frozen=True)
class Model:
    """A model that can be named."""

    name: str
    description: str
    licence: str
    network: str


@dataclass(frozen=True)
class Health:
    """That the server is well, how busy it is, and what it takes."""

    status: Literal["well"]
    version: str
    waiting: int
    endings: list[str]
    max_megabytes: float
    max_megapixels: float
    seconds: float


_REFUSED = {
    400: "The body is not a form",
    403: "Another page, or another name, may not use this server",
    408: "The photo did not arrive",
    413: "Too many bytes or pixels",
    422: "Not a photo that can be restored, not a mask of its size, or a wrong setting",
    429: "Too many photos are waiting",
    500: "A fault of this program",
}


def _refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": Refusal, "description": _REFUSED[status]} for status in statuses}


_ANSWERED: dict[int | str, dict[str, Any]] = {
    200: {
        "model": Answer,
        "description": "What was asked for",
        "content": {kind: {} for kind in (*map(media_type, writable_endings()), EVENTS)},
    },
    **_refusals(400, 403, 408, 413, 422, 429, 500),
}


async def _job_folder() -> AsyncIterator[Path]:
    """A folder for one photo, gone when the answer is sent or nobody takes it."""
    with TemporaryDirectory(prefix="selfsharp-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _outputs_told(names: tuple[str, ...]) -> str:
    return "; ".join(f"`{name}`: {OUTPUTS[name].told}" for name in names)


Folder = Annotated[Path, Depends(_job_folder)]
ENDINGS = tuple(writable_endings())
"""Of the photos that come and go: each leaves in the format that it came in."""
Photo = Annotated[UploadFile, File(description="A photo: " + ", ".join(ENDINGS))]
Mask = Annotated[
    UploadFile | None,
    File(description="A picture of the photo's size, white where blurred; found when not given"),
]
Strength = Annotated[
    float,
    Form(ge=0, le=1, allow_inf_nan=False, description="How much of the restoration to blend in"),
]
ModelName = Annotated[str, Form(description="Name of a model, of those at `/models`")]


def _names(known: tuple[str, ...]) -> Any:
    """A list of outputs' names, in the types' words."""

    def check(name: str) -> str:
        if name not in known:
            raise ValueError(f"unknown output; choose of: {', '.join(known)}")
        return name

    name = Annotated[str, AfterValidator(check), WithJsonSchema({"enum": list(known)})]
    return list[name]


Outputs = Annotated[_names(tuple(OUTPUTS)), Form(description=_outputs_told(tuple(OUTPUTS)))]
MapOutputs = Annotated[_names(OF_A_MAP), Form(description=_outputs_told(OF_A_MAP))]


def build(settings: ServeSettings) -> FastAPI:
    """The application with its page, guarded as the settings say.

    Raises:
        ValueError: there is no such model, its files are not what its card says, or the backend
            is none or not installed.
    """
    models = _served(settings.model, settings.backend)
    usual = next(iter(models))
    worker = Worker(settings.seconds, settings.threads)
    asked = partial(
        Job,
        max_megapixels=settings.max_megapixels,
        backend=settings.backend,
        quality=settings.quality,
    )

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        await worker.start()
        yield
        await worker.close()

    app = FastAPI(
        title="selfsharp",
        version=selfsharp.__version__,
        description=DESCRIPTION,
        lifespan=running,
        docs_url=None,  # It would load its looks from elsewhere.
        redoc_url=None,
    )
    app.add_middleware(
        Guard,
        max_bytes=round(settings.max_megabytes * 1e6),
        places=settings.queue + 1,
        names=(settings.host, *settings.name),
    )

    @app.exception_handler(RequestValidationError)
    async def _(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"][1:]) or "the form"
        return JSONResponse({"detail": f"{place}: {first['msg']}"}, _UNFIT)

    async def put_down(job: Job, photo: Upload, mask: Upload | None = None) -> Job:
        """The job with its files in its folder, which they may lie in."""
        shown = _shown(photo.filename)
        ending = Path(shown).suffix.lower()
        if ending not in ENDINGS:
            known = ", ".join(ENDINGS)
            raise HTTPException(_UNFIT, f"{shown} is of no known format; give one of {known}")
        if job.model not in models:
            known = ", ".join(models)
            raise HTTPException(_UNFIT, f"unknown model; choose one of: {known}")
        job = replace(job, photo=f"photo{ending}", shown=shown, model=str(models[job.model]))
        await run_in_threadpool(_save, photo, job.folder / job.photo)
        if mask:
            of_mask = Path(_shown(mask.filename)).suffix.lower()
            name = f"mask{of_mask if of_mask in ENDINGS else ''}"
            job = replace(job, mask=name)
            await run_in_threadpool(_save, mask, job.folder / name)
        return job

    @app.post("/restore", response_model=None, responses=_ANSWERED, summary="Restore a photo")
    async def restore(
        request: Request,
        folder: Folder,
        photo: Photo,
        mask: Mask = None,
        strength: Strength = 1.0,
        model: ModelName = usual,
        outputs: Outputs = ["photo"],  # noqa: B006
    ) -> Response:
        """Sharpens the blurred part of a photo, just as `selfsharp restore` does."""
        wanted = tuple(dict.fromkeys(outputs))
        job = asked("restore", folder, wanted, strength, model)
        return await answer(request, worker, await put_down(job, photo, mask))

    @app.post("/map", response_model=None, responses=_ANSWERED, summary="Map a photo's blur")
    async def map_blur(
        request: Request,
        folder: Folder,
        photo: Photo,
        model: ModelName = usual,
        outputs: MapOutputs = ["blur_picture"],  # noqa: B006
    ) -> Response:
        """Tells where a photo is blurred and by how much, just as `selfsharp map` does."""
        wanted = tuple(dict.fromkeys(outputs))
        job = asked("map", folder, wanted, 1.0, model)
        return await answer(request, worker, await put_down(job, photo))

    @app.get("/models", responses=_refusals(403), summary="The models")
    async def list_models() -> list[Model]:
        """The models that can be named; first the one that is used when none is."""
        cards = [read_card(folder) for folder in models.values()]
        return [Model(card.name, card.description, card.licence, card.network) for card in cards]

    @app.get("/health", responses=_refusals(403), summary="Whether the server is well")
    async def health() -> Health:
        """How busy the server is, and what it takes."""
        return Health(
            "well",
            selfsharp.__version__,
            worker.waiting,
            list(ENDINGS),
            settings.max_megabytes,
            settings.max_megapixels,
            settings.seconds,
        )

    app.mount("/", StaticFiles(directory=PAGE, html=True))
    return app


def _served(usual: str, backend: str) -> dict[str, Path]:
    """Folders of the models by their names, the usual one first."""
    folder = find_model(usual)
    card = read_card(folder)
    # What fails had better fail now than at the first photo.
    for graph in card.graphs:
        read_graph(folder, card, graph)
    if backend != USUAL:  # That one is always there, and large.
        load_backend(backend)
    # One of an own folder takes the place of a bundled one of its name.
    bundled = {name: find_model(name) for name in model_names() if name != card.name}
    return {card.name: folder.resolve(), **bundled}


def _shown(name: str | None) -> str:
    """What an upload is called in messages: its own name, less folders and odd characters."""
    last = (name or "photo").replace("\\", "/").rsplit("/", 1)[-1]
    plain = "".join(letter for letter in last if letter.isprintable()).strip() or "photo"
    return plain if len(plain) <= _LONGEST_NAME else plain[-_LONGEST_NAME:]


def _save(upload: Upload, path: Path) -> None:
    with path.open("wb") as file:
        shutil.copyfileobj(upload.file, file)
