"""Generators, an open folder. Each file is an architecture and defines `Generator`.

A generator takes a blurred tile (batch, 3, height, width) in 0..1 and what is known of its
blur (batch, 2, height, width): the gate in 0..1 and the radius in pixels, 0 where unknown.
It returns the residual to add to the tile. `Generator.multiple` is its size rule: height and
width of a tile have to be multiples of it. Settings are keyword arguments of the constructor
and travel in the model's card.
"""

from selfsharp.catalogue import Folder

GENERATORS = Folder("selfsharp.networks.generators", "generator")
