"""Every setting, typed. A field is a flag and a recipe key; its docstring is the help."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, UseAppendAction, arg

from selfsharp.recipe import Recipe

Output = Annotated[Path | None, arg(aliases=["-o"], metavar="FILE")]
Folder = Annotated[Path | None, arg(metavar="DIR")]
Photos = Positional[Annotated[tuple[Path, ...], arg(metavar="PHOTO...")]]


@dataclass(frozen=True)
class RestoreSettings:
    """Sharpen the blurred parts of photos; sharp parts stay bit for bit as they were."""

    photos: Photos = ()
    """Photos to restore, or one folder of them: JPEG, PNG, WebP, TIFF, AVIF; HEIC and cameras'
    raw files with the extra `formats`."""
    out: Output = None
    """Write the one restored photo here; else to NAME-selfsharp.EXT beside it."""
    out_dir: Folder = None
    """Write restored photos into this folder. Those of a folder that are there already are
    skipped, so that a run that was stopped goes on."""
    mask: Annotated[Path | None, arg(metavar="FILE")] = None
    """A picture of the photo's size, white where it is blurred; found when not given."""
    psf: Annotated[Path | None, arg(metavar="FILE")] = None
    """How it is blurred, if you know: a .npy array, or a grey PNG or TIFF whose brightness is
    the weight; both sides odd. It is undone as it is; estimated when not given."""
    strength: float = 1.0
    """How much of the restoration to blend in, 0 to 1."""
    compare: bool = False
    """Also write NAME-compare.png: input, blur map, restored, and a detail of each."""
    explain: bool = False
    """Also write NAME-references.png: sharp places in colours of their own, and again where the
    blurred part was told of them; for models that refer to the sharp part."""
    model: str = "base"
    """Name of a bundled model, or the path of a model folder."""
    quality: Literal["fast", "best"] = "best"
    """How much effort goes into finding out how a part was blurred."""
    backend: str = "onnxruntime"
    """What runs the model: onnxruntime, or openvino (an extra), quicker where the processor
    has bfloat16."""
    threads: int | None = None
    """Threads to use; all cores when not given."""
    jobs: int | None = None
    """Photos of a folder that are restored at a time; one for every core, up to four, when not
    given."""
    max_megapixels: float = 250.0
    """Refuse larger photos, before they are decoded."""
    overwrite: bool = False
    """Replace files that exist already, even the photo itself."""


@dataclass(frozen=True)
class MapSettings:
    """Show where photos are blurred, and how much: a picture, and a float TIFF in pixels."""

    photos: Photos = ()
    """Photos to look at."""
    out_dir: Folder = None
    """Write NAME-blurmap.png and NAME-blurmap.tif here; else beside each photo."""
    model: str = "base"
    """Name of a bundled model, or the path of a model folder."""
    threads: int | None = None
    """Threads to use; all cores when not given."""
    overwrite: bool = False
    """Replace files that exist already."""


@dataclass(frozen=True)
class PsfSettings:
    """Show how the blurred parts of photos are blurred: the PSF that is estimated of each."""

    photos: Photos = ()
    """Photos to look at."""
    mask: Annotated[Path | None, arg(metavar="FILE")] = None
    """A picture of the photo's size, white where it is blurred; found when not given."""
    out_dir: Folder = None
    """Write NAME-psf.png to look at, and NAME-psf.npy for --psf, here; else beside each photo."""
    model: str = "base"
    """Name of a bundled model, or the path of a model folder."""
    threads: int | None = None
    """Threads to use; all cores when not given."""
    overwrite: bool = False
    """Replace files that exist already."""


