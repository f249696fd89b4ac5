"""SR-GN's generator: DeblurGAN's, with self-attention and spectral normalisation."""

from selfsharp.networks.resnet import ResidualGenerator


class Generator(ResidualGenerator):
    """Predicts what to add to a blurred tile, from the tile alone.

    Source: A. Khmag and R. Ramlee, *Blur Removal in Natural Digital Images Using
    Self-Reference Generative Networks*. Without both options it is the generator of C. Guo and
    Q. Zhang, *Local Blurred Natural Image Restoration Based on Self-Reference Deblurring
    Generative Adversarial Networks*, 2019.

    Args:
        width: channels at full size.
        blocks: residual blocks, of two convolutions each.
        attention: self-attention behind the residual blocks.
        spectral_norm: spectral normalisation of every convolution but the last.
        scales: sizes at which a residual is given while training: 1, 1/2, 1/4.
    """

    def __init__(
        self,
        width: int = 64,
        blocks: int = 9,
        *,
        attention: bool = True,
        spectral_norm: bool = True,
        scales: int = 1,
    ) -> None:
        super().__init__(width, blocks, attention=attention, spectral=spectral_norm, scales=scales)
