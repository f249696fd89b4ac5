"""A pool with every source of samples, and a tiny training, which several files of tests share."""

import inspect
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from selfsharp.image import quantize
from selfsharp.recipe import Recipe
from selfsharp.training.footage import Clip
from selfsharp.training.pool import Pool

SMALL = {"widths": [8, 12], "down": [1, 1], "up": [1], "width": 8, "blocks": 1, "kernels": 8}
"""Options that make a network small, where it has them."""


@pytest.fixture(scope="session")
def full_pool(photo) -> Pool:
    """Photos of different sizes, some smaller than a crop's surroundings, and all else."""
    pixels = quantize(photo)
    frames = [np.roll(pixels, 2 * number, axis=1) for number in range(16)]
    thing = np.zeros((30, 20, 4), np.uint8)
    thing[4:26, 3:17] = (250, 120, 30, 255)
    large = np.tile(pixels, (4, 4, 1))
    return Pool(
        sharp=[large, pixels[:50, :44], large[:, ::-1]],
        frames=frames,
        cutouts=[thing],
        clips=[Clip([np.roll(large, number, axis=0) for number in range(40)], 0.5)],
    )


@pytest.fixture(autouse=True)
def keep_threads():
    """A recipe sets PyTorch's threads; other tests get theirs back."""
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def recipe(tmp_path, photo) -> Recipe:
    """A network of two small scales and four small photos."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(4):
        pixels = np.rot90(quantize(photo), number)
        PillowImage.fromarray(pixels).save(folder / f"{number}.png")
    return Recipe(
        network="unet",
        options={"widths": [8, 8], "down": [1, 1], "up": [1]},
        pictures=(folder,),
        crop=32,
        batch=2,
        crops=16,
        warm_up=4,
        workers=0,
        threads=1,
        precision="float32",
    )


@pytest.fixture(scope="session")
def save_untrained() -> Callable[..., Path]:
    """What saves a small network's checkpoint; its last layers' small starts are made up for."""
    torch = pytest.importorskip("torch")

    from selfsharp.networks.detector import Detector
    from selfsharp.networks.estimator import Estimator
    from selfsharp.networks.generators import GENERATORS
    from selfsharp.recipe import as_method
    from selfsharp.training.checkpoint import save_average
    from selfsharp.training.state import build_network

    def save(path: Path, network: str, **options: list[int]) -> Path:
        finders = {"detector": Detector, "estimator": Estimator}
        make = finders.get(network) or GENERATORS.load(network).Generator
        taken = inspect.signature(make).parameters
        recipe = Recipe(
            network=network, options={k: v for k, v in SMALL.items() if k in taken} | options
        )
        torch.manual_seed(3)
        weights = build_network(recipe).state_dict()
        noise = {name: 0.03 * torch.randn_like(value) for name, value in weights.items()}
        average = {name: value + noise[name] for name, value in weights.items()}
        save_average(path, average, {"recipe": as_method(recipe), "crops": 0, "seconds": 0.0})
        return path

    return save
