"""Tiny pictures for the suites, and a way to run one."""

import json
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from selfsharp.benchmark.run import run_suite
from selfsharp.config import BenchmarkSettings
from selfsharp.image import quantize


@pytest.fixture(scope="session")
def tiny(photo, tmp_path_factory) -> dict[str, Path]:
    """Folders of two pictures of 96x96 in every layout that a suite takes."""
    root = tmp_path_factory.mktemp("tiny")
    tiled = np.tile(quantize(photo), (2, 2, 1))
    pictures = {"one": tiled[:96, :96], "two": tiled[20:116, 30:126, ::-1]}
    mask = np.zeros((96, 96), np.uint8)
    mask[:, 48:] = 255
    for name, pixels in pictures.items():
        picture = PillowImage.fromarray(np.ascontiguousarray(pixels))
        scene = f"GOPR0{len(name)}_{name}"
        files = {
            f"sharp-only/{name}.png": picture,
            f"masked/photo/{name}.png": picture,
            f"masked/mask/{name}.png": PillowImage.fromarray(mask),
            f"pairs/{scene}/sharp/000001.png": picture,
            f"pairs/{scene}/blur/000001.png": picture.reduce(2).resize((96, 96)),
        }
        for file, content in files.items():
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            content.save(root / file)
    sharp, masked, pairs = (root / folder for folder in ("sharp-only", "masked", "pairs"))
    return {
        "table1": sharp,
        "identity": sharp,
        "levels": sharp,
        "psf": sharp,
        "speed": sharp,
        "tiles": sharp,
        "natural": masked,
        "map": masked,
        "gopro": pairs,
    }


@contextmanager
def silence(title):
    yield lambda done, total: None


@pytest.fixture
def measure(tiny, tmp_path, made_up):
    """Runs a suite on the tiny pictures with a model made up; the report and its numbers."""

    def run(suite: str, **others) -> tuple[Path, dict]:
        settings = BenchmarkSettings(
            suite=suite,
            pictures=tiny[suite],
            model=(str(made_up),),
            out_dir=tmp_path / "results",
            seen=("GOPR03_one",),
        )
        report = run_suite(replace(settings, **others), silence)
        return report, json.loads(report.with_suffix(".json").read_text(encoding="utf-8"))

    return run
