"""The method on one screen: blur map, partition, physics, generator, blend."""

import os
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import Literal

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.estimate import Estimate, Quality
from selfsharp.blur.kinds import gaussian
from selfsharp.blur.psf import Psf, as_psf
from selfsharp.blur.sharpness import CELL
from selfsharp.image import Image, Plane
from selfsharp.model_folder import find_model, read_card
from selfsharp.restore.checks import check_image, check_mask, check_psf, check_strength
from selfsharp.restore.decision import Decision, decide_found
from selfsharp.restore.detect import Findings, find_blur, look_mirrored
from selfsharp.restore.fit import estimate_part, fullest_window
from selfsharp.restore.judgement import Judgement, is_filtered, judge, settle
from selfsharp.restore.matches import Matches, find_in, joined, told_of
from selfsharp.restore.memory import give_back
from selfsharp.restore.partition import Partition, map_of, part_by_findings, part_by_mask, worth
from selfsharp.restore.proposal import Proposals, middle, undo_block
from selfsharp.restore.reference import References, encode
from selfsharp.restore.restoration import Restoration
from selfsharp.restore.runtime import USUAL, OpenedModel
from selfsharp.restore.side_by_side import side_by_side
from selfsharp.restore.tiles import Grid, Residual, Tile, in_blocks, padded, work_list
from selfsharp.restore.windows import Piece, Window, around, counted_from, pasted

Progress = Callable[[int, int], None]
"""Is told how many tiles are done, and of how many."""
Alone = Literal["deconvolution", "network"]
"""Half of the method, to be measured: the mean of the proposals, or the generator without them."""
Refer = Callable[[Image, Plane, Psf, tuple[Psf, Psf] | None], References | None]
"""What tells, of an image, its gate and its PSF, what is like the blurred part."""
Finished = tuple[Tile, Float32[np.ndarray, "_ _ 3"], Float32[np.ndarray, "_ _"], Matches | None]
"""A tile, what to add to what is kept of it, how much of that, and what it was told of."""
ROUND_SHARE = np.float32(0.5)
"""Share of the proposals themselves where a program's filter has blurred: one number tells its PSF,
and exactly, which a generator that mends the errors of others cannot know. In 20 held-out photos
fully and partly blurred by a Gaussian it gains .10 and .19 dB, mask given."""


