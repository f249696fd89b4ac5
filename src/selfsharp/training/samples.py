"""Draws training samples: crops of sharp photos, blurred as photos are blurred.

A sample depends on nothing but the recipe, the pool and its own number, so a training that
was stopped goes on with just the samples it would have seen.
"""

from dataclasses import replace

import numpy as np

from selfsharp.blur.camera import draw_noise, through_camera
from selfsharp.blur.kinds import gaussian
from selfsharp.blur.psf import Psf, blur_radius
from selfsharp.blur.sharpness import FLAT
from selfsharp.blur.synthesis import Sample, blur_region
from selfsharp.recipe import Mix, Recipe
from selfsharp.restore.matches import find, transfer
from selfsharp.restore.proposal import middle, propose
from selfsharp.restore.refer_otherwise import encode_as_told
from selfsharp.restore.reference import References
from selfsharp.training.crop import (
    Crop,
    Unblurred,
    as_crop,
    draw_knowledge,
    each,
    structure_around,
    turned,
)
from selfsharp.training.draws import cut, draw_camera, draw_region, pick
from selfsharp.training.explaining import with_correction
from selfsharp.training.motion import average_burst, average_clip, average_frames
from selfsharp.training.pool import Guess, Pixels, Pool
from selfsharp.training.scenes import SCENES, region

SURROUNDINGS = 72
"""Pixels around a crop that its proposals are made from too, as many as around a tile: with fewer,
a network would learn to mistrust them."""
AROUND = 112
"""Pixels around that, on the average, that a crop refers to."""
TOLD = (0.75, 1.33)
"""How far off, as a factor, the radius is that keys are blurred by where no PSF is known."""


def draw_crop(pool: Pool, recipe: Recipe, number: int, *, detector: bool = False) -> Crop:
    """Sample `number` of the training that a recipe describes, turned by chance.

    Where a recipe has so many distinct crops, later numbers turn the same ones anew.
    """
    source = number % recipe.distinct if recipe.distinct else number
    return turned(draw_unturned(pool, recipe, source, detector=detector), recipe, number)


def draw_unturned(pool: Pool, recipe: Recipe, number: int, *, detector: bool = False) -> Crop:
    """The crop of a sample as it lies in its photo."""
    generator = np.random.default_rng([recipe.seed, number])
    made = _draw_sceneless(pool, recipe, generator, detector=detector)
    if made is not None:
        return made
    return as_crop(
        SCENES.load(_pick_scene(recipe, generator)).draw(pool, recipe, generator), generator
    )


def draw_unblurred(pool: Pool, recipe: Recipe, number: int) -> Unblurred | Crop:
    """A generator's sample for a device that blurs: the very one that `draw_unturned` draws.

    It is a finished crop where more than a PSF blurs it, where it comes with proposals, and
    where its camera makes a JPEG, which takes the processor.
    """
    generator = np.random.default_rng([recipe.seed, number])
    made = _draw_sceneless(pool, recipe, generator)
    if made is not None:
        return made
    scene = _pick_scene(recipe, generator)
    if scene != "region":
        return as_crop(SCENES.load(scene).draw(pool, recipe, generator), generator)
    plan = region.plan(pool, recipe, generator)
    if isinstance(plan, Sample):
        return as_crop(plan, generator)
    if plan.camera.jpeg_quality is not None:
        return as_crop(plan.carry_out(generator), generator)
    noise = draw_noise(plan.image.shape, plan.camera, generator)
    knowledge = draw_knowledge(generator)
    return Unblurred(**vars(plan), noise=noise, margin=region.MARGIN, knowledge=knowledge)


def _draw_sceneless(
    pool: Pool, recipe: Recipe, generator: np.random.Generator, *, detector: bool = False
) -> Crop | None:
    """A crop that no scene makes; None where one is to."""
    mix, frames = recipe.mix, recipe.mix.frames if len(pool.frames) > 2 else 0.0
    choice = generator.uniform()
    if detector and pool.masked and generator.uniform() < mix.masked:
        return _masked_crop(pool, recipe.crop, generator)
    if pool.guesses and generator.uniform() < mix.proposed:
        return guessed_crop(pool, recipe, _pick_guess(pool, mix, generator), generator)
    if choice < mix.sharp:
        return _sharp_crop(pool.sharp[generator.integers(len(pool.sharp))], recipe, generator)
    if choice < mix.sharp + frames:
        sample = average_frames(pool.frames, recipe.crop, generator, mix.cameras)
        return as_crop(sample, generator)
    if pool.clips and choice < mix.sharp + frames + mix.footage:
        sample = average_clip(pool.clips, recipe.crop, generator, mix.cameras)
        return as_crop(sample, generator)
    return None


def _pick_guess(pool: Pool, mix: Mix, generator: np.random.Generator) -> Guess:
    """An estimate; where a mix asks for it, one of those that a generator would be shown."""
    guesses = pool.guesses
    if mix.shown and generator.uniform() < mix.shown:
        guesses = [one for one in guesses if one.is_shown] or guesses
    return guesses[generator.integers(len(guesses))]


def _pick_scene(recipe: Recipe, generator: np.random.Generator) -> str:
    """The name of a scene; where there is nothing to choose, nothing is drawn."""
    scenes = recipe.mix.scenes
    return pick(scenes, generator) if len(scenes) > 1 else next(iter(scenes))


