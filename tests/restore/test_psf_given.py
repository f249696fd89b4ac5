"""Who knows the PSF has it undone; and the two halves of the method can be had alone."""

from pathlib import Path

import jaxtyping
import numpy as np
import pytest

from selfsharp.blur.kinds import defocus, shake
from selfsharp.blur.psf import as_psf
from selfsharp.blur.regions import everywhere
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import read_photo
from selfsharp.metrics import psnr
from selfsharp.restore import blend as blending
from selfsharp.restore import restorer as restoring
from selfsharp.restore.checks import LARGEST_PSF, check_psf
from selfsharp.restore.restorer import Restorer

FLOWERS = Path(__file__).parents[2] / "examples" / "photos" / "sharp" / "flowers.webp"


@pytest.fixture(scope="module")
def base() -> Restorer:
    return Restorer("base", threads=1)


@pytest.fixture(scope="module")
def deconvolution(made_up) -> Restorer:
    return Restorer(made_up, threads=1, alone="deconvolution")


@pytest.fixture(scope="module")
def shaken():
    """A sharp photo, what a hand shake makes of all of it, and its PSF."""
    generator = np.random.default_rng(6)
    sharp = read_photo(FLOWERS).image[60:316, 60:380].copy()
    psf = shake.psf_of_extent(15.0, generator)
    camera = Camera("display", noise=1 / 255)
    region = everywhere(*sharp.shape[:2])
    return sharp, blur_region(sharp, psf, region, camera, generator).blurred, psf


@pytest.fixture
def no_estimate(monkeypatch):
    def refuse(*arguments, **others):
        raise AssertionError("a PSF that is given needs no estimate, and no check")

    monkeypatch.setattr(restoring, "judge", refuse)


def gain(restorer: Restorer, shaken, **others) -> float:
    sharp, blurred, _ = shaken
    mask = np.ones(sharp.shape[:2], np.float32)
    restored = restorer.restore(blurred, mask, **others).image
    return psnr.measure(restored, sharp) - psnr.measure(blurred, sharp)


@pytest.mark.usefixtures("no_estimate")
@pytest.mark.parametrize("name", ["base", "deconvolution"])
def test_a_known_psf_gains_several_decibels(request, name, shaken):
    assert gain(request.getfixturevalue(name), shaken, psf=shaken[2]) > 2.5


def test_another_psf_gains_less(deconvolution, shaken):
    turned = np.ascontiguousarray(np.rot90(shaken[2]))
    assert gain(deconvolution, shaken, psf=turned) < gain(deconvolution, shaken, psf=shaken[2]) - 2


@pytest.mark.usefixtures("no_estimate")
def test_outside_the_gate_every_pixel_is_bit_identical(base, deconvolution, shaken):
    _, blurred, psf = shaken
    mask = np.zeros(blurred.shape[:2], np.float32)
    mask[60:180, 80:240] = 1
    for restorer in (base, deconvolution):
        result = restorer.restore(blurred, mask, psf=psf)
        untouched = result.gate == 0
        assert untouched[mask == 0].all()
        np.testing.assert_array_equal(result.image[untouched], blurred[untouched])
        assert (result.image[~untouched] != blurred[~untouched]).any()


def test_the_gate_is_the_one_found(base, shaken):
    _, blurred, psf = shaken
    sharp = read_photo(FLOWERS).image[60:316, 60:380]
    half = np.where(np.arange(320)[None, :, None] < 160, blurred, sharp).copy()
    found = base.find_parts(half).gate > 0
    result = base.restore(half, psf=psf)
    assert (found[result.gate > 0]).all()
    np.testing.assert_array_equal(result.image[~found], half[~found])


@pytest.mark.usefixtures("no_estimate")
@pytest.mark.parametrize("name", ["base", "deconvolution"])
def test_a_point_changes_next_to_nothing(request, name, shaken):
    sharp = shaken[0]
    mask = np.ones(sharp.shape[:2], np.float32)
    result = request.getfixturevalue(name).restore(sharp, mask, psf=np.ones((1, 1), np.float32))
    assert psnr.measure(result.image, sharp) > 40


def test_the_psf_is_told_as_it_was_undone(deconvolution, shaken):
    _, blurred, psf = shaken
    mask = np.ones(blurred.shape[:2], np.float32)
    framed = 7 * np.pad(psf.astype(np.float64), ((0, 2), (4, 0)))
    result, plain = (deconvolution.restore(blurred, mask, psf=given) for given in (framed, psf))
    np.testing.assert_allclose(result.psf, as_psf(psf), atol=1e-7)
    np.testing.assert_allclose(result.image, plain.image, atol=1e-4)


def test_where_nothing_is_to_be_restored_a_psf_changes_nothing(deconvolution, shaken):
    _, blurred, psf = shaken
    nowhere = np.zeros(blurred.shape[:2], np.float32)
    assert deconvolution.restore(blurred, nowhere, psf=psf).image is blurred
    assert deconvolution.restore(blurred, 1 - nowhere, strength=0.0, psf=psf).image is blurred


