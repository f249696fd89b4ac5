"""Estimates that training learns from: the same whenever they are made, and kept on disk."""

import multiprocessing
import os
import signal
import time
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("rich")

from selfsharp.blur.kinds import gaussian, motion
from selfsharp.image import quantize
from selfsharp.recipe import Mix, Recipe
from selfsharp.restore.proposal import middle
from selfsharp.training import estimates, samples
from selfsharp.training.batches import stack_crops
from selfsharp.training.crop import Crop, blank
from selfsharp.training.estimates import guess, load_guesses
from selfsharp.training.pool import Guess, Pool
from selfsharp.training.samples import draw_crop, draw_unturned, guessed_crop

RECIPE = Recipe(crop=32, estimates=4, workers=0)


@pytest.fixture(scope="module")
def pool(photo) -> Pool:
    pixels = quantize(photo)
    return Pool(
        sharp=[pixels, pixels[:, ::-1]],
        frames=[np.roll(pixels, 2 * number, axis=1) for number in range(16)],
    )


@pytest.fixture(scope="module")
def guesses(pool) -> list[Guess]:
    return [guess(pool, RECIPE, number) for number in range(RECIPE.estimates)]


def alike(one: Guess, other: Guess) -> bool:
    psfs = [(np.zeros(1) if g.psf is None else g.psf[g.psf > 0], *g.both) for g in (one, other)]
    places = [(g.place, g.reach, g.corner, g.size) for g in (one, other)]
    return places[0] == places[1] and all(map(np.array_equal, *psfs))


def test_an_estimate_is_the_same_whenever_it_is_made(pool, guesses):
    assert alike(guess(pool, RECIPE, 2), guesses[2])
    assert not alike(guess(pool, replace(RECIPE, seed=5), 2), guesses[2])


def test_estimates_are_psfs_of_windows_within_the_photos(pool, guesses):
    for one in guesses:
        assert one.window(pool.sharp[0]).shape[:2] == one.size
        for psf in one.both:
            assert psf.min() >= 0
            assert psf.sum() == pytest.approx(1, abs=1e-4)


def test_estimates_are_kept_and_made_anew_for_another_recipe(pool, guesses, tmp_path, monkeypatch):
    path = tmp_path / "estimates.npz"
    made = load_guesses(pool, RECIPE, path)
    assert all(alike(one, other) for one, other in zip(made, guesses, strict=True))
    with monkeypatch.context() as patch:
        patch.setattr(estimates, "guess", None)
        kept = load_guesses(pool, RECIPE, path)
    assert all(alike(one, other) for one, other in zip(kept, made, strict=True))
    with monkeypatch.context() as patch:
        patch.setattr(estimates, "guess", lambda *_: made[0])
        anew = load_guesses(pool, replace(RECIPE, mix=Mix(sharp=0.5)), path)
    assert all(alike(one, made[0]) for one in anew)


def test_a_recipe_with_fewer_estimates_takes_the_first_of_those_kept(
    pool, guesses, tmp_path, monkeypatch
):
    path = tmp_path / "estimates.npz"
    load_guesses(pool, RECIPE, path)
    monkeypatch.setattr(estimates, "guess", None)
    for number in (2, 4):
        kept = load_guesses(pool, replace(RECIPE, estimates=number), path)
        assert len(kept) == number
        assert all(alike(one, other) for one, other in zip(kept, guesses, strict=False))


def test_a_mix_may_ask_for_estimates_that_are_shown(guesses, monkeypatch):
    point, square = np.ones((1, 1), np.float32), np.full((3, 3), 1 / 9, np.float32)
    refused, shown = (replace(guesses[0], both=(psf, psf)) for psf in (point, square))
    some, picked = Pool(sharp=[], guesses=[refused] * 30 + [shown]), []

    def take(_, __, chosen: Guess, ___) -> Crop:
        picked.append(chosen)
        return blank(8)

    monkeypatch.setattr(samples, "guessed_crop", take)
    for share in (1.0, 0.0):
        for seed in range(8):
            mix = Mix(proposed=1.0, shown=share)
            draw_unturned(some, replace(RECIPE, seed=seed, mix=mix), 0)
    assert all(one is shown for one in picked[:8])
    assert any(one is refused for one in picked[8:])


