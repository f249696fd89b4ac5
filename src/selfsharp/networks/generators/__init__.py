"""Generators, an open folder. Each file is an architecture and defines `Generator`.

`Generator.inputs` names what a generator takes, each (batch, channels, height, width):
`image`, the blurred tile in 0..1; `blur`, the gate in 0..1 and the radius in pixels, 0 where
unknown; `proposals`, what physics makes of the tile by two estimates of its PSF, the tile
itself where there is none; `references`, what the photo's sharp part tells of the tile: detail to
add to it, how like the matched places are and how far they agree, all 0 where there is none. It
returns the residual to add to the tile. `Generator.multiple` is its size rule: height and
width of a tile have to be multiples of it. `Generator.whole_tile`
says whether a pixel's result depends on all of the tile, as norms of the whole tile and attention
make it, or on its surroundings alone. `Generator.every_scale` gives residuals at full size and
at coarser ones, for supervision at several scales. Settings are keyword arguments of the
constructor and travel in the model's card.
"""

from selfsharp.catalogue import Folder

GENERATORS = Folder("selfsharp.networks.generators", "generator")
