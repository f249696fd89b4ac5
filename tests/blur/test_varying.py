"""Blur that differs from place to place: exact where it can be, true to its map everywhere."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter, map_coordinates

from selfsharp.blur.camera import Camera, Curve
from selfsharp.blur.convolve import convolve, to_linear
from selfsharp.blur.kinds import defocus
from selfsharp.blur.layers import Layer, average_moments
from selfsharp.blur.path import Path, draw_line, draw_path, rest
from selfsharp.blur.psf import blur_radius
from selfsharp.blur.varying import blur_by_depth, blur_by_path, blur_object, margin_of
from selfsharp.image import quantize

CLEAN = Camera("linear", noise=0.0, rounded=False)
SAVED = replace(CLEAN, rounded=True)
HEIGHT, WIDTH = 64, 80
MARGIN = 20
seeds = st.integers(0, 2**32 - 1)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def turning(seed: int, radius: float = 3.0, share: float = 0.5) -> Path:
    size = HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN
    return draw_path(radius, share, *size, (50.0, 40.0), rng(seed))


@pytest.fixture(scope="module")
def scene(photo) -> np.ndarray:
    """A photo with a margin."""
    return np.pad(photo, ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), "symmetric")


@pytest.fixture(scope="module")
def cutout(scene) -> np.ndarray:
    """A soft-edged red square of 24 px in the middle of an empty canvas."""
    canvas = np.zeros((*scene.shape[:2], 4), np.float32)
    canvas[..., :3] = (0.9, 0.2, 0.1)
    canvas[40:64, 48:72, 3] = 1
    canvas[..., 3] = np.clip(gaussian_filter(canvas[..., 3], 1.0, truncate=3), 0, 1)
    return canvas


def seen_from(place: tuple[int, int], path: Path, **layer) -> np.ndarray:
    """What of a scene, and how much of it, one pixel of the blurred picture is made of."""
    rows, columns = np.mgrid[:65, :65]
    # A picture that tells its own rows and columns, and their squares.
    told = np.stack([rows, columns, rows**2 + columns**2], axis=2).astype(np.float32)
    return average_moments([Layer(told, path, **layer)], 8).blurred[place[0] - 8, place[1] - 8]


# ---------------------------------------------------------------------------- the path


@settings(max_examples=15)
@given(seed=seeds)
def test_the_middle_of_a_path_is_the_sharp_picture_itself(scene, photo, seed):
    alpha = (rng(seed).random(scene.shape[:2]) > 0.5).astype(np.float32)
    for nearer in ([], [(alpha, 1.8)]):
        sample = blur_by_path(scene, turning(seed), MARGIN, SAVED, rng(), nearer)
        assert np.array_equal(quantize(sample.sharp), quantize(photo))
        assert not np.array_equal(sample.blurred, sample.sharp)
        assert sample.blurred.shape == (HEIGHT, WIDTH, 3)
        assert sample.blur_map.shape == (HEIGHT, WIDTH)


def test_where_nothing_moves_the_photo_stays_to_the_bit(scene, photo):
    alpha = np.zeros(scene.shape[:2], np.float32)
    alpha[:, 50:] = 1
    display = Camera(noise=0.0, rounded=False)
    for nearer in ([], [(alpha, 2.0)]):
        sample = blur_by_path(scene, rest(9), MARGIN, display, rng(), nearer)
        np.testing.assert_allclose(sample.blurred, photo, atol=1e-6)
        assert np.array_equal(sample.sharp, photo)
        assert sample.blur_map.max() == 0


def test_each_moment_is_the_scene_where_the_path_says(scene):
    """Against SciPy, whose interpolation is another's."""
    path = turning(4)
    light = to_linear(scene)
    exposure = average_moments([Layer(light, path)], MARGIN)
    rows, columns = np.mgrid[MARGIN : MARGIN + HEIGHT, MARGIN : MARGIN + WIDTH]
    at = np.einsum("tai,ihw->tahw", path.affine(), np.stack([np.ones_like(rows), rows, columns]))
    for channel in range(3):
        moments = [map_coordinates(light[:, :, channel], where, order=1) for where in at]
        np.testing.assert_allclose(
            exposure.blurred[:, :, channel], np.mean(moments, axis=0), atol=2e-5
        )


def test_beyond_the_scene_its_edge_is_repeated(photo):
    grey = np.full_like(photo, 0.5)
    sample = blur_by_path(grey, turning(1, radius=9.0), 0, CLEAN, rng())
    np.testing.assert_allclose(sample.blurred, 0.5, atol=1e-5)


@settings(max_examples=15)
@given(seed=seeds, share=st.sampled_from([0.0, 0.3, 1.0]), radius=st.floats(0.5, 5))
def test_the_map_is_the_rms_radius_of_what_a_pixel_is_made_of(seed, share, radius):
    path = draw_path(radius, share, 65, 65, (20.0, 30.0), rng(seed))
    path = Path(path.shifts.round(), path.turns, path.centre) if share == 0 else path
    squares = average_moments([Layer(np.zeros((65, 65, 3), np.float32), path)], 8).blur_map ** 2
    for place in [(20, 30), (32, 32), (40, 20)]:
        row, column, square = seen_from(place, path).astype(np.float64)
        measured = square - row**2 - column**2
        assert squares[place[0] - 8, place[1] - 8] == pytest.approx(measured, rel=0.02, abs=0.01)


