"""What changes over a training: learning rate and size of crops."""

import numpy as np
import pytest

from selfsharp.recipe import Recipe
from selfsharp.training.schedule import crop_size, learning_rate


def test_learning_rate_rises_stays_and_falls():
    recipe = Recipe(crops=1000, batch=10, warm_up=200, cool_down=0.4, learning_rate=1e-3)
    rates = [learning_rate(recipe, crops) for crops in range(0, 1000, 10)]
    rise, stay, fall = rates[:20], rates[19:61], rates[60:]
    assert rates[0] == pytest.approx(1e-3 / 20)
    assert all(np.diff(rise) > 0)
    assert stay == pytest.approx([1e-3] * len(stay))
    assert all(np.diff(fall) < 0)
    assert rates[-1] < 0.02e-3


def test_crops_grow_by_their_shares_of_the_training():
    recipe = Recipe(crops=1000, growth=((0.5, 64), (0.3, 96), (0.2, 160)))
    sizes = [crop_size(recipe, crops) for crops in (0, 499, 500, 799, 800, 999, 1000)]
    assert sizes == [64, 64, 96, 96, 160, 160, 160]
    assert crop_size(Recipe(crop=48), 12) == 48


def test_shares_that_do_not_add_up_are_refused_in_one_line():
    with pytest.raises(ValueError, match=r"\Athe shares of growth add up to 0\.8.+\Z"):
        crop_size(Recipe(growth=((0.5, 64), (0.3, 96))), 0)
