"""Makes the golden outputs anew: to be run after a new model was bundled, and looked at."""

from pathlib import Path

from PIL import Image as PillowImage

from selfsharp.image import quantize, read_photo
from selfsharp.restore.restorer import Restorer

HERE = Path(__file__).parent
blurred = read_photo(HERE.parents[1] / "examples" / "photos" / "flowers-blurred.png").image
restored = quantize(Restorer("base").restore(blurred).image)
PillowImage.fromarray(restored).save(HERE / "flowers-restored.png")
