"""A PSF that differs from place to place: one for each crossing of a grid, blended between them.

Each is undone over all that it has a share in, and the results are blended, so that the answer
has no seams. After J. G. Nagy and D. P. O'Leary, Restoring images degraded by spatially variant
blur, SIAM J. Sci. Comput. 1998, doi:10.1137/S106482759528507X.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from selfsharp.blur.psf import Psf
from selfsharp.image import Plane

Pixels = Float32[np.ndarray, "height width *channels"]
Undo = Callable[[Pixels, Plane, Psf], np.ndarray]
"""What undoes a PSF in an image and its mask."""


@dataclass(frozen=True)
class PsfField:
    """PSFs at the crossings of a grid.

    Attributes:
        rows: where the grid's rows lie in the image, in pixels, ascending.
        columns: where its columns do.
        psfs: a row of PSFs for each of the rows, all of one size.
    """

    rows: tuple[float, ...]
    columns: tuple[float, ...]
    psfs: tuple[tuple[Psf, ...], ...]

    def undone(
        self, image: Pixels, mask: Plane, corner: tuple[int, int], reach: int, undo: Undo
    ) -> Float32[np.ndarray, "height width *answered"]:
        """What undoing the field makes of a window of the image.

        Args:
            image: the window.
            mask: 1 where that is blurred.
            corner: the window's first row and column in the image.
            reach: pixels around what a PSF has a share in that it is undone with.
            undo: undoes one PSF; may answer with more channels than it is given.
        """
        total: np.ndarray | None = None
        for psf, rows, columns, shares in self._pieces(mask.shape, corner, reach):
            piece = undo(image[rows, columns], mask[rows, columns], psf)
            if total is None:
                total = np.zeros((*mask.shape, *piece.shape[2:]), np.float32)
            total[rows, columns] += shares.reshape(*shares.shape, *[1] * (piece.ndim - 2)) * piece
        assert total is not None
        return total

    def _pieces(
        self, shape: tuple[int, ...], corner: tuple[int, int], reach: int
    ) -> Iterator[tuple[Psf, slice, slice, Plane]]:
        """Of each PSF with a share in a window: the part it is undone in, and its shares there."""
        down, across = (
            _shares(places, start, length)
            for places, start, length in zip(
                (self.rows, self.columns), corner, shape[:2], strict=True
            )
        )
        for row, of_rows in enumerate(down):
            for column, of_columns in enumerate(across):
                if of_rows.any() and of_columns.any():
                    rows, columns = _around(of_rows, reach), _around(of_columns, reach)
                    shares = np.outer(of_rows[rows], of_columns[columns])
                    yield self.psfs[row][column], rows, columns, shares.astype(np.float32)


def _shares(
    places: tuple[float, ...], start: int, length: int
) -> Float[np.ndarray, "places length"]:
    """How much each place of a grid counts at pixels from `start` on: 1 there, 0 at the next."""
    here = np.arange(start, start + length)
    return np.stack([np.interp(here, places, row) for row in np.eye(len(places))])


def _around(shares: Float[np.ndarray, " length"], reach: int) -> slice:
    """Where shares are over 0, and `reach` pixels more on either side."""
    inside = np.flatnonzero(shares)
    return slice(max(0, int(inside[0]) - reach), int(inside[-1]) + 1 + reach)
