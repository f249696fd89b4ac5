"""The method on one screen: blur map, partition, physics, generator, blend."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from selfsharp.blur.estimate import SEARCHES, Estimate, Quality
from selfsharp.blur.fullest_window import fullest_window
from selfsharp.blur.psf import as_psf, blur_radius
from selfsharp.blur.sharpness import CELL
from selfsharp.image import AnyImage, Image, Plane
from selfsharp.model_folder import find_model, read_card
from selfsharp.raster_image import add_to, piece_of
from selfsharp.restore.blend import Alone, Blender, Progress, Refer, fade, nothing_added
from selfsharp.restore.checks import check_image, check_mask, check_psf, check_size, check_strength
from selfsharp.restore.decision import Decision, decide_found, decide_given
from selfsharp.restore.detect import Findings, find_blur, look_mirrored
from selfsharp.restore.fit import estimate_part
from selfsharp.restore.judgement import Judgement, judge, settle
from selfsharp.restore.matches import joined
from selfsharp.restore.memory import blank, blank_plane, give_back, is_tight
from selfsharp.restore.mirrored import Mirrored
from selfsharp.restore.partition import (
    Partition,
    map_of,
    marked,
    part_by_findings,
    told_alike,
    told_by,
)
from selfsharp.restore.reduced import Sized, decide_in_size, enlarged
from selfsharp.restore.reference import encode
from selfsharp.restore.restoration import Change, Maps, Restoration
from selfsharp.restore.runtime import USUAL, OpenedModel
from selfsharp.restore.tiles import LITTLE, Grid, parted
from selfsharp.restore.windows import Added, Weights, Window, around, plus

STEP, RAMP = 400, 16
"""Distance between tiles, and how far they fade into each other, in pixels."""
LEAST, ONE_PASS = 16, 1 << 24
"""What a distance between tiles is a multiple of, and one that has a photo be one tile."""


class Restorer:
    """Restores the blurred parts of images with a trained model.

    Args:
        model: name of a bundled model, or the path of a model folder.
        threads: threads to use; all cores when None.
        alone: the half of the method that is to restore without the other; both when None.
        refer: what finds references for a model that asks for them.
        backend: what runs the model's graphs; a file of `restore/backends/`.
        quality: how much effort goes into estimating a PSF; `fast` restores by the model's lighter
            generator, if it has one, and in 8 bits where backend and model allow it.
        step: distance between tiles in pixels, a multiple of 16; `ONE_PASS` is more than any photo
            has, and takes memory accordingly.

    Raises:
        ValueError: there is no such model, its files are not what its card says, there is no such
            backend, or threads or step are out of range.
    """

    def __init__(
        self,
        model: str | Path = "base",
        threads: int | None = None,
        alone: Alone | None = None,
        refer: Refer = encode,
        backend: str = USUAL,
        quality: Quality = "best",
        step: int = STEP,
    ) -> None:
        if threads is not None and threads < 1:
            raise ValueError(f"threads {threads} is out of range; give 1 or more")
        if step < LEAST or step % LEAST:
            raise ValueError(f"step {step} is no multiple of {LEAST}; give {STEP}, or ONE_PASS")
        self._threads = threads or os.cpu_count() or 1
        folder = find_model(model)
        self.card = read_card(folder)
        quick = quality == "fast"
        self._model = OpenedModel(folder, self.card, self._threads, backend, quick=quick)
        self._quality: Quality = quality
        self._alone: Alone | None = alone
        self._find_references = refer
        # Without a halo: generators differ in theirs.
        self._grid = Grid(step, RAMP, halo=0, multiple=self.card.multiple)

    @property
    def undoes(self) -> bool:
        """Whether PSFs are of any use."""
        uses_psfs = bool({"proposals", "references"} & set(self._model.takes))
        return (uses_psfs and self._alone != "network") or self._alone == "deconvolution"

    @property
    def refers(self) -> bool:
        """Whether the model asks what the photo's sharp part tells of its blurred part."""
        return "references" in self._model.takes

    def find_blur(self, image: Image) -> Findings:
        """What there is to be seen of an image's blur: all that `map` shows, meant or not."""
        check_image(image)
        return self._with_context(image, self._found(image))

    def _with_context(self, image: Image, found: Findings) -> Findings:
        """What the detector sees, and what a person would call blurred, where the model tells."""
        if (context := self._model.context) is None:
            return found
        asked = (image, context, self.card.context_multiple, self._threads)
        apparent = find_blur(*asked)
        if self._quality == "best" and apparent.seen is not None:
            apparent = look_mirrored(apparent, *asked)
        give_back()
        return replace(apparent, probability=found.probability)

    def _found(self, image: AnyImage, mask: Weights | None = None) -> Findings:
        """What the detector sees; no more than the pieces in which a mask has anything."""
        multiple = self.card.detector_multiple
        found = find_blur(image, self._model.detector, multiple, self._threads, mask)
        give_back()
        return found

    def map_blur(self, image: Image) -> tuple[Plane, Partition]:
        """Blur radius in pixels of all that is blurred, 0 where sharp; and what may be restored."""
        check_image(image)
        seen = self._with_context(image, found := self._found(image))
        return map_of(seen, *image.shape[:2]), self._parted(found, image)

    def find_parts(self, image: AnyImage, mask: Plane | None = None) -> Partition:
        """The blurred and the reference part of an image, by the detector or by a mask."""
        check_mask(mask, image)
        if mask is None:
            return self._parted(self._found(image), image)
        return self._looked_at(image, marked(mask))

    def _looked_at(self, image: AnyImage, given: Partition) -> Partition:
        """What a user marks, with what the detector sees of all of it."""
        return told_by(self._found(image, given.gate), given)

    def _parted(self, found: Findings, image: AnyImage) -> Partition:
        return part_by_findings(
            found,
            *image.shape[:2],
            threshold=self.card.threshold,
            certain=self.card.certain,
            least_radius=self.card.least_radius,
        )

    def decide(self, image: AnyImage, mask: Plane | None = None) -> Decision:
        """What of an image is to be restored, and how.

        Where two blurs were found side by side it is the heavier alone, or what a program's filter
        has blurred, if that is beyond doubt; else all that is blurred. What a user marks is
        restored as it is marked.

        Raises:
            ValueError: image or mask has the wrong shape, type or range.
        """
        check_mask(mask, image)
        return self._decide(image, None if mask is None else marked(mask))

    def decide_in_size(self, image: AnyImage, mask: Plane | None = None) -> Sized:
        """What :meth:`restore` does with an image: what :meth:`decide` says, or says at less size.

        Raises:
            ValueError: as there.
        """
        check_mask(mask, image)
        return self._decide_in_size(image, None if mask is None else marked(mask))

    def _decide_in_size(self, image: AnyImage, given: Partition | None) -> Sized:
        """The same, of what a user marks or of what is found."""
        if self.undoes:
            return decide_in_size(image, given, self._decide)
        return Sized((image,), self._decide(image, given))

    def _decide(self, image: AnyImage, given: Partition | None) -> Decision:
        """What to do with what a user marks, or, without that, with what is found."""
        if given is not None:
            if self.undoes:
                side = SEARCHES[self._quality].window
                return decide_given(image, given, self._found, self.judge, side)
            parts = self._looked_at(image, given)
            return Decision(parts, parts, self.judge(image, parts))
        found = self._found(image)
        blurred = self._parted(found, image)
        give_back()
        if not blurred.gate.any():
            return Decision(blurred, blurred, Judgement(0.0))
        return decide_found(image, found, blurred, self.judge, physics=self.undoes)

    def _decide_as_told(
        self, image: AnyImage, given: Partition | None, told: Judgement
    ) -> Decision:
        """What somebody says is to be done with what a user marks, or with what is found."""
        if given is None:
            parts = self.find_parts(image)
        elif told.estimate:
            parts = told_alike(given, blur_radius(told.estimate.psf))
        else:
            parts = self._looked_at(image, given)
        return Decision(parts, parts, told)

    def estimate(self, image: AnyImage, parts: Partition) -> Estimate | None:
        """The PSF of a blurred part, good enough to be undone or not; None for too small a part."""
        return estimate_part(image, parts, self._threads, self._model.learnt, self._quality)

    def judge(self, image: AnyImage, parts: Partition, within: Window | None = None) -> Judgement:
        """What is to be done with the blurred part, before anything is restored."""
        return judge(
            image,
            parts,
            physics=self.undoes,
            threads=self._threads,
            learnt=self._model.learnt,
            quality=self._quality,
            within=within,
        )

    def restore(
        self,
        image: Image,
        mask: Plane | None = None,
        strength: float = 1.0,
        progress: Progress | None = None,
        psf: np.ndarray | None = None,
    ) -> Restoration:
        """Sharpens the blurred part of an image; the rest stays bit for bit as it was.

        Args:
            image: RGB float32 in 0..1, sRGB as displayed, shape (height, width, 3).
            mask: 1 where blurred, 0 where sharp, shape (height, width); found when None.
            strength: 0 leaves the image as it is, 1 restores fully.
            progress: is called with (tiles done, tiles to do).
            psf: how the blurred part is blurred, for those who know: non-negative weights of
                any scale, shape (rows, columns), both odd. It is undone without a check;
                estimated when None.

        Raises:
            ValueError: an argument has the wrong shape, type or range, or the model has no use
                for a PSF.
        """
        check_mask(mask, image)
        given = None if mask is None else marked(mask)
        change = self.change(image, given, strength, progress, psf)
        added, maps = change.added, change.maps.precise
        result = image if added is None else plus(image, added, change.window)
        return Restoration(result, maps.blur_map, maps.gate, maps.psf, maps.references)

    def change(
        self,
        image: AnyImage,
        given: Partition | None = None,
        strength: float = 1.0,
        progress: Progress | None = None,
        psf: np.ndarray | None = None,
    ) -> Change:
        """What :meth:`restore` changes of an image, which may be one made of samples.

        Args:
            given: what a user has :func:`marked`; found when None.

        Raises:
            ValueError: as there.
        """
        check_strength(strength)
        check_size(None if given is None else given.gate, image)
        told = None if psf is None else self._as_told(psf, image)
        if strength == 0:
            told = Judgement(0.0)
        if told:
            sized = Sized((image,), self._decide_as_told(image, given, told))
        else:
            sized = self._decide_in_size(image, given)
        allowed = given.gate if given and len(sized.images) > 1 else None
        del given
        # At half its size, too, a large photo lies in memory beside what is done there.
        tight, images, decided = is_tight(image.size), sized.images, [sized.decided]
        del sized  # What is decided is handed over, to go when it is of no more use.
        change = self._carry_out(images[-1], decided.pop(), strength, progress, tight=tight)
        return enlarged(change, images, allowed)

    def _carry_out(
        self,
        image: AnyImage,
        decided: Decision,
        strength: float,
        progress: Progress | None,
        *,
        tight: bool,
    ) -> Change:
        """What is changed of an image by what is to be done with it."""
        radius, parts, judged = decided.blurred.radius, decided.parts, decided.judged
        height, width = image.shape[:2]
        if judged.unevenness is None:  # Nor is there a second look, which alone asks for the core.
            parts = replace(parts, core=blank(height, width, np.bool_))
        del decided
        give_back()
        gate = blank_plane(height, width)
        if judged.trust == 0 or not parts.gate.any():
            if progress:
                progress(0, 0)
            return Change(Maps(radius, gate))
        known = self.undoes and judged.estimate is not None
        generator = self._model.generator if known else self._model.unguided
        grid, work = parted(parts.gate, self._grid, generator.halo)
        if not known and self._quality == "best" and len(work) <= LITTLE:
            generator = Mirrored(generator)
        if progress:
            progress(0, len(work))
        within = around([tile.kept for tile in work])
        added = nothing_added(within, precise=not tight)
        blender = Blender(
            generator,
            grid,
            self._threads,
            self.card.least_change,
            self._find_references,
            self.undoes,
            self._alone,
            tight,
        )
        matched = blender.blend(image, parts, judged, work, (added, within, gate), progress)
        psf, trust = judged.estimate.psf if judged.estimate else None, judged.trust
        if judged.unevenness is not None:
            trust = settle(judged, parts, self._radius_left(image, added, within, parts))
        gate[within] *= np.float32(trust)
        if not gate[within].any():
            return Change(Maps(radius, gate))
        fade(added, trust * strength)
        return Change(Maps(radius, gate, psf, joined(matched)), added, within)

    def _radius_left(
        self, image: AnyImage, added: Added, within: Window, parts: Partition
    ) -> float:
        """Mean blur radius that the detector still sees in the core, in pixels."""
        window = fullest_window(parts.core)
        seen = piece_of(image, window)
        add_to(seen, (window[0].start, window[1].start), added, within)
        core = parts.core[window][::CELL, ::CELL]
        return float(self._found(seen).radius[core].mean())

    def _as_told(self, psf: np.ndarray, image: AnyImage) -> Judgement:
        """What somebody says who knows the PSF: undo that one, and in full."""
        if not self.undoes:
            raise ValueError(f"model {self.card.name} has no use for a psf; give none")
        known = as_psf(psf)
        check_psf(known, image)
        return Judgement(1.0, Estimate(known, (known, known), 1.0))
