"""DeblurGAN's generator: a residual network with instance norm, 11.4 M parameters."""

from selfsharp.networks.resnet import ResidualGenerator


class Generator(ResidualGenerator):
    """Predicts what to add to a blurred tile, from the tile alone.

    756 GMAC per megapixel. Source: O. Kupyn, V. Budzan, M. Mykhailych, D. Mishkin and
    J. Matas, 2018, doi:10.1109/CVPR.2018.00854.

    Args:
        width: channels at full size.
        blocks: residual blocks, of two convolutions each.
    """

    def __init__(self, width: int = 64, blocks: int = 9) -> None:
        super().__init__(width, blocks)
