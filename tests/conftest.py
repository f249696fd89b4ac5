"""What all tests share: array shapes checked as the code runs, and a synthetic photo."""

import hypothesis
import numpy as np
import pytest
from jaxtyping import install_import_hook

# From here on every call within selfsharp is checked against its annotations.
install_import_hook("selfsharp", "beartype.beartype")

# Derandomized: a change of the code fails the tests, not a change of the weather.
hypothesis.settings.register_profile("selfsharp", deadline=None, derandomize=True)
hypothesis.settings.load_profile("selfsharp")


@pytest.fixture(scope="session")
def photo() -> np.ndarray:
    """A small photo with texture at every scale, RGB float32 in 0..1 at 8 bit; read-only."""
    generator = np.random.default_rng(20)
    height, width = 64, 80
    image = np.zeros((height, width, 3))
    for size in (1, 2, 4, 8, 16):
        patches = generator.random((height // size, width // size, 3))
        image += patches.repeat(size, axis=0).repeat(size, axis=1)
    image = (image - image.min()) / np.ptp(image)
    image = np.rint(image * 255).astype(np.float32) / np.float32(255)
    image.setflags(write=False)
    return image
