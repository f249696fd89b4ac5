"""Blurs a part of a sharp photo and measures what restoring gains: PHOTO."""

import sys

import numpy as np

from selfsharp import Restorer, read_photo
from selfsharp.blur.kinds import KINDS
from selfsharp.blur.regions import blob
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.metrics import psnr

sharp = read_photo(sys.argv[1]).image
restorer = Restorer()
for kind in KINDS.names():
    generator = np.random.default_rng(0)
    psf = KINDS.load(kind).psf(3.0, generator)
    region = blob(sharp.shape[0], sharp.shape[1], generator, share=0.3)
    sample = blur_region(sharp, psf, region, Camera(), generator)
    restored = restorer.restore(sample.blurred, sample.mask).image
    inside = sample.blur_map > 0
    before, after = (psnr.measure(x, sharp, inside) for x in (sample.blurred, restored))
    print(f"{kind:10} {before:.2f} dB -> {after:.2f} dB in the blurred region")
