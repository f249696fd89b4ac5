"""What changes over the length of a training, counted in crops: learning rate, size of crops."""

import math

from selfsharp.recipe import Recipe


def learning_rate(recipe: Recipe, crops: int) -> float:
    """The generator's or detector's learning rate after so many crops."""
    return recipe.learning_rate * share_of_rate(recipe, crops)


def share_of_rate(recipe: Recipe, crops: int) -> float:
    """Rises along a line, stays at 1, and falls along a cosine in the last share of the crops."""
    rise = min(1.0, (crops + recipe.batch) / max(1, recipe.warm_up))
    length = max(1.0, recipe.cool_down * recipe.crops)
    cooled = min(1.0, max(0.0, (crops - recipe.crops + length) / length))
    return rise * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * cooled)))


def crop_size(recipe: Recipe, crops: int) -> int:
    """Side in pixels of the crops that come after so many.

    Raises:
        ValueError: the recipe's shares do not add up to 1.
    """
    if not recipe.growth:
        return recipe.crop
    total = sum(share for share, _ in recipe.growth)
    if not math.isclose(total, 1, abs_tol=1e-6):
        raise ValueError(f"the shares of growth add up to {total:g}; let them add up to 1")
    passed = 0.0
    for share, size in recipe.growth:
        passed += share * recipe.crops
        if crops < passed - 1e-6:
            return size
    return recipe.growth[-1][1]