class Restorer:
    """Restores the blurred parts of images with a trained model.

    Args:
        model: name of a bundled model, or the path of a model folder.
        threads: threads to use; all cores when None.
        alone: the half of the method that is to restore without the other; both when None.
        refer: what finds references for a model that asks for them.
        backend: what runs the model's graphs; a file of `restore/backends/`.
        quality: how much effort goes into estimating a PSF; `fast` has the generator compute in 8
            bits as well, where backend and model allow it.

    Raises:
        ValueError: there is no such model, its files are not what its card says, or there is no
            such backend.
    """

    def __init__(
        self,
        model: str | Path = "base",
        threads: int | None = None,
        alone: Alone | None = None,
        refer: Refer = encode,
        backend: str = USUAL,
        quality: Quality = "best",
    ) -> None:
        if threads is not None and threads < 1:
            raise ValueError(f"threads {threads} is out of range; give 1 or more")
        self._threads = threads or os.cpu_count() or 1
        folder = find_model(model)
        self.card = read_card(folder)
        rounded = quality == "fast"
        self._model = OpenedModel(folder, self.card, self._threads, backend, rounded=rounded)
        self._quality: Quality = quality
        self._alone = alone
        self._find_references = refer
        self._grid = Grid(step=400, ramp=16, halo=self.card.halo, multiple=self.card.multiple)

    @property
    def _undoes(self) -> bool:
        """Whether PSFs are of any use."""
        uses_psfs = bool({"proposals", "references"} & set(self._model.generator.inputs))
        return (uses_psfs and self._alone != "network") or self._alone == "deconvolution"

    @property
    def refers(self) -> bool:
        """Whether the model asks what the photo's sharp part tells of its blurred part."""
        return "references" in self._model.generator.inputs

    def find_blur(self, image: Image) -> Findings:
        """What there is to be seen of an image's blur: all that `map` shows, meant or not."""
        check_image(image)
        context = self._model.context
        if context is None:
            return self._found(image)
        asked = (image, context, self.card.context_multiple, self._threads)
        found = find_blur(*asked)
        if self._quality == "best" and found.seen is not None:
            found = look_mirrored(found, *asked)
        give_back()
        return found

    def _found(self, image: Image, mask: Plane | None = None) -> Findings:
        """What the detector sees; no more than the pieces in which a mask has anything."""
        multiple = self.card.detector_multiple
        found = find_blur(image, self._model.detector, multiple, self._threads, mask)
        give_back()
        return found

    def map_blur(self, image: Image) -> tuple[Plane, Partition]:
        """Blur radius in pixels of all that is blurred, 0 where sharp; and what may be restored."""
        found = self.find_blur(image)
        return map_of(found, *image.shape[:2]), self._parted(found, image)

    def find_parts(self, image: Image, mask: Plane | None = None) -> Partition:
        """The blurred and the reference part of an image, by the detector or by a mask."""
        return self._look(image, mask)[1]

    def _look(self, image: Image, mask: Plane | None) -> tuple[Findings, Partition]:
        """What the detector sees, and the partition that it, or else the mask, suggests."""
        check_mask(mask, image)
        if mask is not None:
            found = self._found(image, mask)
            return found, part_by_mask(found, mask)
        found = self._found(image)
        return found, self._parted(found, image)

    def _parted(self, found: Findings, image: Image) -> Partition:
        return part_by_findings(
            found,
            image.shape[0],
            image.shape[1],
            threshold=self.card.threshold,
            certain=self.card.certain,
            least_radius=self.card.least_radius,
        )

    def decide(self, image: Image, mask: Plane | None = None) -> Decision:
        """What of an image is to be restored, and how.

        Where two blurs were found side by side it is the heavier alone, or what a program's filter
        has blurred, if that is beyond doubt; else all that is blurred. What a user marks is
        restored as it is marked.

        Raises:
            ValueError: image or mask has the wrong shape, type or range.
        """
        found, blurred = self._look(image, mask)
        give_back()
        if not blurred.gate.any():
            return Decision(blurred, blurred, Judgement(0.0))
        if mask is not None:
            return Decision(blurred, blurred, self.judge(image, blurred))
        return decide_found(image, found, blurred, self.judge, physics=self._undoes)

    def estimate(self, image: Image, parts: Partition) -> Estimate | None:
        """The PSF of a blurred part, good enough to be undone or not; None for too small a part."""
        return estimate_part(image, parts, self._threads, self._model.learnt, self._quality)

    def judge(self, image: Image, parts: Partition) -> Judgement:
        """What is to be done with the blurred part, before anything is restored."""
        return judge(
            image,
            parts,
            physics=self._undoes,
            threads=self._threads,
            learnt=self._model.learnt,
            quality=self._quality,
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
        check_strength(strength)
        told = None if psf is None else self._as_told(psf, image)
        if told or strength == 0:
            parts = blurred = self.find_parts(image, mask)
            judged = told if told and strength > 0 else Judgement(0.0)
        else:
            decided = self.decide(image, mask)
            blurred, parts, judged = decided.blurred, decided.parts, decided.judged
            del decided
        del mask  # The parts say it; its memory is free now, unless a caller keeps it.
        give_back()
        work = work_list(parts.gate, self._grid) if judged.trust > 0 else []
        if progress:
            progress(0, len(work))
        if not work:
            return Restoration(image, blurred.radius, np.zeros_like(parts.gate))
        # Of the rest of a photo there need be no copy until nothing else takes memory.
        within = around([tile.kept for tile in work])
        restored, gate = image[within].copy(), np.zeros_like(parts.gate)
        matched = self._blend(image, parts, judged, work, (restored, within, gate), progress)
        psf = judged.estimate.psf if judged.estimate else None
        trust = judged.trust
        if judged.unevenness is not None:
            trust = settle(judged, parts, self._radius_left(pasted(image, restored, within), parts))
        gate *= np.float32(trust)
        if not gate.any():
            return Restoration(image, blurred.radius, gate)
        # What equals the image stays so: its difference is 0.
        restored -= image[within]
        restored *= np.float32(trust * strength)
        restored += image[within]
        blur_map = blurred.radius
        del blurred, parts  # Two copies of the image are about to be held.
        give_back()
        result = pasted(image, restored, within)
        return Restoration(result, blur_map, gate, psf, joined(matched))

    def _blend(
        self,
        image: Image,
        parts: Partition,
        judged: Judgement,
        work: list[Tile],
        result: tuple[Piece, Window, Plane],
        progress: Progress | None,
    ) -> list[Matches]:
        """Restores tile after tile, and tells what they referred to.

        Args:
            work: the tiles that there are to be restored.
            result: what of the image is to be restored, as it is; where it lies; and a gate that
                is closed. The first and the last are filled.
        """
        (restored, within, gate), blocks = result, in_blocks(work, self._grid)
        # What physics proposes, where that is of use.
        estimate = judged.estimate if self._undoes else None
        references = self._refer(image, parts, judged.estimate)
        matched: list[Matches] = []

        def finish_block(block: list[Tile]) -> list[Finished]:
            # One at a time, by all threads: spectra of a block take more memory than all else.
            with turn:
                proposed = list(undo_block(image, parts, block, estimate, self._threads))
                give_back()
            return [finish_tile(*one) for one in zip(block, proposed, strict=True)]

        def finish_tile(tile: Tile, proposals: Proposals) -> Finished:
            matches = find_in(tile, parts.gate, proposals, references)
            told = told_of(tile, references, matches)
            residual = self._residual(image, parts, tile, judged, proposals, told)
            opened = parts.gate[tile.kept] * worth(residual, self.card.least_change)[tile.inner]
            return tile, residual[tile.inner], tile.weight * opened, matches

        turn = Lock()
        finished = chain.from_iterable(side_by_side(finish_block, blocks, self._threads))
        for done, (tile, residual, share, matches) in enumerate(finished, start=1):
            gate[tile.kept] += share
            matched += [matches] if matches else []
            changed = restored[counted_from(tile.kept, within)]
            changed += share[:, :, None] * residual
            # A pixel's last tile clips it for good; 0 and 1 bound the input already.
            np.clip(changed, 0, 1, out=changed)
            if progress:
                progress(done, len(work))
        return matched

    def _radius_left(self, restored: Image, parts: Partition) -> float:
        """Mean blur radius that the detector still sees in the core, in pixels."""
        window = fullest_window(parts.core)
        found = self._found(restored[window])
        core = parts.core[window][::CELL, ::CELL]
        return float(found.radius[core].mean())

    def _as_told(self, psf: np.ndarray, image: Image) -> Judgement:
        """What somebody says who knows the PSF: undo that one, and in full."""
        if not self._undoes:
            raise ValueError(f"model {self.card.name} has no use for a psf; give none")
        known = as_psf(psf)
        check_psf(known, image)
        return Judgement(1.0, Estimate(known, (known, known), 1.0))

    def _refer(
        self, image: Image, parts: Partition, estimate: Estimate | None
    ) -> References | None:
        """The reference part, encoded, where the model asks for it."""
        if not self.refers:
            return None
        # Where no PSF is known, a Gaussian of the same radius is closest to all that it may be.
        radius = float(parts.radius[parts.gate > 0].mean())
        psf = estimate.psf if estimate else gaussian.psf(radius, np.random.default_rng(0))
        both = estimate.both if estimate else None
        return self._find_references(image, parts.gate, psf, both)

    def _residual(
        self,
        image: Image,
        parts: Partition,
        tile: Tile,
        judged: Judgement,
        proposals: Proposals,
        told: np.ndarray,
    ) -> Residual:
        """What is to be added to all that a tile sees."""
        seen, takes = image[tile.seen], self._model.generator.inputs
        mean = middle(proposals) - seen
        if self._alone == "deconvolution":
            return mean
        known = {
            "image": lambda: seen,
            "blur": lambda: np.stack([parts.gate[tile.seen], parts.radius[tile.seen]], axis=2),
            "proposals": lambda: proposals,
            "references": lambda: told,
        }
        inputs = [padded(known[name](), self._grid.multiple) for name in takes]
        height, width = tile.seen_size
        residual = self._model.generator(*inputs).transpose(1, 2, 0)[:height, :width]
        if self._undoes and is_filtered(judged):
            residual = (1 - ROUND_SHARE) * residual + ROUND_SHARE * mean
        return residual
