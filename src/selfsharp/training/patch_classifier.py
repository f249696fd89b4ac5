"""Fits the patch classifier of `blur/patches.py` and measures it on photos held out.

``python -m selfsharp.training.patch_classifier --pictures DIR... --masked DIR``
"""

import json
import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import tyro
from jaxtyping import Bool, Float64
from rich.progress import track

from selfsharp.blur.patches import FEATURES, FITTED, evidence, measure_patches
from selfsharp.blur.sharpness import means_of_cells
from selfsharp.blur.synthesis import blur_region
from selfsharp.datasets import MaskedPhoto, find_masked_photos, find_photos, held_out
from selfsharp.image import Image, Plane, atomic_output, quantize, read_mask, read_photo
from selfsharp.recipe import Mix
from selfsharp.training.draws import cut, draw_camera, draw_psf, draw_region

CROP = 384
"""Side in pixels of what is blurred of a sharp photo."""
CELLS = 60
"""Cells of each photo that are fitted to, of the sharp ones and of the blurred ones alike."""
PLAIN = 0.7
"""Blur radius in pixels from which a cell counts as blurred; those between do not count."""
RIDGE = 1e-4
"""Penalty on the squared weights of the standardised features."""

Terms = Float64[np.ndarray, "cells terms"]
Labels = Bool[np.ndarray, " cells"]


def fit_classifier(
    pictures: tuple[Path, ...], masked: Path, out: Path = FITTED, seed: int = 0
) -> None:
    """Fits to half of the photos, chosen by their names, and measures on the other half.

    Args:
        pictures: folders of sharp photos, which are blurred here.
        masked: a folder of photos with masks of their blurred part.
        out: where the weights are written, as JSON.
        seed: seed of the blurs and of the choice of cells.

    Raises:
        ValueError: a folder is missing or empty, or one half of its photos is.
    """
    sources = {
        "blurred here": _blurred(
            [path for folder in pictures for path in find_photos(folder)], seed
        ),
        "masked by hand": _masked(find_masked_photos(masked), seed),
    }
    halves = {name: _halves(drawn) for name, drawn in sources.items()}
    # Both sources count the same, however many photos they have.
    fitted_to = [half for half, _ in halves.values()]
    shares = np.concatenate([np.full(len(labels), 1 / len(labels)) for _, labels in fitted_to])
    terms, labels = (np.concatenate(column) for column in zip(*fitted_to, strict=True))
    weights = fit_logistic(terms, labels, shares)
    table = {
        "command": shlex.join(
            ["python", "-m", "selfsharp.training.patch_classifier", *sys.argv[1:]]
        ),
        "bias": float(weights[0]),
        "weights": dict(zip(FEATURES, map(float, weights[1:]), strict=True)),
        "held out": {name: _scores(half, weights) for name, (_, half) in halves.items()},
    }
    with atomic_output(out, overwrite=True) as temporary:
        temporary.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    print(out.read_text(encoding="utf-8"))


def fit_logistic(
    terms: Terms, labels: Labels, shares: Float64[np.ndarray, " cells"]
) -> Float64[np.ndarray, " terms"]:
    """The weights of a logistic regression without intercept, by Newton's method.

    Args:
        terms: what is weighed, a row per cell.
        labels: whether the cell is blurred.
        shares: how much each cell counts.
    """
    scale = np.sqrt((terms**2).mean(axis=0))
    terms, shares = terms / scale, shares / shares.sum()
    weights = np.zeros(terms.shape[1])
    for _ in range(50):
        found = 1 / (1 + np.exp(-terms @ weights))
        slope = terms.T @ (shares * (found - labels)) + RIDGE * weights
        bend = (terms * (shares * found * (1 - found))[:, None]).T @ terms
        step = np.linalg.solve(bend + RIDGE * np.eye(len(weights)), slope)
        weights -= step
        if np.abs(step).max() < 1e-9:
            break
    return weights / scale


