"""Blur on the device equals blur on the processor, sample by sample, within rounding."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from selfsharp.blur import camera as on_cpu  # noqa: E402
from selfsharp.blur.camera import Camera, Curve  # noqa: E402
from selfsharp.blur.kinds import defocus, motion, shake  # noqa: E402
from selfsharp.blur.path import draw_line, draw_path, rest  # noqa: E402
from selfsharp.blur.psf import blur_radius  # noqa: E402
from selfsharp.blur.regions import blob  # noqa: E402
from selfsharp.blur.synthesis import blur_region  # noqa: E402
from selfsharp.blur.varying import blur_by_path  # noqa: E402
from selfsharp.training import device_blur  # noqa: E402

CAMERAS = [
    Camera(noise=0.0, rounded=False),
    Camera("linear", noise=0.0, rounded=False),
    Camera("linear", noise=0.0, rounded=False, saturation=4.0, curve=Curve(2.2)),
    Camera("linear", noise=0.0, rounded=False, exposure=1.0, curve=Curve(None, 0.5)),
    Camera("linear", noise=0.0, rounded=False, chroma_blur=0.9, curve=Curve(1.9, 0.2)),
    Camera("display", noise=0.0, rounded=False, chroma_blur=0.4, exposure=-1.0),
]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def drawn_noise(light: "torch.Tensor", seed: int = 0):
    source = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(light.shape, generator=source) for _ in range(2))


def stacked(images) -> "torch.Tensor":
    return torch.from_numpy(np.stack([image.transpose(2, 0, 1) for image in images]))


def unstacked(batch: "torch.Tensor") -> list[np.ndarray]:
    return list(batch.numpy().transpose(0, 2, 3, 1))


@pytest.fixture(scope="module")
def photos(photo) -> list[np.ndarray]:
    return [np.ascontiguousarray(np.roll(photo, 7 * k, axis=1)) for k in range(len(CAMERAS))]


def test_regions_blurred_by_psfs_of_any_size_equal_those_of_the_processor(photos):
    kinds = [defocus, motion, shake, defocus, defocus, shake]
    radii = [2.0, 5.0, 4.0, 0.4, 6.0, 1.0]
    psfs = [kinds[k].psf(radius, rng(k)) for k, radius in enumerate(radii)]
    regions = [blob(64, 80, rng(k)) for k in range(len(photos))]
    blurred, sharp, radius = device_blur.blur_regions(
        stacked(photos),
        device_blur.stack_psfs(psfs, "cpu"),
        torch.tensor([blur_radius(psf) for psf in psfs])[:, None, None, None],
        torch.from_numpy(np.stack(regions))[:, None],
        device_blur.stack_cameras(CAMERAS),
        drawn_noise(stacked(photos)),
    )
    for k, camera in enumerate(CAMERAS):
        wanted = blur_region(photos[k], psfs[k], regions[k], camera, rng())
        np.testing.assert_allclose(unstacked(blurred)[k], wanted.blurred, atol=1e-4)
        np.testing.assert_allclose(unstacked(sharp)[k], wanted.sharp, atol=1e-4)
        np.testing.assert_allclose(radius[k, 0].numpy(), wanted.blur_map, atol=1e-5)


def test_paths_of_any_length_equal_those_of_the_processor(photos):
    margin = 12
    paths = [
        draw_path(1.5, 0.5, 64, 80, (30.0, 10.0), rng(k)) if k % 2 else draw_line(2.0 + k, rng(k))
        for k in range(len(photos) - 1)
    ]
    paths.append(rest(9))
    assert len({len(path) for path in paths}) > 2
    inner = torch.zeros(len(paths), 3, 64 - 2 * margin, 80 - 2 * margin)
    blurred, sharp = device_blur.blur_by_paths(
        stacked(photos), paths, margin, device_blur.stack_cameras(CAMERAS), (inner, inner)
    )
    for k, camera in enumerate(CAMERAS):
        wanted = blur_by_path(photos[k], paths[k], margin, camera, rng())
        np.testing.assert_allclose(unstacked(blurred)[k], wanted.blurred, atol=3e-4)
        np.testing.assert_allclose(unstacked(sharp)[k], wanted.sharp, atol=1e-4)


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda camera: f"{camera.light}-{camera.curve}")
def test_a_camera_takes_the_same_photo(photos, camera):
    cameras = device_blur.stack_cameras([camera])
    light = device_blur.expose(stacked(photos[:1]), cameras)
    np.testing.assert_allclose(unstacked(light)[0], on_cpu.expose(photos[0], camera), atol=2e-5)
    image = unstacked(device_blur.develop(light, cameras, drawn_noise(light)))[0]
    wanted = on_cpu.develop(on_cpu.expose(photos[0], camera), camera, rng())
    np.testing.assert_allclose(image, wanted, atol=1e-4)


def test_noise_has_the_same_variance_in_shadow_and_light():
    camera = Camera("linear", 0.004, rounded=False, shot_noise=0.03, read_noise=0.004)
    for level in (0.2, 0.7):
        grey = np.full((120, 120, 3), level, np.float32)
        light = stacked([on_cpu.expose(grey, camera)])
        image = device_blur.develop(light, device_blur.stack_cameras([camera]), drawn_noise(light))
        wanted = on_cpu.develop(on_cpu.expose(grey, camera), camera, rng())
        assert image.numpy().std() == pytest.approx(wanted.std(), rel=0.03)
        assert image.numpy().mean() == pytest.approx(wanted.mean(), abs=5e-4)


def test_the_noise_alone_decides_and_samples_are_rounded_as_a_file_is(photos):
    cameras = device_blur.stack_cameras([replace(one, rounded=True, noise=0.01) for one in CAMERAS])
    one, same, other = (
        device_blur.develop(stacked(photos), cameras, drawn_noise(stacked(photos), seed))
        for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    np.testing.assert_allclose(one.numpy() * 255, np.rint(one.numpy() * 255), atol=1e-3)


def test_a_jpeg_is_left_to_the_processor():
    with pytest.raises(ValueError, match="JPEG of quality 90 cannot be made on the device"):
        device_blur.stack_cameras([Camera(jpeg_quality=90)])
