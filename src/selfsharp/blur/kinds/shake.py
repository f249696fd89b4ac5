"""Hand shake: the path of a camera that a hand holds, a random trajectory.

After G. Boracchi and A. Foi, Modeling the performance of image restoration from motion
blur, IEEE Transactions on Image Processing 21(8), 2012, doi:10.1109/TIP.2012.2192126.
"""

import math

import numpy as np
from jaxtyping import Float

from selfsharp.blur.psf import Psf, trace, with_radius

STEPS = 384


def psf(radius: float, generator: np.random.Generator) -> Psf:
    """A random trajectory, scaled to the wanted radius.

    Raises:
        ValueError: the radius is negative or not finite.
    """
    path = trajectory(generator)
    spread = math.sqrt((path**2).sum(axis=1).mean())
    return with_radius(lambda radius: trace(path * (radius / spread)), radius)


def psf_of_extent(extent: float, generator: np.random.Generator) -> Psf:
    """A random trajectory whose longer side measures `extent` px.

    Raises:
        ValueError: the extent is under 1 px or not finite.
    """
    if not (math.isfinite(extent) and extent >= 1):
        raise ValueError(f"extent {extent} of a shake is not a number of pixels >= 1; try 10 to 26")
    path = trajectory(generator)
    return trace(path * ((extent - 1) / np.ptp(path, axis=0).max()))


def trajectory(generator: np.random.Generator) -> Float[np.ndarray, "steps 2"]:
    """A path of a shaking hand: inertia, small random pushes, rare jerks, a pull back.

    How nervous the hand is, is drawn too: from nearly straight paths to tangled ones.
    The path is centred on its centroid and has no particular scale.
    """
    anxiety = generator.uniform(0.0, 1.0) ** 2
    velocity = np.exp(2j * math.pi * generator.uniform())
    position = 0j
    pull = 0.7 * generator.uniform() / STEPS
    pushes = generator.normal(size=(STEPS, 2)) @ np.array([1, 1j]) * (0.02 + 0.18 * anxiety)
    jerks = generator.uniform(size=STEPS) < 4.0 * anxiety / STEPS
    turns = math.pi + generator.uniform(-0.5, 0.5, size=STEPS)
    path = np.empty((STEPS, 2))
    for step in range(STEPS):
        path[step] = position.imag, position.real
        change = pushes[step] - pull * position
        if jerks[step]:
            change += 2 * abs(velocity) * np.exp(1j * (np.angle(velocity) + turns[step]))
        velocity += change
        velocity /= max(abs(velocity), 1e-9)
        position += velocity
    return path - path.mean(axis=0)
