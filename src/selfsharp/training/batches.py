"""Samples stacked to tensors, batch after batch of a training."""

import math
from collections.abc import Callable, Sequence
from dataclasses import fields, replace

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from selfsharp.networks.blocks import CHANNELS
from selfsharp.recipe import Recipe
from selfsharp.training.crop import Crop, Unblurred, blank, turned
from selfsharp.training.device_crops import stack_plans
from selfsharp.training.kept_samples import KeptSamples, Planes
from selfsharp.training.pool import Pool
from selfsharp.training.rounds import Round, draw_round, turned_round
from selfsharp.training.samples import draw_crop, draw_unblurred, draw_unturned
from selfsharp.training.schedule import crop_size


class Batches(Dataset[dict[str, Tensor]]):
    """Batch after batch of a training, by number; equal numbers give equal batches.

    Args:
        first: number of the first batch.
        share: which of a batch's crops are drawn: those of this process.
        kept: where distinct samples are kept; in memory when None.
    """

    def __init__(
        self,
        pool: Pool,
        recipe: Recipe,
        first: int,
        share: slice = slice(None),
        kept: KeptSamples | None = None,
    ) -> None:
        self.pool, self.recipe, self.first, self.share = pool, recipe, first, share
        self._kept = kept or KeptSamples()

    def __len__(self) -> int:
        return max(0, math.ceil(self.recipe.crops / self.recipe.batch) - self.first)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        start = (self.first + index) * self.recipe.batch
        recipe = replace(self.recipe, crop=crop_size(self.recipe, start))
        numbers = range(start, start + recipe.batch)[self.share]
        if recipe.blur_on_device:
            return self._planned(recipe, numbers)
        if recipe.network == "estimator":
            return stack_rounds([self._round(recipe, number) for number in numbers])
        crops = [self._crop(recipe, number) for number in numbers]
        return stack_crops(crops, detector=recipe.network == "detector")

    def _planned(self, recipe: Recipe, numbers: Sequence[int]) -> dict[str, Tensor]:
        """Finished crops, and plans of those that the device blurs, whose places are empty."""
        drawn = [draw_unblurred(self.pool, recipe, number) for number in numbers]
        finished = {
            place: turned(one, recipe, numbers[place])
            for place, one in enumerate(drawn)
            if isinstance(one, Crop)
        }
        empty = blank(recipe.crop)
        crops = [finished.get(place, empty) for place in range(len(drawn))]
        batch = stack_crops(crops, detector=False)
        plans = {place: one for place, one in enumerate(drawn) if isinstance(one, Unblurred)}
        if plans:
            its_numbers = [numbers[place] for place in plans]
            batch |= stack_plans(list(plans.values()), list(plans), its_numbers, recipe)
        return batch

    def _crop(self, recipe: Recipe, number: int) -> Crop:
        detector = recipe.network == "detector"
        if not recipe.distinct:
            return draw_crop(self.pool, recipe, number, detector=detector)

        def draw(source: int) -> Crop:
            return draw_unturned(self.pool, recipe, source, detector=detector)

        return turned(Crop(**self._planes(recipe, number, draw)), recipe, number)

    def _round(self, recipe: Recipe, number: int) -> Round:
        if not recipe.distinct:
            return turned_round(draw_round(self.pool, recipe, number), recipe, number)

        def draw(source: int) -> Round:
            return draw_round(self.pool, recipe, source)

        return turned_round(Round(**self._planes(recipe, number, draw)), recipe, number)

    def _planes(self, recipe: Recipe, number: int, draw: Callable[[int], Crop | Round]) -> Planes:
        """The planes of a distinct sample, which are kept in half precision to be turned anew."""
        source = number % recipe.distinct

        def drawn() -> Planes:
            return {name: one for name, one in vars(draw(source)).items() if one is not None}

        return self._kept.find(recipe.crop, source, drawn)


def stack_rounds(rounds: Sequence[Round]) -> dict[str, Tensor]:
    """Samples of the estimator stacked to tensors of one channel."""
    names = [field.name for field in fields(Round)]
    stacked = {name: np.stack([getattr(one, name) for one in rounds]) for name in names}
    return {name: torch.from_numpy(planes)[:, None] for name, planes in stacked.items()}


def stack_crops(crops: Sequence[Crop], *, detector: bool) -> dict[str, Tensor]:
    """Crops stacked to channels-first tensors: what a step of the training needs."""

    def stack(name: str) -> Tensor:
        planes = np.stack([getattr(crop, name) for crop in crops])
        return torch.from_numpy(planes).permute(0, 3, 1, 2)

    if detector:
        return {"image": stack("image"), "truth": stack("truth")}
    weight = torch.from_numpy(np.stack([crop.weight for crop in crops]))[:, None]
    # The part z of the content loss: where the truth knows of blur.
    blurred = (stack("truth")[:, 1:2] > 0).float()
    names = ("image", "target", "blur", "proposals")
    batch = {name: stack(name) for name in names} | {"weight": weight, "blurred": blurred}
    for name, channels in (("references", CHANNELS["references"]), ("correction", 2)):
        without = np.zeros((*crops[0].image.shape[:2], channels), np.float32)
        told = [without if (own := getattr(crop, name)) is None else own for crop in crops]
        batch[name] = torch.from_numpy(np.stack(told)).permute(0, 3, 1, 2)
    return batch