def test_several_processes_make_the_same_estimates(pool, guesses, tmp_path):
    made = load_guesses(pool, replace(RECIPE, workers=2), tmp_path / "estimates.npz")
    assert all(alike(one, other) for one, other in zip(made, guesses, strict=True))


@pytest.mark.parametrize("workers", [0, 1])
def test_estimates_that_are_interrupted_are_kept_and_gone_on_from(
    pool, guesses, tmp_path, monkeypatch, workers
):
    """Ctrl-C after the second: the other two are made next time, and none twice."""
    path, asked = tmp_path / "estimates.npz", []
    recipe = replace(RECIPE, workers=workers)
    with monkeypatch.context() as patch:
        patch.setattr(estimates, "guess", lambda *given: guesses[given[2]])
        patch.setattr(estimates.Progress, "advance", press_ctrl_c(after=2))
        with pytest.raises(KeyboardInterrupt, match=r"\Astopped after 2 of 4 estimates; saved.+\Z"):
            load_guesses(pool, recipe, path)
    monkeypatch.setattr(
        estimates, "guess", lambda *given: asked.append(given[2]) or guesses[given[2]]
    )
    whole = load_guesses(pool, replace(recipe, workers=0), path)
    assert asked == [2, 3]
    assert all(alike(one, other) for one, other in zip(whole, guesses, strict=True))


def test_whoever_asks_twice_waits_for_no_process(pool, guesses, tmp_path, monkeypatch):
    """A second signal comes while the first one waits for the estimates that are being made."""

    def asked_again(*_, **__):
        raise KeyboardInterrupt

    def one_that_takes_long(*given):
        return guesses[given[2]] if given[2] < 2 else time.sleep(20)

    monkeypatch.setattr(estimates, "guess", one_that_takes_long)
    monkeypatch.setattr(estimates.Progress, "advance", press_ctrl_c(after=2))
    monkeypatch.setattr(estimates.ProcessPoolExecutor, "shutdown", asked_again)
    with pytest.raises(KeyboardInterrupt):
        load_guesses(pool, replace(RECIPE, workers=1), tmp_path / "estimates.npz")
    end = time.monotonic() + 10  # Under the 20 s that an estimate takes here.
    while multiprocessing.active_children() and time.monotonic() < end:
        time.sleep(0.05)
    assert not multiprocessing.active_children()


def press_ctrl_c(after: int):
    """A progress bar's method that interrupts when it has been called so many times."""
    numbers = iter(range(1, 1000))

    def advance(*_):
        if next(numbers) == after:
            os.kill(os.getpid(), signal.SIGINT)

    return advance


def test_a_recipe_without_estimates_has_none(pool, tmp_path):
    assert load_guesses(pool, replace(RECIPE, estimates=0), tmp_path / "estimates.npz") == []
    assert not list(tmp_path.iterdir())


def make_guess(place=0, reach=0, psf=None, found=None) -> Guess:
    found = motion.psf(2.0, np.random.default_rng(1)) if found is None else found
    other = np.ascontiguousarray(found.T)
    return Guess(place, reach, (0, 0), (64, 80), psf, (found, other))


def test_a_round_estimate_of_a_photo_that_was_not_blurred_proposes_nothing(pool):
    soft = gaussian.psf(2.0, np.random.default_rng(1))
    found = replace(make_guess(), both=(soft, soft))
    crop = guessed_crop(pool, RECIPE, found, np.random.default_rng(0))
    assert np.array_equal(crop.proposals[:, :, :3], crop.image)


def test_proposals_of_the_true_psf_are_closer_to_the_target_than_the_crop_is(pool):
    psf = motion.psf(2.0, np.random.default_rng(1))
    recipe = replace(RECIPE, mix=Mix(regions={"everywhere": 1.0}))
    off = np.zeros(2)
    for number in range(8):
        crop = guessed_crop(pool, recipe, make_guess(psf=psf), np.random.default_rng(number))
        assert crop.proposals.shape == (32, 32, 6)
        off += [np.abs(x - crop.target).mean() for x in (crop.image, crop.proposals[:, :, :3])]
    assert off[1] < 0.8 * off[0]


def unshown(psf) -> Guess:
    point = np.ones((1, 1), np.float32)
    return replace(make_guess(psf=psf), both=(point, point))


