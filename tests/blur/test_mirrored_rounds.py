"""Rounds look at every mirror image in turn, and what they tell is turned back."""

import numpy as np
import pytest

from selfsharp.blur.alternation import SIZE
from selfsharp.blur.blurred_part import BlurredPart
from selfsharp.blur.learnt_round import LearntRound
from selfsharp.blur.mirrored_rounds import IMAGES, ROUNDS, mirrored_rounds
from selfsharp.blur.psf import tidied


class Answering(LearntRound):
    """Rounds that give back what a function makes of a PSF, and note what they are shown."""

    def __init__(self, answer) -> None:
        super().__init__(lambda planes: planes, lambda planes: planes)
        object.__setattr__(self, "answer", answer)
        object.__setattr__(self, "shown", [])

    def __call__(self, part, psf):
        self.shown.append((part, psf))
        return self.answer(psf)


@pytest.fixture(scope="module")
def part():
    grey = np.random.default_rng(3).random((60, 80), np.float32)
    mask = np.zeros_like(grey)
    mask[10:, 20:] = 1
    return BlurredPart.of(grey, mask, SIZE)


def make_psf() -> np.ndarray:
    """A hook, which no mirror leaves as it is."""
    psf = np.zeros((SIZE, SIZE), np.float32)
    psf[12:19, 15] = 2
    psf[18, 15:18] = 1
    return tidied(psf, 0.0)


def test_each_mirror_image_is_shown_in_turn_with_the_psf_mirrored_alike(part):
    psf, rounds = make_psf(), Answering(lambda psf: psf)
    found = mirrored_rounds(rounds, part, psf)
    for number, (shown, asked) in enumerate(rounds.shown):
        axes = IMAGES[number % len(IMAGES)]
        np.testing.assert_array_equal(shown.given, np.flip(part.given, axes))
        np.testing.assert_array_equal(shown.inside, np.flip(part.inside, axes))
        np.testing.assert_array_equal(shown.trusted, np.flip(part.trusted, axes))
        np.testing.assert_allclose(asked, np.flip(psf, axes), atol=1e-6)
    np.testing.assert_allclose(found, psf, atol=1e-6)


def test_rounds_end_once_a_turn_of_all_images_changes_nothing(part):
    settled = Answering(lambda psf: psf)
    mirrored_rounds(settled, part, make_psf())
    assert len(settled.shown) == len(IMAGES) + 1
    generator = np.random.default_rng(5)
    wandering = Answering(lambda psf: generator.permutation(psf, axis=1))
    mirrored_rounds(wandering, part, make_psf())
    assert len(wandering.shown) == ROUNDS


def test_what_a_round_tells_of_every_image_alike_is_no_more_believed_than_its_mirror_images(part):
    told = make_psf()
    found = mirrored_rounds(Answering(lambda _: told), part, np.rot90(told).copy())
    for axes in IMAGES:
        np.testing.assert_allclose(np.flip(found, axes), found, atol=1e-6)
    assert found.sum() == pytest.approx(1, abs=1e-5)


def test_a_mirror_image_of_a_mirror_image_is_the_part(part):
    for axes in IMAGES:
        again = part.mirrored(axes).mirrored(axes)
        np.testing.assert_array_equal(again.given, part.given)
        np.testing.assert_allclose(again.spectrum, part.spectrum, rtol=1e-5, atol=1e-4)