def guessed_crop(pool: Pool, recipe: Recipe, chosen: Guess, generator: np.random.Generator) -> Crop:
    """A crop of a photo whose PSF was estimated, with the proposals of that estimate."""
    size = recipe.crop + 2 * SURROUNDINGS
    whole = replace(recipe, crop=size)
    both = chosen.both if chosen.is_shown else None
    references = None
    if chosen.psf is not None and generator.uniform() < recipe.mix.known:
        both = (chosen.psf, chosen.psf)
    if chosen.reach:
        burst = pool.frames[chosen.place - chosen.reach : chosen.place + chosen.reach + 1]
        windows = [chosen.window(frame) for frame in burst]
        crop = as_crop(average_burst(windows, size, generator, recipe.mix.cameras), generator)
    elif chosen.psf is None:
        crop = _sharp_crop(chosen.window(pool.sharp[chosen.place]), whole, generator)
        # Whether softness was meant is for the check to say; no generator could.
        both = None if chosen.is_round else both
    elif recipe.mix.referred and generator.uniform() < recipe.mix.referred:
        crop, references = _referring_crop(pool, chosen, recipe, size, both, generator)
    else:
        image = cut(chosen.window(pool.sharp[chosen.place]), size, generator)
        region = draw_region(pick(recipe.mix.regions, generator), size, generator)
        camera = draw_camera(generator, recipe.mix.cameras)
        sample = blur_region(image, chosen.psf, region, camera, generator)
        crop = as_crop(sample, generator)
    inner = slice(SURROUNDINGS, -SURROUNDINGS)
    undone = crop.image
    if both is not None:
        proposals = propose(crop.image, crop.blur[:, :, 0], both)
        undone, crop = middle(proposals), replace(crop, proposals=proposals)
        # What of a sharp crop is "missing" by a PSF is no generator's to make up for.
        if recipe.corrected and (chosen.psf is not None or chosen.reach):
            crop = with_correction(crop, both[0])
    if references is not None:
        matches = find(undone, crop.blur[:, :, 0], references)
        told = transfer(matches, references, (slice(0, size), slice(0, size)))
        crop = replace(crop, references=told)
    return each(crop, lambda plane: plane[inner, inner])


def _referring_crop(
    pool: Pool,
    chosen: Guess,
    recipe: Recipe,
    size: int,
    both: tuple[Psf, Psf] | None,
    generator: np.random.Generator,
) -> tuple[Crop, References | None]:
    """A blurred crop in sharp surroundings, and those, encoded.

    Args:
        pool: has the photo, and others.
        chosen: the photo, and how it is blurred.
        recipe: may ask for other references than its own.
        size: side of the crop in pixels.
        both: what is taken for that PSF, and undone; None where nothing is known.
    """
    psf = chosen.psf
    assert psf is not None
    image = cut(pool.sharp[chosen.place], size + 2 * AROUND, generator)
    top, left = (int(generator.integers(2 * AROUND + 1)) for _ in range(2))
    window = slice(top, top + size), slice(left, left + size)
    region = np.zeros(image.shape[:2], np.float32)
    region[window] = draw_region(pick(recipe.mix.regions, generator), size, generator)
    camera = draw_camera(generator, recipe.mix.cameras)
    whole = blur_region(image, psf, region, camera, generator)
    seen = Sample(whole.blurred[window], whole.sharp[window], whole.blur_map[window])
    crop = as_crop(seen, generator)
    # As when restoring: a Gaussian of the radius that the detector tells, which is about right.
    guessed = blur_radius(psf) * float(generator.uniform(*TOLD))
    blur = (both[0] + both[1]) / 2 if both else gaussian.psf(guessed, generator)
    place = generator.integers(len(pool.sharp))
    other = cut(pool.sharp[place], size + 2 * AROUND, generator)
    told = (recipe.references, whole.blurred, whole.mask, blur.astype(np.float32))
    return crop, encode_as_told(*told, both, other)


def _sharp_crop(photo: Pixels, recipe: Recipe, generator: np.random.Generator) -> Crop:
    """A sharp crop; a generator is told, wrongly, that a part of it is blurred."""
    camera = replace(draw_camera(generator, recipe.mix.cameras), saturation=1.0)
    image = through_camera(cut(photo, recipe.crop, generator), camera, generator)
    false_map = draw_region("blob", recipe.crop, generator) * np.float32(generator.uniform(0.5, 6))
    crop = as_crop(Sample(image, image, false_map), generator)
    return replace(crop, truth=np.zeros_like(crop.truth))


def _masked_crop(pool: Pool, size: int, generator: np.random.Generator) -> Crop:
    """A crop of a photo with a hand-made mask; its blur has no known radius."""
    photo = pool.masked[generator.integers(len(pool.masked))]
    both = cut(photo, size, generator)
    both = both[:, :: generator.choice([1, -1])]
    image, mask = np.ascontiguousarray(both[:, :, :3]), np.ascontiguousarray(both[:, :, 3])
    crop = as_crop(Sample(image, image, mask), generator)
    blurred = np.where(mask > 0.5, np.where(structure_around(image) > FLAT, 1, -1), 0)
    truth = np.stack([blurred.astype(np.float32), np.full_like(mask, -1)], axis=2)
    return replace(crop, truth=truth)