def test_a_shift_alone_blurs_as_its_psf_does(scene):
    """A line of whole pixels, so that nothing is interpolated."""
    steps = np.arange(-4, 5)
    path = Path(np.stack([np.zeros(9), steps], axis=1), np.zeros(9))
    sample = blur_by_path(scene, path, MARGIN, CLEAN, rng())
    line = np.zeros((9, 9), np.float32)
    line[4] = 1 / 9
    wanted = convolve(to_linear(scene), line)[MARGIN:-MARGIN, MARGIN:-MARGIN]
    np.testing.assert_allclose(to_linear(sample.blurred), wanted, atol=1e-5)
    np.testing.assert_allclose(sample.blur_map, blur_radius(line), rtol=1e-5)


def test_a_turn_blurs_more_the_further_off_its_centre(scene):
    size = HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN
    path = draw_path(3.0, 1.0, *size, (20.0 + 32, 20.0), rng(2))
    sample = blur_by_path(scene, path, MARGIN, CLEAN, rng())
    change = np.abs(sample.blurred - sample.sharp).mean(axis=2)
    # Column 0 of the crop is where it turns around: there the map falls to nothing.
    assert sample.blur_map[32, 0] < 0.2 * sample.blur_map[32, 79]
    assert np.array_equal(sample.blur_map[32].argsort()[[0, -1]], [0, 79])
    assert change[28:36, :6].mean() < 0.5 * change[28:36, -20:].mean()


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_mean_of_the_light_stays(share):
    """Something bright in the middle of the dark, that never leaves the picture."""
    lamp = np.full((104, 120, 3), 0.1, np.float32)
    lamp[46:58, 54:66] = 0.9
    path = draw_path(3.0, share, 104, 120, (50.0, 60.0), rng(5))
    sample = blur_by_path(lamp, path, MARGIN, CLEAN, rng())
    means = [to_linear(image).mean() for image in (sample.blurred, sample.sharp)]
    assert means[0] == pytest.approx(means[1], rel=0.002)


def test_highlights_beyond_white_leave_white_trails():
    lamp = np.full((104, 120, 3), 0.05, np.float32)
    lamp[50:54, 58:62] = 1
    path = draw_line(4.0, rng(3))
    clipped, bright = (
        blur_by_path(lamp, path, MARGIN, replace(CLEAN, saturation=s), rng()).blurred
        for s in (1.0, 8.0)
    )
    assert (clipped > 0.99).sum() == 0
    assert (bright > 0.99).all(axis=2).sum() > 30
    assert bright.max() == pytest.approx(1)


def test_a_nearer_part_is_blurred_more_and_mixes_with_what_is_behind(scene):
    alpha = np.zeros(scene.shape[:2], np.float32)
    alpha[:, MARGIN + 40 :] = 1
    path = Path(np.stack([np.zeros(9), np.arange(-4.0, 5.0)], axis=1), np.zeros(9))
    radius = blur_by_path(scene, path, MARGIN, CLEAN, rng(), [(alpha, 2.0)]).blur_map
    np.testing.assert_allclose(radius[:, :30], math.sqrt(60 / 9), rtol=1e-4)
    np.testing.assert_allclose(radius[:, 50:], 2 * math.sqrt(60 / 9), rtol=1e-4)
    assert np.all(np.diff(radius[10, 30:50]) >= 0)


# ---------------------------------------------------------------------------- objects


@settings(max_examples=10)
@given(seed=seeds)
def test_what_is_out_of_a_moving_objects_way_stays_to_the_bit(scene, photo, cutout, seed):
    path = draw_line(3.0, rng(seed))
    sample = blur_object(scene, cutout, path, MARGIN, SAVED, rng())
    still = sample.blur_map == 0
    assert 0.3 < still.mean() < 0.95
    assert np.array_equal(sample.blurred[still], photo[still])
    assert np.array_equal(quantize(sample.sharp)[still], quantize(photo)[still])
    assert sample.blur_map[32, 40] == pytest.approx(3.0, rel=0.1)


def test_the_background_shines_through_as_long_as_it_is_seen(scene, cutout):
    """Black over white: what is left of the white is the share of time without the object."""
    white, thing = np.ones_like(scene), cutout.copy()
    thing[..., :3] = 0
    path = Path(np.stack([np.zeros(11), np.arange(-5.0, 6.0)], axis=1), np.zeros(11))
    sample = blur_object(white, thing, path, MARGIN, CLEAN, rng())
    light = to_linear(sample.blurred)[32, :, 0]
    alpha = cutout[MARGIN + 32, :, 3]
    seen = [alpha[MARGIN + column - 5 : MARGIN + column + 6].mean() for column in range(WIDTH)]
    np.testing.assert_allclose(light, 1 - np.array(seen), atol=1e-4)


