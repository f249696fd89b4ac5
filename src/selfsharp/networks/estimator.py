"""The estimator: one round from a PSF to a better one, learnt from blurs that are known."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from selfsharp.blur.deconvolve import CONTRAST
from selfsharp.blur.learnt_round import DAMPINGS, HIGHEST, LOWEST, MULTIPLE, STEADY
from selfsharp.blur.spectrum import slope_power
from selfsharp.networks.blocks import UnshuffledConv, Up, conv3x3

Planes = Float[Tensor, "batch height width"]
Psfs = Float[Tensor, "batch side side"]
FAINT = 0.05
"""Share of a PSF's largest value that is taken off before the network adds what it knows."""
SLOPE = 0.2
"""Slope of the activations below 0."""


class Estimator(nn.Module):
    """Makes a better PSF of a PSF: :class:`selfsharp.blur.learnt_round.LearntRound` in PyTorch.

    Args:
        width: channels at half the image's size; twice as many at a quarter.
        kernels: channels of what mends the PSF.
        far: channels at an eighth, which see how ripples go on; 0 for none.
    """

    inputs = ("given", "inside", "trusted", "psf")

    def __init__(self, width: int = 32, kernels: int = 24, far: int = 0) -> None:
        super().__init__()
        self.edges = Edges(width, far)
        self.mend = Mend(kernels)

    def begun_from(self, weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """The weights of a network that saw nothing far, and what to begin with beside them."""
        far = {name: one for name, one in self.state_dict().items() if ".far." in name}
        return {**far, **weights}

    def forward(
        self,
        given: Float[Tensor, "batch 1 height width"],
        inside: Float[Tensor, "batch 1 height width"],
        trusted: Float[Tensor, "batch 1 height width"],
        psf: Float[Tensor, "batch 1 side side"],
    ) -> Float[Tensor, "batch 1 side side"]:
        """A better PSF of the part that is `inside`, not centred; it sums to 1."""
        given, inside, trusted, psf = (plane[:, 0] for plane in (given, inside, trusted, psf))
        shape, side = (given.shape[1], given.shape[2]), psf.shape[-1]
        blur = _spectrum(psf, shape)
        again = torch.fft.irfft2(blur * torch.fft.rfft2(given), s=shape)
        evenly = inside * given + (1 - inside) * again
        divided, power = blur.conj() * torch.fft.rfft2(evenly), blur.abs() ** 2
        prior = torch.from_numpy(slope_power(shape)).to(given) + CONTRAST
        undone = [
            torch.fft.irfft2(divided / (power + a * prior), s=shape).clamp(LOWEST, HIGHEST)
            for a in DAMPINGS
        ]
        told = torch.stack([given, *undone, inside], 1) - 0.5
        fill = (0, -shape[1] % MULTIPLE, 0, -shape[0] % MULTIPLE)
        found = self.edges(F.pad(told, fill, mode="replicate")).float()
        sharp, before, after = found[:, :, : shape[0], : shape[1]].unbind(1)
        weights = _quotient(sharp, evenly, before * trusted, after * trusted, side)
        pair = [one / one.amax((1, 2), keepdim=True).clamp_min(1e-4) for one in (weights, psf)]
        better = self.mend(torch.stack(pair, 1)).float() + 1e-6
        return better / better.sum((2, 3), keepdim=True)


class Edges(nn.Module):
    """Tells of an undone image what is sharp in it, and which edges to go by."""

    inputs = ("undone",)
    multiple = MULTIPLE

    def __init__(self, width: int, far: int = 0) -> None:
        super().__init__()
        self.stem = UnshuffledConv(4, width, 2)
        self.ahead = nn.Sequential(Dilated(width), Dilated(width))
        self.shrink = nn.Conv2d(width, 2 * width, 2, stride=2)
        self.middle = nn.Sequential(Dilated(2 * width), Dilated(2 * width, 2), Dilated(2 * width))
        self.far = Far(2 * width, far) if far else nn.Identity()
        self.grow = Up(2 * width, width)
        self.behind = Dilated(width)
        self.head = conv3x3(width, 3 * 4, gain=0.1)

    def forward(
        self, undone: Float[Tensor, "batch 4 height width"]
    ) -> Float[Tensor, "batch 3 height width"]:
        """The sharp image, and how much the edges of that and of the blurred one count, 0..1."""
        fine = self.ahead(self.stem(undone))
        half = self.far(self.middle[:2](self.shrink(fine)))
        fine = self.behind(fine + self.grow(self.middle[2](half)))
        out = F.pixel_shuffle(self.head(F.leaky_relu(fine, SLOPE)), 2)
        return torch.cat([undone[:, 1:2] + out[:, :1], torch.sigmoid(2 * out[:, 1:])], dim=1)


class Mend(nn.Module):
    """Makes of the PSF that edges tell, and of the one so far, a better one."""

    inputs = ("psfs",)
    multiple = 1

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(2, width, 5, padding=2),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(width, width, 5, padding=2),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(width, width, 3, padding=1),
            nn.LeakyReLU(SLOPE),
            conv3x3(width, 1, gain=0.1),
        )

    def forward(
        self, psfs: Float[Tensor, "batch 2 height width"]
    ) -> Float[Tensor, "batch 1 height width"]:
        """A PSF of any scale, nowhere negative."""
        return F.relu(psfs[:, :1] - FAINT + self.body(psfs))


class Far(nn.Module):
    """Adds to features what a network at half their size sees of all that lies around."""

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.shrink = nn.Conv2d(channels, inner, 2, stride=2)
        self.body = nn.Sequential(*(Dilated(inner, holes) for holes in (1, 2, 4, 1)))
        self.grow = Up(inner, channels)
        for weights in self.grow.parameters():
            nn.init.zeros_(weights)

    def forward(self, features: Tensor) -> Tensor:
        """The features, better informed."""
        fill = (0, features.shape[3] % 2, 0, features.shape[2] % 2)
        told = self.grow(self.body(self.shrink(F.pad(features, fill, mode="replicate"))))
        return features + told[:, :, : features.shape[2], : features.shape[3]]


class Dilated(nn.Module):
    """Two 3x3 convolutions added to their input, the first with holes between its weights."""

    def __init__(self, channels: int, holes: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=holes, dilation=holes)
        self.second = conv3x3(channels, channels, gain=0.1)

    def forward(self, features: Tensor) -> Tensor:
        """The features plus what two convolutions make of them."""
        inner = self.first(F.leaky_relu(features, SLOPE))
        return features + self.second(F.leaky_relu(inner, SLOPE))


def _spectrum(psf: Psfs, shape: tuple[int, int]) -> Tensor:
    """The spectra of PSFs centred on the first pixel."""
    side = psf.shape[-1]
    whole = F.pad(psf, (0, shape[1] - side, 0, shape[0] - side))
    return torch.fft.rfft2(torch.roll(whole, (-(side // 2), -(side // 2)), (1, 2)))


def _quotient(sharp: Planes, blurred: Planes, before: Planes, after: Planes, side: int) -> Psfs:
    """What leads from the sharp to the blurred edges, by damped least squares."""
    cross = energy = 0.0
    for axis in (1, 2):
        edges, smeared = (torch.roll(plane, -1, axis) - plane for plane in (sharp, blurred))
        spectrum = torch.fft.rfft2(edges * before)
        cross = cross + spectrum.conj() * torch.fft.rfft2(smeared * after)
        energy = energy + spectrum.abs() ** 2
    found = torch.fft.irfft2(cross / (energy + STEADY), s=sharp.shape[1:])
    return torch.roll(found, (side // 2, side // 2), (1, 2))[:, :side, :side]
