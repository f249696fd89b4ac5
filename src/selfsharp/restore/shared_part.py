"""What of a found part was blurred along the path that was estimated of it.

Softness that belongs to a photo, sky or a background out of focus, is found with what was shaken.
It spoils the estimate, and undone by a path that is not its own it is changed for the worse.
"""

import numpy as np

from selfsharp.blur.direction import evidence
from selfsharp.blur.fullest_window import fullest_window
from selfsharp.blur.lens import measure_power
from selfsharp.blur.psf import Psf
from selfsharp.blur.regions import dilated, labelled
from selfsharp.blur.sharpness import CELL
from selfsharp.image import AnyImage, GreyImage
from selfsharp.restore.partition import Partition, by_pixels, narrowed, opened
from selfsharp.restore.votes import MUCH, NARROW, PLAINLY_NOT, votes_for

SHARED = 0.6
"""Evidence for a path in a piece, as a share of that in the piece that it was estimated of, from
which it is blurred alike."""


def agreeing_pieces(image: AnyImage, parts: Partition, psf: Psf) -> Partition:
    """The part without pieces whose own spectrum does not speak for its path; or the very part.

    A piece too small for a spectrum of its own has none that speaks for anything.

    Args:
        image: RGB in 0..1.
        parts: with a core that the path was estimated of.
        psf: the path.
    """
    cells = parts.gate[::CELL, ::CELL] > 0
    pieces = labelled(opened(cells, NARROW))
    names: list[int] = np.unique(pieces[pieces > 0]).tolist()
    if len(names) < 2:
        return parts
    grey, core = GreyImage(image), parts.core[::CELL, ::CELL]

    def told(name: int) -> float:
        inside = parts.core & by_pixels(pieces == name, *parts.core.shape)
        power = measure_power(grey, inside)
        return evidence(power, psf) if power else 0.0

    window = tuple(slice(s.start // CELL, -(-s.stop // CELL)) for s in fullest_window(parts.core))
    counts = [np.count_nonzero(core[window] & (pieces[window] == name)) for name in names]
    first = names[int(np.argmax(counts))]
    least = SHARED * told(first)
    strangers = [name for name in names if name != first and told(name) < least]
    if not strangers:
        return parts
    left = cells & ~dilated(np.isin(pieces, strangers), NARROW)
    return narrowed(parts, left | (pieces == first), parts.certainty)


def shared_part(image: AnyImage, parts: Partition, psf: Psf) -> Partition:
    """The part without places whose blocks speak against its path; or the very part.

    Where much of it does not speak for the path, that is left out; else what is plainly against it.

    Args:
        image: RGB in 0..1.
        parts: what was found.
        psf: the path that was estimated of it.
    """
    votes = votes_for(image, parts, psf)
    left = votes.over(0.0 if votes.share < 1 - MUCH else PLAINLY_NOT)
    if not left.any() or np.array_equal(left, votes.cells):
        return parts
    return narrowed(parts, left, parts.certainty)