@dataclass(frozen=True)
class BlurSettings:
    """Blur a sharp photo: writes the blurred photo, its mask and its true blur map."""

    photo: Positional[Annotated[Path | None, arg(metavar="PHOTO")]] = None
    """A sharp photo."""
    kind: str = "shake"
    """Kind of blur: defocus, gaussian, motion or shake."""
    radius: float = 4.0
    """Blur radius in pixels: RMS distance of the PSF from its centroid."""
    region: Literal["everywhere", "blob", "half-plane", "cutout"] = "blob"
    """Shape of the blurred part."""
    share: float = 0.3
    """Share of the area that a blob covers, 0 to 1."""
    cutout: Annotated[Path | None, arg(metavar="FILE")] = None
    """A picture with alpha, the moving object of --region cutout."""
    light: Literal["display", "linear"] = "linear"
    """Blur linear light, as a camera does, or the values as displayed."""
    noise: float = 1 / 255
    """Standard deviation of the noise, on a scale of 0 to 1."""
    saturation: float = 1.0
    """How many times brighter than white clipped highlights are taken to be; 1 or more."""
    jpeg_quality: int | None = None
    """Pass the blurred photo through a JPEG of this quality, 1 to 95."""
    chroma_subsampling: Literal["4:4:4", "4:2:2", "4:2:0"] = "4:2:0"
    """How coarsely that JPEG keeps colour."""
    gamma: float | None = None
    """Exponent of the camera's curve from light to file, 1 to 4; sRGB's when not given."""
    contrast: float = 0.0
    """Strength of the S-curve on top of it, 0 to 0.9."""
    exposure: float = 0.0
    """Stops by which the scene is exposed more than the photo was, -8 to 8."""
    shot_noise: float = 0.0
    """Standard deviation, at white, of the noise that light itself has, in linear light."""
    read_noise: float = 0.0
    """Standard deviation of the sensor's noise in linear light."""
    chroma_blur: float = 0.0
    """Sigma in pixels by which demosaicing smooths colour differences, 0 to 10."""
    seed: int = 0
    """Seed of what is drawn: path, direction, blob, noise."""
    out: Output = None
    """Write the blurred photo here, its mask and map beside it; else NAME-blurred.png."""
    overwrite: bool = False
    """Replace files that exist already."""


@dataclass(frozen=True)
class ModelsSettings:
    """List the bundled models."""


@dataclass(frozen=True)
class ServeSettings:
    """Serve the page and its HTTP interface on this computer; photos never leave it."""

    model: str = "base"
    """Name of a bundled model, or the path of a model folder: what the page restores with."""
    host: str = "127.0.0.1"
    """Address to listen at; another than this lets others in the network in."""
    port: int = 8765
    """Port to listen at; 0 for any free one."""
    name: UseAppendAction[tuple[str, ...]] = ()
    """A name that the page is reached by, beside localhost and plain addresses; may be given
    several times."""
    max_megabytes: float = 200.0
    """Size of an upload, photo and mask together, from which it is refused."""
    max_megapixels: float = 64.0
    """Size of a photo from which it is refused."""
    seconds: float = 600.0
    """Time that one photo may take."""
    queue: int = 8
    """Photos that may wait while one is restored."""
    quality: Literal["fast", "best"] = "best"
    """How much effort goes into finding out how a part was blurred."""
    backend: str = "onnxruntime"
    """What runs the model: onnxruntime, or openvino (an extra), quicker where the processor
    has bfloat16."""
    threads: int | None = None
    """Threads to use; all cores when not given."""
    open: bool = False
    """Open the page in a browser."""


@dataclass(frozen=True)
class BenchmarkSettings:
    """Measure models, classical methods and outside programs; writes SUITE.md, .json, pictures."""

    suite: Positional[Annotated[str, arg(metavar="SUITE")]] = "table1"
    """What to measure: gopro, identity, levels, map, natural, psf, speed, table1 or tiles."""
    pictures: Folder = None
    """Folder of the pictures that the suite takes, such as Kodak's 24 sharp photos."""
    rows: tuple[str, ...] = ()
    """What to measure, by names: blind, deconvolution_alone, fast, model, network_alone, nothing,
    peer, psf_given, references, richardson_lucy, unsharp_mask, wiener; what is usual in the suite
    when not given."""
    model: UseAppendAction[tuple[str, ...]] = ()
    """Name of a bundled model, or the path of a model folder; may be given several times. The
    bundled `base` when not given."""
    peer: UseAppendAction[Annotated[tuple[str, ...], arg(metavar="TEXT")]] = ()
    """An outside program as "NAME=COMMAND {input} {output}"; may be given several times."""
    peer_timeout: float = 900.0
    """Seconds that an outside program may take for one photo."""
    limit: int | None = None
    """Measure on the first so many photos only."""
    crop: int | None = None
    """Measure on the middle of each photo only, a square of this side in pixels."""
    seen: tuple[str, ...] = ("0477_11_00",)
    """For gopro: scenes that a model was trained on, by a part of their names; the bundled
    models saw 0477_11_00."""
    parts: tuple[Literal["region", "sizes", "large"], ...] = ("region", "sizes", "large")
    """For speed: a blurred region, photo by photo; sizes and blurred shares; a large photo."""
    seed: int = 0
    """Seed of every blur and noise."""
    sheet: int = 1
    """Photos on a sheet of pictures: so many of the worst, of the middle and of the best."""
    out_dir: Annotated[Path, arg(metavar="DIR")] = Path("results")
    """Write the report here, in place of an earlier one."""
    keep: Folder = None
    """Keep every restored picture in this folder, at 8 bit, and take what an earlier run of the
    same code has kept there: a long run that was stopped goes on. For suites that restore."""
    into_card: bool = False
    """Also write the means into the models' cards."""
    threads: int = 1
    """Threads that a model uses."""
    jobs: int | None = None
    """Photos that are measured at a time; one for every core when not given."""

    @property
    def models(self) -> tuple[str, ...]:
        """The models to measure."""
        return self.model or ("base",)