def test_tiles_of_a_large_psf_join_without_a_seam(made_up, shaken):
    psf = defocus.psf(8.0, np.random.default_rng(0))
    generator = np.random.default_rng(1)
    sharp = np.tile(shaken[0], (1, 2, 1))
    region = everywhere(*sharp.shape[:2])
    blurred = blur_region(sharp, psf, region, Camera("display", noise=0.0), generator).blurred
    restorer = Restorer(made_up, threads=1, alone="deconvolution")
    counts = []
    restored = restorer.restore(
        blurred, region, progress=lambda _, total: counts.append(total), psf=psf
    ).image
    assert counts[0] > 1
    steps = np.abs(np.diff(restored - sharp, axis=1)).mean(axis=(0, 2))
    # Tiles meet at multiples of 208 px.
    assert steps[200:216].max() < 2 * np.median(steps)


@pytest.fixture
def unchecked():
    """Without jaxtyping's checks, which users do not have."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


BAD = {
    "no array": ([[1.0]], "list"),
    "even": (np.ones((4, 5)), "4 x 5"),
    "negative": (-np.ones((3, 3)), "-1"),
    "empty": (np.zeros((3, 3)), "0 everywhere"),
    "nan": (np.full((3, 3), np.nan), "not finite"),
    "larger than the photo": (np.ones((65, 65)), "64 px at most"),
}


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("name", BAD)
def test_what_is_no_psf_is_refused_in_one_line(deconvolution, photo, name):
    given, named = BAD[name]
    with pytest.raises(ValueError, match=rf"\Apsf .*{named}.*\Z"):
        deconvolution.restore(photo, psf=given)


def test_a_psf_larger_than_can_be_undone_is_refused():
    side = LARGEST_PSF + 2
    psf = np.full((side, side), 1 / side**2, np.float32)
    with pytest.raises(ValueError, match=f"psf of {side} x {side} .* {LARGEST_PSF} px at most"):
        check_psf(psf, np.zeros((400, 400, 3), np.float32))
    check_psf(psf[1:-1, 1:-1], np.zeros((400, 400, 3), np.float32))


def test_a_model_that_undoes_nothing_says_so(made_up_restorer, made_up, photo):
    network = Restorer("base", threads=1, alone="network")
    for restorer, name in ((made_up_restorer, "made-up"), (network, "base")):
        with pytest.raises(ValueError, match=rf"model {name} has no use for a psf; .+"):
            restorer.restore(photo, psf=np.ones((1, 1)))


def test_the_network_alone_estimates_nothing(shaken):
    _, blurred, _ = shaken
    mask = np.ones(blurred.shape[:2], np.float32)
    result = Restorer("base", threads=1, alone="network").restore(blurred, mask)
    assert result.psf is None


def test_deconvolution_alone_is_the_mean_of_the_proposals(deconvolution, shaken):
    from selfsharp.restore.proposal import propose

    _, blurred, psf = shaken
    gate = np.ones(blurred.shape[:2], np.float32)
    first, second = np.split(propose(blurred, gate, (psf, psf)), 2, axis=2)
    result = deconvolution.restore(blurred, gate, psf=psf)
    off = np.abs(result.image - (first + second) / 2)
    assert off[:, :200].mean() < 1 / 255


def test_without_an_estimate_deconvolution_alone_leaves_the_photo(deconvolution, photo):
    tiny = np.ones(photo.shape[:2], np.float32)
    result = deconvolution.restore(photo[:40, :40].copy(), tiny[:40, :40].copy())
    np.testing.assert_array_equal(result.image, photo[:40, :40])
    assert result.share == 0


def test_a_filters_blur_is_restored_half_by_the_proposals_themselves(base, shaken, monkeypatch):
    _, blurred, psf = shaken
    mask = np.ones(blurred.shape[:2], np.float32)
    # What is corrected afterwards is no longer the mean.
    monkeypatch.setattr(blending, "explain", lambda *_, **__: None)
    generator = base.restore(blurred, mask, psf=psf)
    alone = Restorer("base", threads=1, alone="deconvolution").restore(blurred, mask, psf=psf)
    monkeypatch.setattr(blending, "is_filtered", lambda _: True)
    both = base.restore(blurred, mask, psf=psf)
    opened = np.minimum.reduce([one.gate for one in (generator, alone, both)]) == 1
    for one in (generator, alone):  # What was cut off at black and white is no mean.
        opened &= ((one.image > 0) & (one.image < 1)).all(axis=2)
    assert opened.mean() > 0.2
    assert np.abs(generator.image - alone.image)[opened].mean() > 1 / 255
    halves = (generator.image + alone.image) / 2
    np.testing.assert_allclose(both.image[opened], halves[opened], atol=2e-3)
