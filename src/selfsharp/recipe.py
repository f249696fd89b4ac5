"""Recipes: how a network is trained. A key is a flag too, and its docstring the help."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal


@dataclass(frozen=True)
class Mix:
    """What training samples are made of; shares are relative to one another."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    kinds: dict[str, float] = field(
        default_factory=lambda: {"shake": 0.5, "motion": 0.15, "defocus": 0.18, "gaussian": 0.17}
    )
    """Share of each kind of blur among the made samples."""
    regions: dict[str, float] = field(
        default_factory=lambda: {"everywhere": 0.5, "blob": 0.35, "half-plane": 0.1, "cutout": 0.05}
    )
    """Share of each shape of the blurred part among the made samples."""
    frames: float = 0.34
    """Share of the samples that are averages of neighbouring frames, where frames are given."""
    footage: float = 0.0
    """Share of the samples that are averages of neighbouring frames of footage, where given."""
    scenes: dict[str, float] = field(default_factory=lambda: {"region": 1.0})
    """Share of each scene among the made samples: region, path, object, depth."""
    cameras: float = 0.0
    """Share of the samples whose camera has a curve, exposure, sensor noise and demosaicing."""
    masked: float = 0.2
    """Share of photos with hand-made masks in the detector's samples, where they are given."""
    sharp: float = 0.08
    """Share of the samples that are sharp, so that the network learns to leave things alone."""
    proposed: float = 0.8
    """Share of the samples with the proposals of physics, where the recipe has estimates."""
    shown: float = 0.0
    """Share of those whose estimate passes the check in any case; the others are as they come."""
    known: float = 0.0
    """Share of those whose blurred photos come with the proposals of the true PSF."""
    referred: float = 0.0
    """Share of those from photos that have sharp surroundings to refer to."""
    estimated: float = 0.6
    """Share of the estimator's samples that set out from a real estimate, not a made one."""
    light: float = 0.1
    """Share of the made samples whose blur is light, under 1 px."""
    radius: tuple[float, float] = (0.7, 7.0)
    """Blur radius in pixels of the other made samples, drawn evenly on a log scale."""


@dataclass(frozen=True)
class Footage:
    """How one clip of footage is used."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    shrink: int = 1
    """How many times smaller its frames are made."""
    speed: float = 1.0
    """Pixels that the picture moves on by from frame to frame, after shrinking, about."""
    spans: tuple[tuple[int, int], ...] = ()
    """First and last frame of each shot without a cut; the whole clip when empty."""
    box: tuple[int, int, int, int] | None = None
    """Top, left, bottom and right of the part to use, after shrinking: leaves captions out."""


@dataclass(frozen=True)
class Gan:
    """How a critic and a generator play against each other."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    weight: float = 1.0
    """Weight of what the critic says beside the other losses."""
    steps: int = 1
    """Steps of the critic for each of the generator."""
    learning_rate: float = 1e-4
    """Learning rate of the critic."""
    penalty: float = 10.0
    """Weight of the gradient penalty; of the critic `gp`."""
    bound: float = 0.01
    """Largest size of a weight; of the critic `clip`."""
    width: int = 64
    """Channels of the critic's first convolution."""


