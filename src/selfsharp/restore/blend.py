"""Blends what a generator makes of the tiles of a blurred part into an image."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from threading import Lock
from typing import Literal

import numpy as np
from jaxtyping import Float32

from selfsharp.blur.estimate import Estimate
from selfsharp.blur.kinds import gaussian
from selfsharp.blur.psf import Psf
from selfsharp.image import AnyImage, Image, Plane
from selfsharp.raster import blocks_of
from selfsharp.restore.explained import explain
from selfsharp.restore.judgement import Judgement, is_filtered
from selfsharp.restore.matches import Matches, find_in, told_of
from selfsharp.restore.memory import blank, give_back
from selfsharp.restore.mirrored import Mirrored
from selfsharp.restore.partition import Partition, worth
from selfsharp.restore.proposal import Proposals, middle, undo_block
from selfsharp.restore.reference import References
from selfsharp.restore.runtime import Graph
from selfsharp.restore.side_by_side import side_by_side
from selfsharp.restore.tiles import Grid, Residual, Tile, in_blocks, padded
from selfsharp.restore.windows import Added, Weights, Window, counted_from

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


@dataclass(frozen=True)
class Blender:
    """Restores a blurred part tile by tile.

    Attributes:
        generator: the graph that answers for a tile, with a PSF or without.
        grid: how the photo is parted into tiles.
        threads: threads to use.
        least_change: mean residual under which a change is not worth its pixels.
        refer: what finds references for a generator that asks for them.
        undoes: whether PSFs are undone.
        alone: the half of the method that restores without the other; both when None.
        tight: whether memory counts more than time.
    """

    generator: Graph | Mirrored
    grid: Grid
    threads: int
    least_change: float
    refer: Refer
    undoes: bool
    alone: Alone | None = None
    tight: bool = False

    def blend(
        self,
        image: AnyImage,
        parts: Partition,
        judged: Judgement,
        work: list[Tile],
        result: tuple[Added, Window, Weights],
        progress: Progress | None,
    ) -> list[Matches]:
        """Restores tile after tile, and tells what they referred to.

        Args:
            work: the tiles that there are to be restored.
            result: what is added to the image, nothing so far; where; and a gate that is closed.
                The first and the last are filled.
        """
        (added, within, gate), blocks = result, in_blocks(work, self.grid)
        # What physics proposes, where that is of use.
        estimate = judged.estimate.bare if self.undoes and judged.estimate else None
        references = self._referred(image, parts, judged.estimate)
        matched: list[Matches] = []

        def finish_block(block: list[Tile]) -> list[Finished]:
            # One at a time, by all threads: spectra of a block take more memory than all else.
            with turn:
                proposed = list(undo_block(image, parts, block, estimate, self.threads))
                if self.tight:
                    give_back()
            return [finish_tile(*one) for one in zip(block, proposed, strict=True)]

        def finish_tile(tile: Tile, proposals: Proposals) -> Finished:
            matches = find_in(tile, parts.gate_in(tile.seen), proposals, references)
            told = told_of(tile, references, matches)
            residual = self._residual(image, parts, tile, judged, proposals, told)
            opened = parts.gate_in(tile.kept) * worth(residual, self.least_change)[tile.inner]
            return tile, residual[tile.inner], tile.weight * opened, matches

        turn = Lock()
        # The threads undo and answer together, too.
        at_a_time = 1 if self.tight else self.threads
        finished = chain.from_iterable(side_by_side(finish_block, blocks, at_a_time))
        for done, (tile, residual, share, matches) in enumerate(finished, start=1):
            gate[tile.kept] += share
            matched += [matches] if matches else []
            change = added[counted_from(tile.kept, within)]
            change += share[:, :, None] * residual
            # A pixel's last tile bounds it for good.
            before = image[tile.kept]
            np.clip(change, -before, 1 - before, out=change)
            if progress:
                progress(done, len(work))
        if estimate and self.alone is None:
            explain(image, parts, estimate, blocks, result, at_a_time, tight=self.tight)
        return matched

    def _referred(
        self, image: AnyImage, parts: Partition, estimate: Estimate | None
    ) -> References | None:
        """The reference part, encoded, where the model asks for it."""
        if "references" not in self.generator.inputs:
            return None
        # Where no PSF is known, a Gaussian of the same radius is closest to all that it may be.
        radius = float(parts.radius[parts.gate > 0].mean())
        psf = estimate.psf if estimate else gaussian.psf(radius, np.random.default_rng(0))
        both = estimate.both if estimate else None
        return self.refer(np.asarray(image), parts.gate.astype(np.float32, copy=False), psf, both)

    def _residual(
        self,
        image: AnyImage,
        parts: Partition,
        tile: Tile,
        judged: Judgement,
        proposals: Proposals,
        told: np.ndarray,
    ) -> Residual:
        """What is to be added to all that a tile sees."""
        seen, takes = image[tile.seen], self.generator.inputs
        if self.alone == "deconvolution":
            return middle(proposals) - seen
        known = {
            "image": lambda: seen,
            # As a large photo keeps it, so that a small one is restored alike.
            "blur": lambda: np.stack(
                [parts.gate_in(tile.seen), parts.radius[tile.seen].astype(np.float16)],
                axis=2,
                dtype=np.float32,
            ),
            "proposals": lambda: proposals,
            "references": lambda: told,
        }
        inputs = [padded(known[name](), self.grid.multiple) for name in takes]
        height, width = tile.seen_size
        residual = self.generator(*inputs).transpose(1, 2, 0)[:height, :width]
        if self.undoes and is_filtered(judged):
            residual = (1 - ROUND_SHARE) * residual + ROUND_SHARE * (middle(proposals) - seen)
        return residual


def nothing_added(within: Window, *, precise: bool) -> Added:
    """What is added to an image in a window at first; in half precision unless it is `precise`."""
    rows, columns = (side.stop - side.start for side in within)
    kind = np.float32 if precise else np.float16
    return blank(rows, 3 * columns, kind).reshape(rows, columns, 3)


def fade(added: Added, share: float) -> None:
    """Leaves a share of what is added; 0 is nothing, 1 all of it."""
    if share != 1:
        for rows in blocks_of(*added.shape[:2]):
            added[rows] *= np.float32(share)
