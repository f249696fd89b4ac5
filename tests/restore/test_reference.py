"""What repeats in a photo is carried over to where it is blurred; what does not, is not."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfsharp.blur.kinds import KINDS
from selfsharp.blur.regions import everywhere
from selfsharp.blur.synthesis import Camera, Sample, blur_region
from selfsharp.image import Image, read_photo
from selfsharp.metrics import psnr
from selfsharp.restore.matches import SHARE, Matches, find, joined, transfer
from selfsharp.restore.patches import Layout
from selfsharp.restore.proposal import middle, propose
from selfsharp.restore.provenance import trace
from selfsharp.restore.reference import MOST, encode
from selfsharp.restore.restorer import Restorer

FLOWERS = Path(__file__).parents[2] / "examples" / "photos" / "sharp" / "flowers.webp"
CAMERA = Camera(light="display", noise=1 / 255)
WHOLE = slice(0, 360), slice(0, 480)


@pytest.fixture(scope="module")
def tiled() -> Image:
    """A texture that repeats every 120 px."""
    return np.tile(read_photo(FLOWERS).image[120:240, 200:320], (3, 4, 1))


@pytest.fixture(scope="module")
def unlike() -> Image:
    """A photo in which nothing repeats."""
    return np.random.default_rng(3).uniform(0.2, 0.8, (360, 480, 3)).astype(np.float32)


def blurred(sharp: Image, kind: str = "shake", radius: float = 4.0) -> tuple[Sample, np.ndarray]:
    """The middle of a photo blurred, and its PSF."""
    psf = KINDS.load(kind).psf(radius, np.random.default_rng(5))
    region = np.zeros(sharp.shape[:2], np.float32)
    region[130:230, 180:320] = 1
    return blur_region(sharp, psf, region, CAMERA, np.random.default_rng(6)), psf


def told(sample: Sample, psf: np.ndarray, window=WHOLE) -> np.ndarray:
    references = encode(sample.blurred, sample.mask, psf)
    assert references is not None
    return transfer(find(sample.blurred, sample.mask, references), references, window)


@pytest.mark.parametrize(
    ("kind", "radius"), [("shake", 3.0), ("shake", 6.0), ("gaussian", 5.0), ("defocus", 8.0)]
)
def test_what_repeats_is_carried_over(kind, radius, tiled):
    sample, psf = blurred(tiled, kind, radius)
    found = told(sample, psf)
    restored = np.clip(sample.blurred + found[:, :, :3], 0, 1)
    inside = np.zeros(WHOLE[0].stop * WHOLE[1].stop, bool).reshape(360, 480)
    inside[150:210, 200:300] = True
    before, after = (psnr.measure(x, tiled, inside) for x in (sample.blurred, restored))
    assert after > before + 8
    assert found[inside][:, 3].mean() > 0.7
    assert found[inside][:, 4].mean() > 0.7


def test_what_does_not_repeat_is_told_as_such(unlike, tiled):
    likeness = [told(*blurred(photo))[160:200, 220:280, 3].mean() for photo in (unlike, tiled)]
    assert likeness[0] < 0.1 < 0.7 < likeness[1]


@pytest.mark.parametrize("kind", ["shake", "defocus"])
def test_undone_keys_are_found_for_what_is_undone(kind, tiled):
    sample, psf = blurred(tiled, kind, 5.0)
    both = psf, psf
    references = encode(sample.blurred, sample.mask, psf, both)
    assert references is not None
    undone = middle(propose(sample.blurred, sample.mask, both))
    found = transfer(find(undone, sample.mask, references), references, WHOLE)
    inside = np.zeros(sample.mask.shape, bool)
    inside[150:210, 200:300] = True
    before, after = (psnr.measure(x, tiled, inside) for x in (undone, undone + found[:, :, :3]))
    assert after > before + 3
    assert found[inside][:, 3].mean() > 0.5
    # What is blurred is not like what is undone.
    blurs = find(sample.blurred, sample.mask, references).errors
    assert np.median(find(undone, sample.mask, references).errors) < 0.5 * np.median(blurs)


def test_keys_that_are_not_blurred_again_match_worse(tiled):
    sample, psf = blurred(tiled, "gaussian", 6.0)
    point = np.zeros_like(psf)
    point[psf.shape[0] // 2, psf.shape[0] // 2] = 1
    references = encode(sample.blurred, sample.mask, psf)
    sharp = encode(sample.blurred, sample.mask, point)
    assert references is not None
    assert sharp is not None
    errors = find(sample.blurred, sample.mask, references).errors
    worse = find(sample.blurred, sample.mask, sharp).errors
    assert np.median(errors) < 0.5 * np.median(worse)


def test_a_window_is_told_what_the_whole_is(tiled):
    sample, psf = blurred(tiled)
    whole = told(sample, psf)
    window = slice(100, 260), slice(150, 350)
    # Votes are compared over 9 px, so a window's rim sees less.
    inner = slice(4, -4), slice(4, -4)
    np.testing.assert_allclose(
        told(sample, psf, window)[inner], whole[window][inner], rtol=1e-4, atol=1e-5
    )


def test_keys_are_sharp_as_far_as_blurring_them_again_sees(tiled):
    sample, psf = blurred(tiled)
    references = encode(sample.blurred, sample.mask, psf)
    assert references is not None
    reach, side = psf.shape[0] // 2, references.layout.side
    for top, left in references.keys:
        seen = slice(top - reach, top + side + reach), slice(left - reach, left + side + reach)
        assert top >= reach
        assert left >= reach
        assert not sample.mask[seen].any()
        assert sample.mask[seen].shape == (side + 2 * reach,) * 2


def test_the_most_like_of_a_patch_s_keys_comes_first(tiled):
    sample, psf = blurred(tiled)
    references = encode(sample.blurred, sample.mask, psf)
    assert references is not None
    matches = find(sample.blurred, sample.mask, references)
    assert matches.keys.shape == (len(matches.queries), 4, 2)
    assert (np.diff(matches.errors, axis=1) >= 0).all()
    means = references.layout.means(sample.blurred)
    patches = references.layout.patches(means, matches.queries)
    again = references.layout.patches(references.means, matches.keys[:, 0])
    squares = ((patches - again) ** 2).mean(axis=1)
    contrast = (patches**2).mean(axis=1)
    assert (matches.errors[:, 0] <= squares / contrast + 1e-5).all()


def test_matches_of_windows_are_joined(tiled):
    sample, psf = blurred(tiled)
    references = encode(sample.blurred, sample.mask, psf)
    assert references is not None
    windows = [(slice(100, 180), slice(160, 340)), (slice(180, 260), slice(160, 340))]
    found = [
        find(sample.blurred[w], sample.mask[w], references, (w[0].start, w[1].start))
        for w in windows
    ]
    both = joined(found)
    assert both is not None
    assert len(both.queries) == sum(len(one.queries) for one in found)
    for top, left in both.queries:
        assert (sample.mask[top : top + both.side, left : left + both.side] > 0).mean() > SHARE
    assert joined([]) is None


def test_what_is_blurred_is_matched_and_nothing_else(tiled):
    sample, psf = blurred(tiled)
    references = encode(sample.blurred, sample.mask, psf)
    assert references is not None
    matches = find(sample.blurred, sample.mask, references)
    assert isinstance(matches, Matches)
    assert len(matches.queries) > 100
    for top, left in matches.queries:
        patch = sample.mask[top : top + matches.side, left : left + matches.side]
        assert patch.shape == (matches.side,) * 2
        assert (patch > 0).mean() > SHARE
    far = transfer(matches, references, (slice(0, 80), slice(0, 100)))
    assert not far.any()


@pytest.mark.parametrize("share", [0.99, 1.0])
def test_a_photo_without_a_sharp_part_has_no_references(share, tiled):
    gate = everywhere(*tiled.shape[:2])
    gate[: int((1 - share) * 360)] = 0
    psf = KINDS.load("shake").psf(4.0, np.random.default_rng(0))
    assert encode(tiled, gate, psf) is None


@pytest.mark.parametrize("shape", [(9, 300), (300, 9), (5, 5), (1, 1)])
def test_a_photo_smaller_than_a_patch_has_no_references(shape):
    psf = KINDS.load("shake").psf(6.0, np.random.default_rng(0))
    assert encode(np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32), psf) is None


def test_a_large_photo_is_encoded_where_it_is_sharp_and_close_by():
    generator = np.random.default_rng(0)
    image = generator.uniform(size=(1300, 1700, 3)).astype(np.float32)
    gate = np.zeros((1300, 1700), np.float32)
    gate[900:1200, 1250:1500] = 1
    psf = KINDS.load("shake").psf(3.0, generator)
    references = encode(image, gate, psf)
    assert references is not None
    assert max(references.detail.shape[:2]) <= 1024
    assert len(references.keys) <= MOST
    top, left = references.origin
    assert top <= 900 - 200
    assert left <= 1250 - 200
    assert top + references.detail.shape[0] >= 1200
    # What lies in the photo at a key is what the key is made of.
    one = references.keys[len(references.keys) // 2]
    row, column = one + references.origin
    patch = references.detail[one[0], one[1]]
    assert np.isfinite(patch).all()
    assert gate[row, column] == 0


@settings(max_examples=20, deadline=None)
@given(
    height=st.integers(40, 150),
    width=st.integers(40, 150),
    radius=st.floats(0.7, 9),
    seed=st.integers(0, 99),
)
def test_whatever_the_part_what_is_told_has_its_range(height, width, radius, seed):
    generator = np.random.default_rng(seed)
    image = generator.uniform(size=(height, width, 3)).astype(np.float32)
    gate = np.zeros((height, width), np.float32)
    top, left = int(generator.integers(height)), int(generator.integers(width))
    gate[top:, left:] = generator.uniform(0.1, 1)
    psf = KINDS.load("shake").psf(radius, generator)
    references = encode(image, gate, psf)
    if references is None:
        return
    window = slice(0, height), slice(0, width)
    found = transfer(find(image, gate, references), references, window)
    assert found.shape == (height, width, 5)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert np.abs(found[:, :, :3]).max() <= 1
    assert found[:, :, 3:].min() >= 0
    assert found[:, :, 3:].max() <= 1 + 1e-5


@pytest.mark.parametrize("radius", [0.5, 1.0, 4.0, 15.0, 60.0])
def test_patches_are_as_fine_as_the_blur_lets_them_be(radius):
    layout = Layout.for_blur(KINDS.load("gaussian").psf(radius, np.random.default_rng(0)))
    assert layout.side >= 9
    assert layout.spacing == max(1, round(radius / 4))
    assert 7 <= layout.samples <= 9


def test_a_patch_is_the_means_of_its_squares():
    image = np.random.default_rng(0).uniform(size=(40, 50, 3)).astype(np.float32)
    layout = Layout(samples=5, spacing=3)
    (found,) = layout.patches(layout.means(image), np.array([[7, 11]], np.int32))
    square = image[7:22, 11:26].reshape(5, 3, 5, 3, 3).mean(axis=(1, 3), dtype=np.float64)
    wanted = (square - square.mean(axis=(0, 1))).ravel()
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_a_model_that_asks_for_references_is_told_them(referring, tiled):
    sample, psf = blurred(tiled)
    restorer = Restorer(referring, threads=1)
    assert restorer.refers
    restored = restorer.restore(sample.blurred, sample.mask, psf=psf)
    assert restored.references is not None
    inside = np.zeros(sample.mask.shape, bool)
    inside[150:210, 200:300] = True
    before, after = (psnr.measure(x, tiled, inside) for x in (sample.blurred, restored.image))
    assert after > before + 8
    assert np.array_equal(restored.image[sample.mask == 0], sample.blurred[sample.mask == 0])


def test_where_nothing_is_sharp_it_is_told_nothing(referring, tiled, monkeypatch):
    sample, psf = blurred(tiled)
    # What is corrected afterwards is no longer what the generator made.
    monkeypatch.setattr("selfsharp.restore.blend.explain", lambda *_, **__: None)
    restorer = Restorer(referring, threads=1)
    whole = restorer.restore(sample.blurred, everywhere(*sample.mask.shape), psf=psf)
    assert whole.references is None
    alone = Restorer(referring, threads=1, alone="deconvolution")
    undone = alone.restore(sample.blurred, everywhere(*sample.mask.shape), psf=psf)
    np.testing.assert_allclose(whole.image, undone.image, atol=1e-6)


def test_what_a_pixel_was_told_of_lies_in_the_sharp_part_and_looks_like_it(referring, tiled):
    sample, psf = blurred(tiled)
    restored = Restorer(referring, threads=1).restore(sample.blurred, sample.mask, psf=psf)
    traced = trace(restored.references, restored.gate)
    told = traced.strength > 0.5
    assert told.any()
    assert not traced.strength[restored.gate == 0].any()
    rows, columns = traced.source[told].T
    assert not sample.mask[rows, columns].any()
    off = np.abs(tiled[rows, columns] - tiled[told]).mean()
    assert off < 0.2 * np.abs(tiled - np.roll(tiled, 37, axis=1)).mean()
    assert traced.sources.max() == traced.strength.max()
    assert not traced.sources[sample.mask > 0].any()


def test_without_matches_nothing_is_traced():
    traced = trace(None, np.ones((5, 7), np.float32))
    assert not traced.strength.any()
    assert not traced.sources.any()
    assert traced.source.shape == (5, 7, 2)
