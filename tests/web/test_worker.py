"""The worker process: what it is told and tells, and that its end is not the server's."""

import asyncio
import shutil
from contextlib import aclosing
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as PillowImage

from selfsharp.image import Photo, read_photo
from selfsharp.restore.matches import Matches
from selfsharp.web.job import (
    Advanced,
    Began,
    Finished,
    Job,
    Refused,
    Report,
    read_job,
    read_told,
    to_line,
)
from selfsharp.web.outputs import OUTPUTS, Made, shown_name, write_outputs
from selfsharp.web.work import do
from selfsharp.web.worker import Waits, Worker

REPORT = Report(4, 3, False, 0.5, 0.25, 1.5, 2.5, 0.1)


@pytest.fixture
def job(uploads, tmp_path) -> Job:
    for name in ("photo.png", "mask.png"):
        shutil.copy(uploads / name, tmp_path / name)
    return Job("restore", tmp_path, ("photo",), 1.0, "base", 1.0, "photo.png", "mask.png", "a.png")


async def told_of(worker: Worker, job: Job) -> list:
    async with aclosing(worker.do(job)) as tellings:
        return [told async for told in tellings]


def test_a_job_arrives_as_it_was_sent(job):
    assert read_job(to_line(job)) == job
    assert to_line(job).count(b"\n") == 1


@pytest.mark.parametrize(
    "told",
    [Began("looking"), Advanced(2, 5), Refused(413, "two\nlines"), Finished(REPORT, {"a": "b"})],
    ids=lambda told: type(told).__name__,
)
def test_what_is_told_arrives_as_it_was_sent(told):
    assert read_told(to_line(told)) == told
    assert to_line(told).count(b"\n") == 1


def test_a_job_is_done_and_told_of(job):
    told = []
    finished = do(job, 1, told.append)
    assert isinstance(finished, Finished)
    assert finished.files == {"photo": "restored.png"}
    assert not finished.report.unchanged
    assert 0 < finished.report.restored <= finished.report.blurred < 1
    assert told[0] == Began("reading")
    assert told[-1] == Began("writing")


def test_every_output_is_written_and_has_a_name_of_its_own(uploads, tmp_path):
    photo = read_photo(uploads / "photo.png")
    height, width = photo.image.shape[:2]
    gate = np.zeros((height, width), np.float32)
    gate[10:40, 10:40] = 1
    psf = np.full((5, 5), 1 / 25, np.float32)
    corners = np.array([[10, 10], [24, 24]], np.int32)
    errors = np.array([[0, 1e9], [1e9, 1e9]], np.float32)
    matches = Matches(corners, np.stack([corners + 36] * 2, axis=1), errors, 14)
    made = Made(photo, photo.image / 2, gate * 3, gate, psf, matches)
    files = write_outputs(made, tuple(OUTPUTS), tmp_path)
    assert set(files) == set(OUTPUTS)
    assert len(set(files.values())) == len(OUTPUTS)
    assert len({shown_name(name, "a photo.png") for name in OUTPUTS}) == len(OUTPUTS)
    cells = np.asarray(PillowImage.open(tmp_path / files["cells"]))
    assert cells.shape == (height // 4, width // 4, 3)
    assert tuple(cells[5, 5]) == (255, 255, 255)
    assert tuple(cells[8, 8]) == (255, 255, 0)
    assert not cells[15].any()
    origins = np.asarray(PillowImage.open(tmp_path / files["origins"])).astype(int)
    assert origins.shape == cells.shape
    # The cell 9 rows down and 9 columns on.
    assert origins[5, 5] @ [65536, 256, 1] == 14 * (width // 4) + 14


def test_a_fault_of_the_program_is_told_as_such_and_names_no_folder(job, monkeypatch, capfd):
    def fails(*_, **__):
        raise KeyError(str(job.folder))

    monkeypatch.setattr("selfsharp.web.work.read_photo", fails)
    assert do(job, 1, lambda told: None) == Refused(
        500, "a.png met a fault of this program, not of the photo"
    )
    assert "KeyError" in capfd.readouterr().err


def test_too_little_memory_is_told_as_too_large_a_photo(job, monkeypatch):
    def fails(*_, **__) -> Photo:
        raise MemoryError

    monkeypatch.setattr("selfsharp.web.work.read_photo", fails)
    refused = do(job, 1, lambda told: None)
    assert isinstance(refused, Refused)
    assert (refused.status, "memory" in refused.detail) == (413, True)


def test_a_job_is_done_by_the_backend_and_the_effort_it_names(job, monkeypatch):
    seen = []

    def opened(*_, backend, quality):
        seen.append((backend, quality))
        raise ValueError("enough")

    monkeypatch.setattr("selfsharp.web.work.Restorer", opened)
    asked = replace(job, model="another", backend="openvino", quality="fast")
    assert isinstance(do(read_job(to_line(asked)), 1, lambda told: None), Refused)
    assert seen == [("openvino", "fast")]


def test_a_process_that_dies_is_replaced(job):
    async def dies() -> tuple[list, list]:
        worker = Worker(seconds=600.0, threads=1)
        (await worker.start()).kill()
        first = await told_of(worker, job)
        second = await told_of(worker, job)
        await worker.close()
        return first, second

    first, second = asyncio.run(dies())
    assert isinstance(first[-1], Refused)
    assert first[-1].status == 500
    assert isinstance(second[-1], Finished)


def test_jobs_are_done_in_their_turn(job):
    async def three() -> list:
        worker = Worker(seconds=600.0, threads=1)
        jobs = [replace(job, outputs=(output,)) for output in ("photo", "gate", "cells")]
        told = await asyncio.gather(*(told_of(worker, one) for one in jobs))
        assert worker.waiting == 0
        await worker.close()
        return told

    told = asyncio.run(three())
    first_waits = [next((one.ahead for one in each if isinstance(one, Waits)), 0) for each in told]
    assert first_waits == [0, 1, 2]
    assert all(isinstance(each[-1], Finished) for each in told)
