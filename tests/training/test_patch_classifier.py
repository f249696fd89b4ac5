"""The patch classifier is fitted as a logistic regression is, to some photos and not to others."""

import json

import numpy as np
import pytest
from PIL import Image as PillowImage
from scipy.optimize import minimize
from scipy.stats import mannwhitneyu

from selfsharp.blur.patches import FEATURES
from selfsharp.datasets import held_out
from selfsharp.training.patch_classifier import (
    RIDGE,
    area_under_curve,
    fit_classifier,
    fit_logistic,
)


@pytest.fixture
def cells():
    """Terms of no common scale, labels that follow them by chance, and shares."""
    generator = np.random.default_rng(3)
    terms = generator.normal(size=(400, 4)) * (1, 30, 0.2, 5)
    logit = terms @ (1.0, 0.05, -4.0, 0.0)
    return terms, generator.random(400) < 1 / (1 + np.exp(-logit)), generator.random(400)


def test_weights_are_those_of_a_general_minimiser(cells):
    terms, labels, shares = cells
    scale = np.sqrt((terms**2).mean(axis=0))

    def cost(weights):
        signed = np.where(labels, 1, -1) * (terms / scale @ weights)
        return np.average(np.logaddexp(0, -signed), weights=shares) + RIDGE / 2 * weights @ weights

    wanted = minimize(cost, np.zeros(4), tol=1e-12).x / scale
    np.testing.assert_allclose(fit_logistic(terms, labels, shares), wanted, rtol=1e-3, atol=1e-4)


def test_the_area_under_the_curve_is_that_of_the_rank_test(cells):
    terms, labels, _ = cells
    logit = terms[:, 0]
    u = mannwhitneyu(logit[labels], logit[~labels]).statistic
    wanted = u / (labels.sum() * (~labels).sum())
    assert area_under_curve(logit, labels) == pytest.approx(wanted)


def test_a_folder_of_photos_gives_a_file_of_weights(tmp_path, photo):
    generator = np.random.default_rng(0)
    for folder in ("sharp", "masked/photo", "masked/mask"):
        (tmp_path / folder).mkdir(parents=True)
    names = [f"{number}.png" for number in range(6)]
    assert len({held_out(tmp_path / name, 2) for name in names}) == 2
    for name in names:
        pixels = np.rint(255 * np.roll(photo, int(generator.integers(60)), axis=1)).astype(np.uint8)
        PillowImage.fromarray(pixels.repeat(2, axis=0)).save(tmp_path / "sharp" / name)
        picture = PillowImage.fromarray(pixels)
        soft = np.asarray(picture.resize((20, 16)).resize(picture.size))
        PillowImage.fromarray(np.hstack([pixels, soft])).save(tmp_path / "masked/photo" / name)
        mask = np.zeros((64, 160), np.uint8)
        mask[:, 80:] = 255
        PillowImage.fromarray(mask).save(tmp_path / "masked/mask" / name)
    out = tmp_path / "fitted.json"
    fit_classifier((tmp_path / "sharp",), tmp_path / "masked", out)
    fitted = json.loads(out.read_text())
    assert tuple(fitted["weights"]) == FEATURES
    assert fitted["held out"]["masked by hand"]["area under ROC"] > 0.9
    again = tmp_path / "again.json"
    fit_classifier((tmp_path / "sharp",), tmp_path / "masked", again)
    assert again.read_bytes() == out.read_bytes()


def test_too_few_photos_are_refused_in_one_line(tmp_path, photo):
    for folder in ("sharp", "masked/photo", "masked/mask"):
        (tmp_path / folder).mkdir(parents=True)
        picture = PillowImage.fromarray(np.rint(255 * photo).astype(np.uint8))
        picture.save(tmp_path / folder / "0.png")
    with pytest.raises(ValueError, match=r"\A.*few photos.*\Z"):
        fit_classifier((tmp_path / "sharp",), tmp_path / "masked", tmp_path / "fitted.json")