def test_what_the_check_would_not_show_proposes_nothing(pool, tmp_path, monkeypatch):
    monkeypatch.setattr(estimates, "as_shown", lambda *_: None)
    path = tmp_path / "estimates.npz"
    made = load_guesses(pool, RECIPE, path)
    assert not any(one.is_shown for one in made)
    assert all(map(alike, load_guesses(pool, RECIPE, path), made))
    for one in [*made, unshown(motion.psf(2.0, np.random.default_rng(1)))]:
        crop = guessed_crop(pool, RECIPE, one, np.random.default_rng(0))
        assert np.array_equal(crop.proposals[:, :, :3], crop.image)
        assert np.array_equal(crop.proposals[:, :, 3:], crop.image)


def test_known_psfs_propose_by_their_share(pool):
    found = unshown(motion.psf(2.0, np.random.default_rng(1)))
    everywhere = {"everywhere": 1.0}
    counts = {}
    for share in (0.0, 0.5, 1.0):
        recipe = replace(RECIPE, mix=Mix(regions=everywhere, known=share))
        crops = [guessed_crop(pool, recipe, found, np.random.default_rng(n)) for n in range(20)]
        told = [crop for crop in crops if not np.array_equal(crop.proposals[:, :, :3], crop.image)]
        counts[share] = len(told)
    assert counts[0.0] == 0
    assert 4 <= counts[0.5] <= 16
    assert counts[1.0] == 20
    off = [np.abs(x - told[0].target).mean() for x in (told[0].image, told[0].proposals[:, :, :3])]
    assert off[1] < 0.8 * off[0]


def test_a_learnt_round_takes_part_where_the_recipe_names_its_model(pool, guesses, tmp_path):
    recipe = replace(RECIPE, estimator="base")
    made = [guess(pool, recipe, number) for number in range(RECIPE.estimates)]
    places = [[(g.place, g.reach, g.corner, g.size) for g in each] for each in (made, guesses)]
    assert places[0] == places[1]
    # Few estimates are shown, and round blur has no learnt round: some more have to be asked.
    later = range(RECIPE.estimates, 5 * RECIPE.estimates)
    assert any(not alike(guess(pool, recipe, n), guess(pool, RECIPE, n)) for n in later)


@pytest.mark.parametrize("model", ["nobody", "made-up"])
def test_an_estimator_that_is_none_is_refused(pool, made_up, model):
    name = "nobody" if model == "nobody" else str(made_up)
    with pytest.raises(ValueError, match=r"unknown model|no learnt round; give"):
        guess(pool, replace(RECIPE, estimator=name), 0)


def test_a_wrong_estimate_of_a_sharp_photo_is_to_be_ignored(pool):
    crop = guessed_crop(pool, RECIPE, make_guess(), np.random.default_rng(0))
    assert np.array_equal(crop.target, crop.image)
    assert np.abs(crop.proposals[:, :, :3] - crop.image).mean() > 1 / 255


def test_a_burst_of_frames_comes_with_proposals(pool):
    crop = guessed_crop(pool, RECIPE, make_guess(place=7, reach=3), np.random.default_rng(0))
    assert not np.array_equal(crop.target, crop.image)
    assert not np.array_equal(crop.proposals[:, :, :3], crop.image)


def test_the_mix_decides_how_many_samples_have_proposals(pool):
    known = replace(pool, guesses=[make_guess()])
    for share, expected in ((0.0, 0), (1.0, 10)):
        recipe = replace(RECIPE, mix=Mix(proposed=share))
        crops = [draw_crop(known, recipe, number) for number in range(10)]
        proposed = [not np.array_equal(c.proposals[:, :, :3], c.image) for c in crops]
        assert sum(proposed) == expected


def test_distinct_crops_come_again_turned(pool):
    recipe = replace(RECIPE, distinct=3)
    for number in range(3):
        first, again = (draw_crop(pool, recipe, n).image for n in (number, number + 3))
        rotations = [np.rot90(first, turns) for turns in range(4)]
        both_ways = [*rotations, *(image[:, ::-1] for image in rotations)]
        assert any(np.array_equal(again, image) for image in both_ways)


