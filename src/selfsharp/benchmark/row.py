"""What one row of a table is: something that takes a blurred image and gives another."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from selfsharp.blur.psf import Psf
from selfsharp.image import Image, Plane

Told = Literal["nothing", "mask", "blur"]
"""What a row is told of the truth: nothing, the mask, or PSF and mask (an oracle)."""


class RowError(Exception):
    """A row that has no image to give; costs that row its place, not the run.

    Args:
        message: what happened, in a few words.
        for_good: whether trying the other photos would be in vain or take too long.
    """

    def __init__(self, message: str, *, for_good: bool = False) -> None:
        super().__init__(message)
        self.for_good = for_good


@dataclass(frozen=True)
class Truth:
    """What is known of a blur that was made, or marked by hand.

    Attributes:
        mask: 1 where blurred, else 0.
        psf: how it is blurred; None where only the place is known.
    """

    mask: Plane
    psf: Psf | None = None


@dataclass(frozen=True)
class Line:
    """What tables call something that is measured.

    Attributes:
        name: what tables and pictures call it.
        told: what it is told of the truth.
        model: name or folder of the model that it measures; empty if none, or only part of one.
    """

    name: str
    told: Told = field(default="nothing", kw_only=True)
    model: str = field(default="", kw_only=True)


@dataclass(frozen=True)
class Row(Line):
    """Something that restores.

    Attributes:
        restore: the image and, as far as the row is told of it, the truth, to the restored
            image. May raise RowError.
        version: what tells apart two states of what is called by that name.
    """

    restore: Callable[[Image, Truth | None], Image]
    version: str = field(default="", kw_only=True)

    def can_do_with(self, truth: Truth | None) -> bool:
        """Whether there is as much truth as the row has to be told."""
        if self.told == "blur":
            return truth is not None and truth.psf is not None
        return self.told == "nothing" or truth is not None