def area_under_curve(logit: Float64[np.ndarray, " cells"], labels: Labels) -> float:
    """The share of pairs of a blurred and a sharp cell that are ranked rightly (area under ROC)."""
    ranks = np.empty(len(logit))
    ranks[np.argsort(logit, kind="stable")] = np.arange(1, len(logit) + 1)
    blurred = int(labels.sum())
    above = ranks[labels].sum() - blurred * (blurred + 1) / 2
    return float(above / (blurred * (len(labels) - blurred)))


Drawn = Iterable[tuple[Path, Terms, Labels]]
Half = tuple[Float64[np.ndarray, "_ _"], Bool[np.ndarray, " _"]]
"""Terms and labels of one half of the photos; the two halves differ in length."""


def _blurred(photos: Sequence[Path], seed: int) -> Drawn:
    """Cells of sharp photos of which a part was blurred, by a kind, a camera, a shape drawn."""
    for number, path in enumerate(track(photos, "blurring", transient=True)):
        generator = np.random.default_rng([seed, 0, number])
        crop = cut(quantize(read_photo(path).image), CROP, generator)
        region = draw_region("blob", CROP, generator)
        sample = blur_region(
            crop, draw_psf(Mix(), generator), region, draw_camera(generator), generator
        )
        plain = (sample.blur_map > PLAIN).astype(np.float32)
        untouched = (sample.blur_map == 0).astype(np.float32)
        yield path, *_cells(sample.blurred, plain, untouched, generator)


def _masked(pairs: Sequence[MaskedPhoto], seed: int) -> Drawn:
    """Cells of photos with hand-made masks."""
    for number, pair in enumerate(track(pairs, "reading masks", transient=True)):
        image = read_photo(pair.photo).image
        mask = read_mask(pair.mask, image.shape[0], image.shape[1])
        generator = np.random.default_rng([seed, 1, number])
        yield pair.photo, *_cells(image, mask, 1 - mask, generator)


def _cells(
    image: Image, blurred: Plane, sharp: Plane, generator: np.random.Generator
) -> tuple[Terms, Labels]:
    """Terms and labels of some cells that are wholly blurred, and of some wholly sharp."""
    patches = measure_patches(image)
    seen = evidence(patches)[:, :, None]
    # The bias fades with the evidence too: where nothing is seen, nothing is presumed.
    terms = np.concatenate([seen, seen * patches], axis=2).astype(np.float64)
    chosen = []
    for plane in (sharp, blurred):
        whole = np.flatnonzero(means_of_cells(plane) > 0.99)
        chosen.append(generator.choice(whole, min(CELLS, len(whole)), replace=False))
    labels = np.arange(2).repeat([len(places) for places in chosen]) == 1
    return terms.reshape(-1, terms.shape[2])[np.concatenate(chosen)], labels


def _halves(drawn: Drawn) -> tuple[Half, Half]:
    """The cells to fit to, and those held out; no photo has cells in both."""
    halves: tuple[list[tuple[Terms, Labels]], ...] = ([], [])
    for path, terms, labels in drawn:
        halves[held_out(path, one_in=2)].append((terms, labels))
    if not all(halves):
        raise ValueError("too few photos to hold some out; give a dozen at least of each kind")
    fitted_to, kept = (tuple(zip(*half, strict=True)) for half in halves)
    return _joined(fitted_to), _joined(kept)


def _joined(columns: tuple[tuple[np.ndarray, ...], ...]) -> Half:
    terms, labels = columns
    return np.concatenate(terms), np.concatenate(labels)


def _scores(
    half: tuple[Terms, Labels], weights: Float64[np.ndarray, " terms"]
) -> dict[str, int | float]:
    """How well cells are told that were not fitted to."""
    terms, labels = half
    logit = terms @ weights
    return {
        "cells": len(labels),
        "right at 0.5": round(float(((logit > 0) == labels).mean()), 4),
        "area under ROC": round(area_under_curve(logit, labels), 4),
    }


if __name__ == "__main__":
    tyro.cli(fit_classifier, args=sys.argv[1:])