def test_estimates_outlast_a_change_of_what_they_do_not_read(pool, guesses, tmp_path, monkeypatch):
    path = tmp_path / "estimates.npz"
    load_guesses(pool, RECIPE, path)
    others = replace(RECIPE, mix=Mix(scenes={"path": 1.0}, footage=0.3))
    made = []
    monkeypatch.setattr(estimates, "guess", lambda *given: made.append(given) or guesses[0])
    kept = load_guesses(pool, others, path)
    assert all(alike(one, other) for one, other in zip(kept, guesses, strict=True))
    assert made == []
    load_guesses(pool, replace(RECIPE, mix=Mix(cameras=1.0)), path)
    assert len(made) == RECIPE.estimates


@pytest.fixture(scope="module")
def repeating(photo) -> Pool:
    """A photo that is one picture, eight times eight."""
    return Pool(sharp=[np.tile(quantize(photo), (8, 8, 1))])


REFERRING = replace(RECIPE, mix=Mix(regions={"everywhere": 1.0}, referred=1.0))


def test_a_crop_is_told_what_repeats_around_it(repeating):
    psf = motion.psf(2.0, np.random.default_rng(1))
    found = replace(make_guess(psf=psf), both=(psf, psf))
    off = np.zeros(2)
    for number in range(3):
        crop = guessed_crop(repeating, REFERRING, found, np.random.default_rng(number))
        assert crop.references is not None
        assert crop.references.shape == (32, 32, 5)
        undone = middle(crop.proposals)
        restored = undone + crop.references[:, :, :3]
        off += [np.abs(x - crop.target).mean() for x in (undone, restored)]
        again = guessed_crop(repeating, REFERRING, found, np.random.default_rng(number))
        np.testing.assert_array_equal(again.references, crop.references)
    assert off[1] < 0.5 * off[0]


@pytest.mark.parametrize(
    # Undone by the true PSF a patch is much like the sharp one.
    ("told", "share"),
    [("none", 0.8), ("shuffled", 0.8), ("foreign", 0.8), ("sharp keys", 1.0)],
)
def test_other_references_are_worth_less_and_change_nothing_else(photo, told, share):
    psf = motion.psf(2.0, np.random.default_rng(1))
    noise = np.random.default_rng(2).integers(0, 256, (512, 640, 3), np.uint8)
    pool = Pool(sharp=[np.tile(quantize(photo), (8, 8, 1)), noise])
    found, recipe = replace(make_guess(psf=psf), both=(psf, psf)), replace(REFERRING, seed=3)
    off = np.zeros(2)
    for number in range(3):
        own, other = (
            guessed_crop(
                pool, replace(recipe, references=way), found, np.random.default_rng(number)
            )
            for way in ("own", told)
        )
        np.testing.assert_array_equal(own.image, other.image)
        np.testing.assert_array_equal(own.proposals, other.proposals)
        for place, crop in enumerate((own, other)):
            detail = 0 if crop.references is None else crop.references[:, :, :3]
            off[place] += np.abs(middle(crop.proposals) + detail - crop.target).mean()
    assert off[0] < share * off[1]


def test_references_come_by_their_share(repeating):
    psf = motion.psf(2.0, np.random.default_rng(1))
    recipe = replace(REFERRING, mix=replace(REFERRING.mix, referred=0.5))
    draws = [
        guessed_crop(repeating, recipe, make_guess(psf=psf), np.random.default_rng(number))
        for number in range(12)
    ]
    assert 3 <= sum(crop.references is not None for crop in draws) <= 9


def test_estimates_outlast_a_change_of_how_many_crops_refer(pool, guesses, tmp_path, monkeypatch):
    path = tmp_path / "estimates.npz"
    load_guesses(pool, RECIPE, path)
    monkeypatch.setattr(estimates, "guess", None)
    other = replace(RECIPE, mix=replace(RECIPE.mix, referred=0.7))
    assert all(map(alike, load_guesses(pool, other, path), guesses))


def test_crops_with_and_without_references_make_one_batch(repeating):
    psf = motion.psf(2.0, np.random.default_rng(1))
    makers = (REFERRING, replace(REFERRING, mix=replace(REFERRING.mix, referred=0.0)))
    crops = [
        guessed_crop(repeating, recipe, make_guess(psf=psf), np.random.default_rng(0))
        for recipe in makers
    ]
    told = stack_crops(crops, detector=False)["references"]
    assert told.shape == (2, 5, 32, 32)
    assert told[0].any()
    assert not told[1].any()