def test_a_background_out_of_focus_is_blurred_as_by_its_disc(scene, cutout):
    psf = defocus.psf(2.5, rng())
    sample = blur_object(scene, cutout, rest(9), MARGIN, CLEAN, rng(), background_psf=psf)
    wanted = convolve(to_linear(scene), psf)[MARGIN:-MARGIN, MARGIN:-MARGIN]
    away = np.isclose(sample.blur_map, blur_radius(psf))
    assert away.mean() > 0.5
    np.testing.assert_allclose(to_linear(sample.blurred)[away], wanted[away], atol=1e-4)
    assert sample.blur_map[32, 40] == 0  # The object itself is sharp.


def test_a_moving_background_leaves_a_resting_object_sharp(scene, cutout):
    """As of a camera that is panned with what it follows."""
    sample = blur_object(scene, cutout, rest(9), MARGIN, CLEAN, rng(), behind=turning_of_nine())
    np.testing.assert_allclose(sample.blurred[30:34, 38:42], sample.sharp[30:34, 38:42], atol=1e-5)
    assert sample.blur_map[32, 40] < 1e-3
    assert sample.blur_map[5, 5] > 1


def turning_of_nine() -> Path:
    return Path(np.stack([np.zeros(9), np.arange(-4.0, 5.0)], axis=1), np.zeros(9))


def test_layers_that_do_not_fit_are_refused(scene):
    with pytest.raises(ValueError, match="differ in size or in moments"):
        average_moments([Layer(scene, rest(9)), Layer(scene, rest(11))], MARGIN)
    with pytest.raises(ValueError, match="leaves nothing"):
        average_moments([Layer(scene, rest(9))], 60)


# ---------------------------------------------------------------------------- depth


def ramp() -> np.ndarray:
    """A radius that grows from nothing at the left to 4 px at the right."""
    return np.linspace(0, 4, WIDTH, dtype=np.float32)[None].repeat(HEIGHT, axis=0)


def test_a_ramp_is_sharp_at_its_focus_and_has_its_radius_everywhere_else(scene, photo):
    sample = blur_by_depth(scene, ramp(), CLEAN, rng(1))
    np.testing.assert_allclose(sample.blur_map, ramp(), atol=0.02)
    np.testing.assert_allclose(sample.sharp, photo, atol=1e-5)
    np.testing.assert_allclose(sample.blurred[:, 0], photo[:, 0], atol=1e-4)


@pytest.mark.parametrize("level", [1.1, 2.7, 4.0])
def test_a_pixel_mixes_discs_to_just_its_radius(level):
    """Blurs a parabola, which a PSF lifts by its squared radius whatever its shape."""
    rows, columns = np.mgrid[:81, :81] - 40.0
    bowl = ((rows**2 + columns**2) / 4000)[:, :, None].repeat(3, axis=2).astype(np.float32)
    radius = np.full((61, 61), level, np.float32)
    radius[0, 0] = 4.0  # So that the discs are those of a ramp.
    linear = Camera(noise=0.0, rounded=False)
    sample = blur_by_depth(bowl, radius, linear, rng(1))
    lifted = (sample.blurred - sample.sharp)[20:40, 20:40] * 4000
    np.testing.assert_allclose(lifted, level**2, rtol=0.02)


def test_an_even_radius_blurs_as_the_disc_does(scene):
    radius = np.full((HEIGHT, WIDTH), 3.0, np.float32)
    generator = rng(1)
    sample = blur_by_depth(scene, radius, CLEAN, generator)
    softness = int(rng(1).integers(2**32))
    wanted = convolve(to_linear(scene), defocus.psf(3.0, rng(softness)))
    wanted = wanted[MARGIN:-MARGIN, MARGIN:-MARGIN]
    # Discs have their radius to a five-hundredth.
    np.testing.assert_allclose(to_linear(sample.blurred), wanted, atol=1e-3)


def test_a_scene_too_narrow_for_its_discs_is_refused(photo):
    with pytest.raises(ValueError, match="margin is 4; cut a wider one"):
        blur_by_depth(photo, np.full((56, 72), 9.0, np.float32), CLEAN, rng())
    assert margin_of(9.0) > 4


# ---------------------------------------------------------------------------- all of them


def test_equal_seeds_give_equal_samples_through_a_noisy_camera(scene, cutout):
    camera = Camera(
        "linear", curve=Curve(2.2, 0.3), shot_noise=0.02, chroma_blur=0.7, jpeg_quality=85
    )
    makers = {
        "path": lambda g: blur_by_path(scene, turning(1), MARGIN, camera, g),
        "object": lambda g: blur_object(scene, cutout, draw_line(3.0, g), MARGIN, camera, g),
        "depth": lambda g: blur_by_depth(scene, ramp(), camera, g),
    }
    for make in makers.values():
        one, same, other = (make(rng(seed)).blurred for seed in (1, 1, 2))
        assert np.array_equal(one, same)
        assert not np.array_equal(one, other)
        assert np.array_equal(one, quantize(one).astype(np.float32) / np.float32(255))