@dataclass(frozen=True)
class Recipe:
    """How one network is trained. A recipe file in TOML sets any of these."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    network: str = "mending"
    """`detector`, `estimator`, or the name of a generator."""
    options: dict[str, Any] = field(default_factory=dict)
    """Keyword arguments of the network's constructor."""
    frozen: tuple[str, ...] = ()
    """Parts of the network that stay as the checkpoint has them, by their names in it."""
    pictures: tuple[Path, ...] = ()
    """Folders of sharp photos."""
    frames: Path | None = None
    """Folder of consecutive frames of a fast camera, averaged into real motion blur."""
    footage: Path | None = None
    """Folder of clips, files or folders of frames, averaged into real motion blur."""
    clips: dict[str, Footage] = field(default_factory=dict)
    """How each clip is used, by its name without extension; clips beside those named are not."""
    cutouts: Path | None = None
    """Folder of objects with an alpha channel, for moving foregrounds."""
    masked: Path | None = None
    """Folder with photo/ and mask/, white where blurred; used for the detector."""
    mix: Mix = field(default_factory=Mix)
    """What the samples are made of."""
    estimates: int = 0
    """Blurred photos that PSFs are estimated from before training, for proposals; 0: none."""
    estimator: str = ""
    """Model whose learnt round takes part in those estimates, by name or folder; empty: none."""
    references: Literal["own", "none", "shuffled", "foreign", "sharp keys"] = "own"
    """What crops are told of their photo's sharp part; all but `own` are there to be compared with:
    none, those of other patches, another photo's, or own ones found by keys not blurred again."""
    distinct: int = 0
    """Crops that are drawn once, kept in the run's folder and turned anew each time; 0: all new."""
    crop: int = 128
    """Side of a crop in pixels."""
    growth: tuple[tuple[float, int], ...] = ()
    """Progressive crops: shares of the training and the side of their crops; empty: all alike."""
    batch: int = 8
    """Crops in a step."""
    crops: int = 400_000
    """Length of the training: crops seen, over all sessions."""
    optimizer: Literal["adamw", "muon"] = "adamw"
    """What moves the weights: `muon` learns of fewer crops, and takes longer for each."""
    learning_rate: float = 6e-4
    """Peak learning rate of the optimizer."""
    warm_up: int = 4_000
    """Crops over which the learning rate rises from 0."""
    cool_down: float = 0.3
    """Last share of the training in which the learning rate falls to 0 along a cosine."""
    clip: float = 0.5
    """Largest norm of the gradient."""
    betas: tuple[float, float] = (0.9, 0.99)
    """How long AdamW remembers gradients and their squares."""
    pixel: float = 1.0
    """Weight of the pixel loss."""
    frequency: float = 0.1
    """Weight of the frequency loss."""
    decibel: float = 0.0
    """Weight of the loss by decibels, in which crops that are hard count as much as others."""
    corrected: bool = False
    """Whether the losses see crops as restoring has them in the end, corrected by their PSF."""
    gradient: float = 0.0
    """Weight of the gradient loss: how far edges are off."""
    coarse: float = 0.0
    """Weight of the pixel loss at each coarser scale; the network's option `scales` gives them."""
    content: dict[Literal["clear", "blurred", "whole"], float] = field(default_factory=dict)
    """Weight (gamma) of the content loss over a part of a crop: `clear`, `blurred` or `whole`."""
    content_every: int = 1
    """Steps from one content loss to the next, which counts for those without."""
    vgg: Path | None = None
    """Weights of a VGG16 or VGG19 for the content loss; else those that are bundled."""
    critic: Literal["none", "gp", "clip", "spectral"] = "none"
    """How the critic is kept smooth: gradient penalty, clipped weights, or spectral norm."""
    gan: Gan = field(default_factory=Gan)
    """The critic and its weight, where there is one."""
    average: float = 0.999
    """Decay per step of the running average of the weights, which is what gets exported."""
    seed: int = 1
    """Seed of every random draw."""
    threads: int = 0
    """Threads of PyTorch; 0 leaves the choice to it."""
    workers: int = 1
    """Processes that make samples."""
    precision: Literal["bfloat16", "float32"] = "bfloat16"
    """Arithmetic of the convolutions."""
    device: str = "cpu"
    """Where PyTorch computes, such as cpu or cuda."""
    devices: int = 1
    """Processes, each with a device of its own, that share the crops of a step (DDP)."""
    blur_on_device: bool = False
    """Blur regions where the network is, batch by batch; the loader still blurs all else."""
    compile: bool = False
    """Compile the network first, which takes minutes and pays off on a GPU."""
    blurred: Literal["keep", "leave-out"] = "keep"
    """What to do with photos that are blurred themselves; they are listed either way."""
    save_every: float = 180.0
    """Seconds between checkpoints."""
    validate_every: int = 16_000
    """Crops between validations."""


def read_recipe(path: Path) -> Recipe:
    """The recipe in a TOML file; what it leaves out has its default.

    Relative folders in a recipe are relative to the folder the command runs in.

    Raises:
        ValueError: the file is missing, is no TOML, or a key or value does not fit.
    """
    # Pydantic belongs to the train extra; restoring reads this module without it.
    from pydantic import TypeAdapter, ValidationError

    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return TypeAdapter(Recipe).validate_python(table)
    except FileNotFoundError:
        raise ValueError(
            f"{path} does not exist; name a recipe such as recipes/base.toml"
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{path} cannot be read as TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{path}: {key} = {first['input']!r}: {first['msg']}") from None


def as_table(recipe: Recipe) -> dict[str, Any]:
    """A recipe as plain values for JSON or TOML: paths become text, unset ones are left out."""
    from pydantic import TypeAdapter

    return TypeAdapter(Recipe).dump_python(recipe, mode="json", exclude_none=True)


def as_method(recipe: Recipe) -> dict[str, Any]:
    """What a recipe says of the method, without the folders and threads of one machine."""
    places = ("pictures", "frames", "footage", "cutouts", "masked", "vgg")
    places += ("threads", "workers", "device", "devices", "blur_on_device", "compile")
    return {key: value for key, value in as_table(recipe).items() if key not in places}
