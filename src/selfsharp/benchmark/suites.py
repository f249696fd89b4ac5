"""The suites: what is done to each photo, and what is measured on it."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool
from PIL import Image as PillowImage
from PIL import ImageFilter

from selfsharp.blur.kinds import shake
from selfsharp.blur.regions import blob
from selfsharp.blur.synthesis import Camera, Sample, blur_region
from selfsharp.image import Image
from selfsharp.map_metrics import intersection_over_union
from selfsharp.metrics import identical, psnr
from selfsharp.restore.restorer import Restorer

Row = dict[str, float | str]
FAR = 24
"""Pixels further than this from the true blur have to come back untouched."""


def partly(restorer: Restorer, sharp: Image, seed: list[int]) -> tuple[list[Row], list[Image]]:
    """Hand shake in a blob: extent 10 to 26 px, 30 % of the area, noise 1/255, 8 bit.

    Blurred as displayed (sRGB values), as the equation A = b * S + N says. Rows: the mask
    found by the detector, and the true mask given.

    Returns:
        The rows, and pictures to show: input, restored by found and by true mask, sharp.
    """
    sample = shaken_blob(sharp, seed)
    inside = sample.blur_map > 0
    far = np.invert(_near(inside, FAR))
    if not far.any():
        size = f"{sharp.shape[1]} x {sharp.shape[0]}"
        raise ValueError(f"a photo of {size} has no pixel {FAR} px off the blur; give larger ones")
    before = psnr.measure(sample.blurred, sharp, inside)
    rows, pictures = [], [sample.blurred]
    for name, mask in (("found", None), ("true", sample.mask)):
        result = restorer.restore(sample.blurred, mask)
        opened = result.blur_map > 0
        rows.append(
            {
                "mask": name,
                "before": before,
                "gain": gain(psnr.measure(result.image, sharp, inside), before),
                "whole gain": gain(
                    psnr.measure(result.image, sharp), psnr.measure(sample.blurred, sharp)
                ),
                "far identical": identical.measure(result.image, sample.blurred, far),
                "overlap": intersection_over_union.measure(opened, inside),
            }
        )
        pictures.append(result.image)
    return rows, [*pictures, sharp]


def identity(restorer: Restorer, sharp: Image, seed: list[int]) -> tuple[list[Row], list[Image]]:
    """A sharp photo as it is: how much of it comes back bit-identical."""
    result = restorer.restore(sharp)
    row: Row = {
        "identical": identical.measure(result.image, sharp),
        "PSNR": psnr.measure(result.image, sharp),
        "share": result.share,
    }
    return [row], [sharp, result.image]


SUITES: dict[str, Callable[[Restorer, Image, list[int]], tuple[list[Row], list[Image]]]] = {
    "partly": partly,
    "identity": identity,
}


def shaken_blob(sharp: Image, seed: list[int]) -> Sample:
    """The photo of the suite `partly`."""
    generator = np.random.default_rng(seed)
    psf = shake.psf_of_extent(generator.uniform(10, 26), generator)
    region = blob(sharp.shape[0], sharp.shape[1], generator, share=0.3)
    return blur_region(sharp, psf, region, Camera(light="display", noise=1 / 255), generator)


def gain(after: float, before: float) -> float:
    """The difference in dB; nothing is gained where both are infinite."""
    return 0.0 if after == before else after - before


def _near(inside: Bool[np.ndarray, "height width"], reach: int) -> Bool[np.ndarray, "height width"]:
    """The pixels at most `reach` rows and columns away from the inside."""
    picture = PillowImage.fromarray(inside.astype(np.uint8) * 255)
    return np.asarray(picture.filter(ImageFilter.MaxFilter(2 * reach + 1))) > 0
