"""Sharp stays sharp, to the bit; what is asked for is done; what does not fit is refused."""

import jaxtyping
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from selfsharp.model_folder import find_model
from selfsharp.restore import runtime
from selfsharp.restore.restorer import (
    ONE_PASS,
    Restoration,
    Restorer,
    check_image,
    check_mask,
    check_strength,
)
from selfsharp.restore.runtime import Graph


@pytest.fixture
def unchecked():
    """Without jaxtyping's checks, which users do not have."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(scope="session")
def half_red() -> np.ndarray:
    """A photo whose right half the made-up detector takes for blurred.

    It is smeared along its rows, as by a movement.
    """
    image = np.random.default_rng(5).random((90, 560, 3), np.float32)
    image[:, 280:] = image[:, 280::8].repeat(8, axis=1)
    image[:, :280, 0] *= 0.5
    image[:, 280:, 0] = 0.75 + 0.25 * image[:, 280:, 0]
    return image


def half_mask(image: np.ndarray) -> np.ndarray:
    mask = np.zeros(image.shape[:2], np.float32)
    mask[:, : image.shape[1] // 2] = 1
    return mask


def everywhere(image: np.ndarray) -> np.ndarray:
    return np.ones(image.shape[:2], np.float32)


def test_outside_a_mask_every_pixel_is_bit_identical(restorer, photo):
    mask = half_mask(photo)
    result = restorer.restore(photo, mask)
    untouched = result.gate == 0
    assert untouched[mask == 0].all()
    np.testing.assert_array_equal(result.image[untouched], photo[untouched])
    if restorer.card.name == "made-up":  # Whose residual is large enough to be worth it.
        assert (result.image[~untouched] != photo[~untouched]).any()


def test_outside_the_blur_found_every_pixel_is_bit_identical(
    made_up_restorer, half_red, monkeypatch
):
    # The made-up model mends nothing, so that a second look would take all of it back.
    monkeypatch.setattr("selfsharp.restore.restorer.settle", lambda *_: 1.0)
    result = made_up_restorer.restore(half_red)
    assert 0.4 < result.share < 0.6
    untouched = result.gate == 0
    assert untouched[:, :250].all()
    np.testing.assert_array_equal(result.image[untouched], half_red[untouched])
    assert (result.image[:, 320:] != half_red[:, 320:]).any()


def test_the_input_is_left_as_it_is(restorer, photo):
    before = photo.copy()
    restorer.restore(photo, everywhere(photo))
    np.testing.assert_array_equal(photo, before)


def test_strength_0_returns_the_input_itself(restorer, photo):
    assert restorer.restore(photo, everywhere(photo), strength=0.0).image is photo


def test_a_mask_of_zeros_returns_the_input_itself(restorer, photo):
    result = restorer.restore(photo, np.zeros(photo.shape[:2], np.float32))
    assert result.image is photo
    assert result.share == 0
    assert not result.blur_map.any()


def test_half_the_strength_goes_half_the_way(restorer, photo):
    half = restorer.restore(photo, everywhere(photo), strength=0.5).image
    full = restorer.restore(photo, everywhere(photo)).image
    unclipped = (full > 0) & (full < 1)
    way = (full - photo)[unclipped]
    if restorer.card.name == "made-up":
        assert np.abs(way).max() > 1e-3
    np.testing.assert_allclose((half - photo)[unclipped], way / 2, atol=1e-6)


def test_the_output_goes_by_strength_from_the_input_to_input_plus_gate_times_residual(
    made_up_restorer, photo
):
    mask = np.linspace(0, 1, photo.size // 3, dtype=np.float32).reshape(photo.shape[:2])
    result = made_up_restorer.restore(photo, mask, strength=0.7)
    framed = np.pad(photo, ((1, 1), (1, 1), (0, 0)), "edge")
    around = framed[:-2, 1:-1] + framed[2:, 1:-1] + framed[1:-1, :-2] + framed[1:-1, 2:]
    residual = (4 * photo - around) / 8
    restored = np.clip(photo + mask[:, :, None] * residual, 0, 1)
    wanted = photo + 0.7 * (restored - photo)
    np.testing.assert_allclose(result.image, wanted, atol=1e-6)


def test_tiles_join_without_a_seam(made_up, half_red):
    tiled, whole = (Restorer(made_up, threads=1, step=step) for step in (208, ONE_PASS))
    mask = everywhere(half_red)
    counts = []
    tiled.restore(half_red, mask, progress=lambda done, total: counts.append(total))
    assert counts[0] > 1
    np.testing.assert_allclose(
        tiled.restore(half_red, mask).image, whole.restore(half_red, mask).image, atol=1e-6
    )


@pytest.mark.parametrize("step", [0, -16, 15, 200])
def test_a_distance_between_tiles_that_no_grid_has_is_refused(made_up, step):
    with pytest.raises(ValueError, match=rf"\Astep {step} is no multiple of 16; give 400"):
        Restorer(made_up, step=step)


def test_progress_counts_up_and_ends_with_all_done(made_up_restorer, half_red):
    calls = []
    wide = np.tile(half_red, (1, 2, 1))
    made_up_restorer.restore(
        wide, everywhere(wide), progress=lambda done, total: calls.append((done, total))
    )
    total = calls[0][1]
    assert total > 1
    assert calls == [(done, total) for done in range(total + 1)]


def test_progress_ends_even_when_there_is_nothing_to_do(made_up_restorer, photo):
    calls = []
    made_up_restorer.restore(
        photo, strength=0.0, progress=lambda done, total: calls.append((done, total))
    )
    assert calls == [(0, 0)]


def test_sharp_tiles_never_reach_the_generator(made_up, half_red):
    restorer = Restorer(made_up, threads=1)
    mask = np.zeros(half_red.shape[:2], np.float32)
    mask[:, -60:] = 1
    calls = []
    restorer.restore(half_red, mask, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (1, 1)


def test_a_sharp_photo_has_need_of_the_detector_alone(photo, monkeypatch):
    opened = []

    class Opened(Graph):
        def __init__(self, content: bytes, *others, **settings) -> None:
            opened.append(content)
            super().__init__(content, *others, **settings)

    monkeypatch.setattr(runtime, "Graph", Opened)
    restorer = Restorer("base", threads=1)
    folder, mask = find_model("base"), np.zeros(photo.shape[:2], np.float32)
    files = {file.read_bytes(): file.stem for file in folder.glob("*.onnx")}
    restorer.restore(photo, mask)
    assert {files[content] for content in opened} <= {"detector"}
    mask[:] = 1
    restorer.restore(photo, mask)
    assert {"detector", "edges", "mend", "generator"} <= {files[content] for content in opened}


def test_restoring_twice_gives_the_same_bits(restorer, photo):
    first, second = (restorer.restore(photo, half_mask(photo)) for _ in range(2))
    for one, other in (
        (first.image, second.image),
        (first.gate, second.gate),
        (first.blur_map, second.blur_map),
    ):
        np.testing.assert_array_equal(one, other)


def test_the_number_of_threads_changes_next_to_nothing(photo):
    one, two = (
        Restorer("base", threads=threads).restore(photo, everywhere(photo)) for threads in (1, 2)
    )
    np.testing.assert_allclose(one.image, two.image, atol=1e-5)
    np.testing.assert_allclose(one.blur_map, two.blur_map, atol=1e-4)


@given(st.integers(1, 70), st.integers(1, 9), st.booleans())
@example(1, 1, True)
@example(1, 9, False)
@example(70, 9, True)
@settings(max_examples=12)
def test_photos_of_any_size_come_back_in_their_size_and_range(restorer, height, width, masked):
    image = np.random.default_rng(height).random((height, width, 3), np.float32)
    result = restorer.restore(image, everywhere(image) if masked else None)
    assert result.image.shape == image.shape
    assert result.image.dtype == np.float32
    assert result.blur_map.shape == result.gate.shape == (height, width)
    assert 0 <= result.image.min() <= result.image.max() <= 1
    untouched = result.gate == 0
    np.testing.assert_array_equal(result.image[untouched], image[untouched])


def test_share_is_the_part_of_the_photo_whose_gate_is_open():
    gate = np.zeros((4, 5), np.float32)
    gate[0, :3] = (1, 0.5, 1e-6)
    image = np.zeros((4, 5, 3), np.float32)
    assert Restoration(image, gate, gate).share == pytest.approx(3 / 20)


IMAGE = np.full((4, 6, 3), 0.5, np.float32)


@pytest.mark.parametrize(
    ("image", "named"),
    [
        ([[0.5]], "list"),
        (IMAGE[:, :, 0], r"\(4, 6\)"),
        (IMAGE[:, :, :2], r"\(4, 6, 2\)"),
        (IMAGE.astype(np.float64), "float64"),
        ((IMAGE * 255).astype(np.uint8), "uint8"),
        (IMAGE[:0], r"\(0, 6, 3\)"),
        (IMAGE * 2 + 0.5, r"1\.5"),
        (IMAGE - 1, r"-0\.5"),
        (IMAGE * np.float32(np.nan), "nan"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_what_is_no_image_is_refused_in_one_line_that_names_it(image, named):
    with pytest.raises(ValueError, match=rf"\Aimage .*{named}.*; .+\Z"):
        check_image(image)


@pytest.mark.parametrize(
    ("mask", "named"),
    [
        (np.ones((6, 4), np.float32), r"\(6, 4\)"),
        (np.ones(24, np.float32), r"\(24,\)"),
        (np.ones((4, 6, 3), np.float32), r"\(4, 6, 3\)"),
        ([[1.0]], "list"),
        (np.ones((4, 6)), "float64"),
        (np.ones((4, 6), bool), "bool"),
        (np.full((4, 6), 1.5, np.float32), r"1\.5"),
        (np.full((4, 6), -0.5, np.float32), r"-0\.5"),
        (np.full((4, 6), np.nan, np.float32), "nan"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_a_mask_that_does_not_fit_is_refused_in_one_line_that_names_it(mask, named):
    with pytest.raises(ValueError, match=rf"\Amask .*{named}.*; .+\Z"):
        check_mask(mask, IMAGE)


@pytest.mark.parametrize("strength", [-0.1, 1.5, float("nan"), float("inf")])
def test_a_strength_out_of_range_is_refused_in_one_line_that_names_it(strength):
    with pytest.raises(ValueError, match=rf"\Astrength {strength:g} .*0 to 1\Z"):
        check_strength(strength)


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
def test_strengths_in_range_are_fine(strength):
    check_strength(strength)


@pytest.mark.usefixtures("unchecked")
def test_restoring_refuses_what_the_checks_refuse(made_up_restorer, photo):
    with pytest.raises(ValueError, match=r"strength 2 "):
        made_up_restorer.restore(photo, strength=2.0)
    with pytest.raises(ValueError, match=r"mask "):
        made_up_restorer.restore(photo, np.ones((3, 3), np.float32))
    with pytest.raises(ValueError, match=r"image has values"):
        made_up_restorer.restore(photo + 1)
