"""Scenes, an open folder: what is blurred, and how, in a sample made of a sharp photo.

Each file is a scene and defines one function.

``draw(pool: Pool, recipe: Recipe, generator: numpy.random.Generator) -> Sample``

A sample of the recipe's crop size. A recipe's `mix.scenes` gives each scene its share.
"""

from selfsharp.catalogue import Folder

SCENES = Folder("selfsharp.training.scenes", "scene")