@dataclass(frozen=True)
class TrainSettings:
    """Train a network as a recipe says; run it again to go on where it stopped."""

    recipe_file: Positional[Annotated[Path | None, arg(metavar="RECIPE")]] = None
    """A recipe in TOML; any of its keys can be given as a flag too."""
    run: Annotated[Path | None, arg(metavar="DIR")] = None
    """Folder for checkpoints and log; runs/NAME-OF-RECIPE when not given."""
    checkpoint: Annotated[Path | None, arg(metavar="FILE")] = None
    """Go on from this checkpoint; else from the run folder's own, if there is one."""
    profile: bool = False
    """Only measure, for a minute: samples per second of the loader and of whole steps."""
    recipe: Annotated[Recipe, arg(name="")] = field(default_factory=Recipe)
    """What the recipe file says."""


@dataclass(frozen=True)
class ExportSettings:
    """Make a model folder out of trained networks: ONNX graphs, proven equal to PyTorch."""

    detector: Annotated[Path | None, arg(metavar="FILE")] = None
    """Checkpoint of a detector."""
    context: Annotated[Path | None, arg(metavar="FILE")] = None
    """Checkpoint of a detector that knows its surroundings, for `map`; the other if not given."""
    generator: Annotated[Path | None, arg(metavar="FILE")] = None
    """Checkpoint of a generator."""
    estimator: Annotated[Path | None, arg(metavar="FILE")] = None
    """Checkpoint of what makes estimated PSFs better; without it they are as physics tells them."""
    unguided: Annotated[Path | None, arg(metavar="FILE")] = None
    """Checkpoint of a generator for parts of which no PSF is known; the other's when not given."""
    quick: Annotated[Path | None, arg(metavar="FILE")] = None
    """Checkpoint of a lighter generator that restores with less effort; the other's when not given.
    """
    out: Output = None
    """The model folder to make; named as the model is to be called."""
    description: str = "A model of my own."
    """One line on what the model is for."""
    licence: str = "MIT"
    """Licence of the weights."""
    threshold: float = 0.8
    """Probability from which a pixel counts as blurred."""
    certain: float = 0.9
    """Probability that some place in a blurred part has to reach."""
    least_radius: float = 0.8
    """Blur radius in pixels under which nothing is restored."""
    least_change: float = 1.5 / 255
    """Mean size of a residual under which it is not worth a change."""
    halo: int = 88
    """Pixels around a tile that the generator sees and that are thrown away."""
    quick_halo: int = 40
    """The same of the lighter generator."""
    pictures: Annotated[Path | None, arg(metavar="DIR")] = None
    """Sharp photos to measure by what 8 bits have to hold; the model needs more when not given."""


@dataclass(frozen=True)
class LossesSettings:
    """Draw how trainings went: losses and validation scores over the crops seen, as a picture."""

    runs: Positional[Annotated[tuple[Path, ...], arg(metavar="RUN...")]] = ()
    """Run folders of trainings, to be compared in one figure."""
    out: Output = None
    """Write the PNG here; else to losses.png in the folder of the one run."""
    overwrite: bool = False
    """Replace a picture that exists already."""
