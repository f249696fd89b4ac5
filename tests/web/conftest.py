"""What the tests of the page share: small photos and masks in a folder, and servers."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from starlette.testclient import TestClient

from selfsharp.config import ServeSettings
from selfsharp.web.interface import build

HERE = "http://127.0.0.1"
PHOTOS = Path(__file__).parents[2] / "examples" / "photos"
DEMO = PHOTOS / "flowers-blurred.png"
SHARP = PHOTOS / "sharp" / "flowers.webp"
WIDTH, HEIGHT = 112, 96


@pytest.fixture(scope="session")
def client() -> Iterator[TestClient]:
    """A client of an application in this process, with small limits."""
    settings = ServeSettings(threads=1, max_megabytes=1.0, max_megapixels=1.0)
    with TestClient(build(settings), base_url=HERE) as client:
        yield client


@pytest.fixture(scope="session")
def uploads(tmp_path_factory) -> Path:
    """A blurred piece of the demo photo in every format, a sharp one, and masks."""
    folder = tmp_path_factory.mktemp("uploads")
    picture = PillowImage.open(DEMO).crop((208, 320, 208 + WIDTH, 320 + HEIGHT))
    exif = PillowImage.Exif()
    exif[0x010E], exif[0x0112] = "a street", 6
    picture.save(folder / "photo.png")
    picture.save(folder / "photo.jpg", quality=90, exif=exif)
    picture.save(folder / "photo.webp", lossless=True)
    picture.save(folder / "photo.tif")
    piece = PillowImage.open(SHARP).convert("RGB").crop((208, 208, 208 + WIDTH, 208 + HEIGHT))
    piece.save(folder / "sharp.png")
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[8:, 16:] = 255
    PillowImage.fromarray(mask).save(folder / "mask.png")
    PillowImage.fromarray(mask.T).save(folder / "mask-of-jpg.png")
    PillowImage.fromarray(mask[1:]).save(folder / "small-mask.png")
    # Its part is too small for a PSF to be estimated.
    few = np.zeros_like(mask)
    few[20:80, 30:90] = 255
    PillowImage.fromarray(few).save(folder / "few.png")
    return folder


@dataclass(frozen=True)
class Server:
    """A server of its own process, and the folder that takes its temporary files."""

    address: str
    process: int
    folder: Path


@pytest.fixture
def serving(tmp_path) -> Callable[..., AbstractContextManager[Server]]:
    """Starts a server with flags, and ends it."""

    @contextmanager
    def serving(*flags: str) -> Iterator[Server]:
        command = [sys.executable, "-m", "selfsharp", "serve", "--port", "0", *flags]
        environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=environment
        ) as server:
            try:
                assert server.stdout is not None
                address = re.search(r"http://[^/ ]+", server.stdout.readline())[0]
                yield Server(address, server.pid, tmp_path)
            finally:
                server.terminate()

    return serving
