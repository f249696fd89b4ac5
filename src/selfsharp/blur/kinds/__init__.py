"""Kinds of blur, an open folder. Each file is a kind and defines one function.

``psf(radius: float, generator: numpy.random.Generator) -> Psf``

A PSF of the wanted radius; what the radius leaves open (direction, path) is drawn from
the generator, and equal seeds give the same shape at every radius.
"""

from selfsharp.catalogue import Folder

KINDS = Folder("selfsharp.blur.kinds", "blur kind")
