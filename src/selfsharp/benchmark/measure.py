"""Measures rows on scenes: every figure of a report comes from here."""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from selfsharp.benchmark.keep import Keep, as_in_file
from selfsharp.benchmark.process import stop_processes
from selfsharp.benchmark.row import Row, RowError, Truth
from selfsharp.benchmark.sheet import Strip, cut_strip, square_around
from selfsharp.config import BenchmarkSettings
from selfsharp.datasets import find_photos
from selfsharp.image import Image, read_photo
from selfsharp.picture import busiest_window

ProgressBar = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]
Figures = dict[str, float]
Done = TypeVar("Done")


@dataclass(frozen=True)
class Scene:
    """One photo as every row gets it, and what is known of it.

    Attributes:
        photo: name of the photo.
        image: what is to be restored.
        sharp: what it would be without blur; None if nobody knows.
        truth: where and how it is blurred; None if nobody knows.
        cell: what it is counted with: the table's name.
    """

    photo: str
    image: Image
    sharp: Image | None = None
    truth: Truth | None = None
    cell: str = ""


@dataclass(frozen=True)
class Record:
    """What was measured of one row on one scene.

    Attributes:
        figures: by name; the same for the same seed, to the last digit.
        seconds: from the image given to the image taken.
        megapixels: size of the photo.
        error: why there is no image; empty if there is one.
        kept: whether an earlier run had made it, and taken those seconds.
    """

    cell: str
    photo: str
    row: str
    figures: Figures
    seconds: float
    megapixels: float
    error: str = ""
    kept: bool = False


@dataclass(frozen=True)
class Caption:
    """The figure that pictures tell: its name, and its form in Python's format language."""

    key: str = ""
    form: str = "+z.2f"


Score = Callable[[Scene, Image], Figures]
"""What a suite measures of an image that a row gives back."""


@dataclass
class Bench:
    """What a suite works with: settings, rows and photos; it gathers records and pictures.

    Attributes:
        captioned: the figure in dB that pictures tell; none if its key is empty.
    """

    settings: BenchmarkSettings
    rows: Sequence[Row]
    progress: ProgressBar
    captioned: Caption = Caption()
    records: list[Record] = field(default_factory=list)
    strips: list[Strip] = field(default_factory=list)
    _given_up: dict[str, str] = field(default_factory=dict)
    _stopped: bool = False

    @property
    def measured(self) -> set[str]:
        """Names of the photos that were measured."""
        return {record.photo for record in self.records}

    @cached_property
    def folder(self) -> Path:
        """The folder of pictures.

        Raises:
            ValueError: none was named.
        """
        if self.settings.pictures is None:
            raise ValueError("no pictures given; name a folder with --pictures DIR")
        return self.settings.pictures

    @cached_property
    def keep(self) -> Keep | None:
        """Where restored pictures are kept; None if they are not."""
        return Keep(self.settings.keep, self.settings.threads) if self.settings.keep else None

    def photos(self) -> dict[str, Path]:
        """The photos to measure on, by name, in its order: as many as `--limit` says.

        Raises:
            ValueError: the folder is missing, or holds no photo.
        """
        paths = find_photos(self.folder)[: self.settings.limit]
        names = [path.relative_to(self.folder).with_suffix("").as_posix() for path in paths]
        if len(set(names)) < len(names):
            names = [path.relative_to(self.folder).as_posix() for path in paths]
        return dict(zip(names, paths, strict=True))

    def read(self, path: Path) -> Image:
        """The image of a photo, or its middle as large as `--crop` says."""
        return self.cropped(read_photo(path).image)

    def cropped(self, picture: np.ndarray) -> np.ndarray:
        """The middle of an image or plane as large as `--crop` says."""
        side = self.settings.crop
        if side is None:
            return picture
        top, left = (max(0, (length - side) // 2) for length in picture.shape[:2])
        return picture[top : top + side, left : left + side].copy()

    def measure(self, scenes: Sequence[Callable[[], Scene]], score: Score) -> None:
        """Has every row restore every scene, and keeps what the score says of it.

        Args:
            scenes: make the scenes, so that few of them are held at a time.
        """
        tasks = [partial(self._measure_scene, make, score) for make in scenes]
        for records, strip in self.work(tasks):
            self.records += records
            self.strips.append(strip)

    def work(self, tasks: Sequence[Callable[[], Done]]) -> list[Done]:
        """Does the tasks, so many at a time as `--jobs` says; what they return, in their order."""
        jobs = self.settings.jobs or os.cpu_count() or 1
        done: list[Done] = []
        with (
            self.progress(self.settings.suite) as advance,
            ThreadPoolExecutor(max_workers=jobs) as pool,
        ):
            waiting = [pool.submit(task) for task in tasks]
            try:
                for task in waiting:
                    advance(len(done), len(tasks))
                    done.append(task.result())
            except BaseException:
                self._stopped = True
                pool.shutdown(wait=False, cancel_futures=True)
                stop_processes()
                raise
        return done

    def _measure_scene(self, make: Callable[[], Scene], score: Score) -> tuple[list[Record], Strip]:
        """What every row makes of one scene."""
        scene = make()
        records, panels = [], {"input": scene.image}
        changed = scene.image
        for row in self.rows:
            if self._stopped:
                raise CancelledError
            if not row.can_do_with(scene.truth):
                continue
            record, image = self._measure_row(row, scene, score)
            records.append(record)
            if image is not None and not np.array_equal(image, scene.image):
                panels[self._caption(row, record)] = image
                changed = image
        if scene.sharp is not None and scene.sharp is not scene.image:
            panels["sharp"] = changed = scene.sharp
        window = square_around(busiest_window(scene.image, changed), scene.image)
        return records, cut_strip(scene.cell, scene.photo, scene.image, window, panels)

    def _measure_row(self, row: Row, scene: Scene, score: Score) -> tuple[Record, Image | None]:
        """What one row makes of one scene; no image when it failed."""
        megapixels = scene.image.shape[0] * scene.image.shape[1] / 1e6
        kept = self.keep.find(row, scene.image, scene.truth) if self.keep else None
        if kept:
            image, seconds = kept
            figures = score(scene, image)
            place = scene.cell, scene.photo, row.name
            return Record(*place, figures, seconds, megapixels, kept=True), image
        figures, error, image = {}, "", None
        start = time.perf_counter()
        try:
            if row.name in self._given_up:
                raise RowError(self._given_up[row.name])
            image = row.restore(scene.image, scene.truth)
        except RowError as failure:
            error = str(failure)
            if failure.for_good:
                self._given_up[row.name] = error
        seconds = time.perf_counter() - start
        if image is not None:
            image = as_in_file(image)
            figures = score(scene, image)
            if self.keep:
                self.keep.add(row, scene.image, scene.truth, image, seconds)
        record = Record(scene.cell, scene.photo, row.name, figures, seconds, megapixels, error)
        return record, image

    def _caption(self, row: Row, record: Record) -> str:
        """What a picture tells: the row, and one figure of it."""
        oracle = " (oracle)" if row.told == "blur" else ""
        if self.captioned.key not in record.figures:
            return row.name + oracle
        figure = format(record.figures[self.captioned.key], self.captioned.form)
        return f"{row.name}{oracle}: {figure} dB"
