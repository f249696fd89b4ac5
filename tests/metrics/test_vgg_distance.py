"""vgg_distance rises with blur as it should, sees no pieces, and agrees with PyTorch."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from selfsharp.blur.convolve import convolve
from selfsharp.blur.kinds import KINDS, gaussian
from selfsharp.image import quantize, read_photo
from selfsharp.metrics import vgg_distance
from selfsharp.metrics.vgg_distance import measure

FLOWERS = Path(__file__).parents[2] / "examples" / "photos" / "sharp" / "flowers.webp"


@pytest.fixture(scope="module")
def flowers():
    """A real photo's middle, 192 x 160."""
    return np.ascontiguousarray(read_photo(FLOWERS).image[160:320, 160:352])


def softened(image, sigma):
    """Blurred by a Gaussian of so many pixels."""
    soft = convolve(image, gaussian.psf(sigma * 2**0.5, np.random.default_rng(0)))
    return np.clip(soft, 0, 1)


def test_a_blurred_copy_is_as_far_off_as_the_weights_are_known_to_say(flowers):
    found = [measure(softened(flowers, sigma), flowers) for sigma in (0.5, 1, 2, 3, 4)]
    for value, wanted in zip(found, (0.02, 0.15, 0.45, 0.62, 0.72), strict=True):
        assert value == pytest.approx(wanted, rel=0.3)


@pytest.mark.parametrize("kind", KINDS.names())
def test_more_blur_is_further_off(kind, flowers):
    found = [
        measure(
            np.clip(convolve(flowers, KINDS.load(kind).psf(r, np.random.default_rng(1))), 0, 1),
            flowers,
        )
        for r in (0.7, 1.5, 3.0, 6.0)
    ]
    assert found == sorted(found)
    assert 0 < found[0] < found[-1] < 1.2


def test_another_photo_is_further_off_than_any_blur(flowers):
    street = np.asarray(PillowImage.open(FLOWERS.parents[1] / "street.webp").convert("RGB"))
    other = street[200:360, 300:492].astype(np.float32) / np.float32(255)
    assert measure(other, flowers) > measure(softened(flowers, 6.0), flowers)


def test_pieces_leave_no_trace(flowers, monkeypatch):
    restored = softened(flowers, 1.0)
    region = np.zeros(flowers.shape[:2], bool)
    region[30:101, 70:161] = True
    whole = [measure(restored, flowers), measure(restored, flowers, region)]
    monkeypatch.setattr(vgg_distance, "PIECE", 48)
    pieces = [measure(restored, flowers), measure(restored, flowers, region)]
    assert pieces == pytest.approx(whole, rel=1e-5)


def test_the_region_decides_which_places_count(flowers):
    left = np.zeros(flowers.shape[:2], bool)
    left[:, :96] = True
    half = np.where(left[:, :, None], softened(flowers, 2.0), flowers)
    far = np.zeros_like(left)
    far[:, 96 + vgg_distance.REACH :] = True
    assert measure(half, flowers, left) > 0.2
    assert measure(half, flowers, far) == 0
    assert 0 < measure(half, flowers) < measure(half, flowers, left)


def test_nothing_beyond_the_reach_counts_wherever_the_region_begins(flowers):
    for column in range(60, 65):
        region = np.zeros(flowers.shape[:2], bool)
        region[:, :column] = True
        other = flowers.copy()
        other[:, column + vgg_distance.REACH :] = 0
        assert measure(other, flowers, region) == 0
        other[:, column + 8 :] = 0
        assert measure(other, flowers, region) > 0


@pytest.mark.parametrize("shape", [(1, 1), (3, 50), (21, 18)])
def test_any_size_will_do(shape):
    one, other = np.random.default_rng(0).random((2, *shape, 3), np.float32)
    assert 0 < measure(one, other) < 10
    assert measure(one, one) == 0


def test_it_agrees_with_pytorch_in_float64(flowers):
    torch = pytest.importorskip("torch")
    from selfsharp.networks.vgg import Vgg, read_weights

    network = Vgg(read_weights()).double()
    restored = softened(flowers, 1.0)
    weights = np.random.default_rng(3).random(flowers.shape[:2], np.float32)
    features = [
        network(torch.from_numpy(quantize(x).transpose(2, 0, 1) / 255.0)[None])[0].numpy()
        for x in (restored, flowers)
    ]
    cells = weights.astype(float).reshape(40, 4, 48, 4).sum(axis=(1, 3))
    off = (cells * ((features[0] - features[1]) ** 2).sum(axis=0)).sum()
    wanted = off / (cells * (features[1] ** 2).sum(axis=0)).sum()
    assert measure(restored, flowers, weights) == pytest.approx(wanted, rel=1e-4)
