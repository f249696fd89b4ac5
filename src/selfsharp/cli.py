"""The command line: reads settings, calls the library, tells in one line what went wrong."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Union

import tyro

from selfsharp import __version__
from selfsharp.command_files import BAD_INPUT, check_folder, check_free, check_photos, free_outputs
from selfsharp.config import (
    BenchmarkSettings,
    BlurSettings,
    ExportSettings,
    LossesSettings,
    MapSettings,
    ModelsSettings,
    PsfSettings,
    RestoreSettings,
    ServeSettings,
    TrainSettings,
)
from selfsharp.recipe import read_recipe
from selfsharp.terminal import for_each, progress_bar, tell, tell_error

DESCRIPTION = (
    "Sharpens the blurred parts of a photo by referring to its own sharp parts. "
    "`selfsharp --version` tells which selfsharp this is."
)
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command ``selfsharp``; returns its exit code (0, or 2 on bad input)."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if arguments == ["--version"]:
        tell(f"selfsharp {__version__}")
        return 0
    try:
        settings = tyro.cli(
            _commands(arguments),  # type: ignore[arg-type]
            prog="selfsharp",
            description=DESCRIPTION,
            args=arguments,
            config=(tyro.conf.FlagCreatePairsOff,),
        )
        return _COMMANDS[type(settings)](settings)
    except (ValueError, FloatingPointError, OSError, MemoryError) as error:
        tell_error(error)
        return BAD_INPUT
    except KeyboardInterrupt as stop:
        tell_error(str(stop) or "stopped; finished files are whole, unfinished ones are not there")
        return INTERRUPTED
    except ModuleNotFoundError as error:
        tell_error(f"this needs {error.name}; pip install 'selfsharp[train]'")
        return BAD_INPUT


def restore(settings: RestoreSettings) -> int:
    """Restores photos one after the other, or a folder."""
    from selfsharp.restore_command import restore as restore_photos

    return restore_photos(settings)


def show_map(settings: MapSettings) -> int:
    """Writes the blur map of photos, as a picture and as a float TIFF."""
    from selfsharp.image import read_photo, write_plane
    from selfsharp.picture import blur_picture, write_picture
    from selfsharp.restore.restorer import Restorer

    check_photos(settings.photos)
    check_folder(settings.out_dir)
    restorer = Restorer(settings.model, settings.threads)

    def map_one(path: Path) -> None:
        picture, plane = free_outputs(settings, path, "-blurmap.png", "-blurmap.tif")
        image = read_photo(path).image
        radius, _ = restorer.map_blur(image)
        drawn = blur_picture(image, radius)
        write_plane(radius, plane, overwrite=settings.overwrite)
        write_picture(drawn, picture, overwrite=settings.overwrite)
        blurred = radius > 0
        told = "no blur found"
        if blurred.any():
            mean = float(radius[blurred].mean())
            told = f"{100 * blurred.mean():.0f} % blurred, mean radius {mean:.1f} px"
        tell(f"{path}: {told}: {picture}, {plane}")

    return BAD_INPUT if for_each(settings.photos, map_one) else 0


def show_psf(settings: PsfSettings) -> int:
    """Writes the PSF that is estimated of the blurred part, as a picture and as an array."""
    from selfsharp.blur.psf import blur_radius, extent
    from selfsharp.blur.psf_file import write_psf
    from selfsharp.image import read_mask, read_photo
    from selfsharp.picture import psf_picture, write_picture
    from selfsharp.restore.restorer import Restorer

    check_photos(settings.photos)
    if len(settings.photos) > 1 and settings.mask:
        raise ValueError(f"--mask goes with one photo, not {len(settings.photos)}")
    check_folder(settings.out_dir)
    restorer = Restorer(settings.model, settings.threads)

    def estimate_one(path: Path) -> None:
        picture, array = free_outputs(settings, path, "-psf.png", "-psf.npy")
        image = read_photo(path).image
        mask = read_mask(settings.mask, *image.shape[:2]) if settings.mask else None
        sized = restorer.decide_in_size(image, mask)
        judged, psf = sized.decided.judged, sized.psf
        if not sized.decided.parts.gate.any():
            return tell(f"{path}: no blur found, nothing is written")
        if judged.estimate is None or psf is None:
            return tell(f"{path}: the blurred part tells of no PSF, nothing is written")
        confidence = judged.estimate.confidence
        write_psf(psf, array, overwrite=settings.overwrite)
        write_picture(psf_picture(psf), picture, overwrite=settings.overwrite)
        height, width = extent(psf)
        varying = " (it differs from place to place)" if judged.estimate.field else ""
        if len(sized.images) > 1:
            varying += f" (told at 1/{2 ** (len(sized.images) - 1)} of the photo's size)"
        tell(
            f"{path}: {width} x {height} px, radius {blur_radius(psf):.1f} px{varying}, "
            f"trust {judged.trust:.0%}, confidence {confidence:.0%}: {picture}, {array}"
        )

    return BAD_INPUT if for_each(settings.photos, estimate_one) else 0


def blur(settings: BlurSettings) -> int:
    """Blurs a sharp photo and writes what was done to it."""
    from selfsharp.blur.synthesis import blur_photo
    from selfsharp.image import read_photo, write_photo, write_plane
    from selfsharp.picture import write_picture

    if settings.photo is None:
        raise ValueError("no photo given; name a sharp one: selfsharp blur PHOTO")
    out = settings.out or settings.photo.with_name(f"{settings.photo.stem}-blurred.png")
    mask, plane = (out.with_name(f"{out.stem}-{end}") for end in ("mask.png", "map.tif"))
    check_free([out, mask, plane], settings.overwrite)
    photo = read_photo(settings.photo)
    sample = blur_photo(photo.image, settings)
    write_photo(replace(photo, image=sample.blurred), out, overwrite=settings.overwrite)
    white = (sample.mask * 255).astype("uint8")[:, :, None].repeat(3, axis=2)
    write_picture(white, mask, overwrite=settings.overwrite)
    write_plane(sample.blur_map, plane, overwrite=settings.overwrite)
    written = ", ".join(str(path) for path in (out, mask, plane))
    tell(f"{100 * sample.mask.mean():.0f} % blurred by {settings.kind}: {written}")
    return 0


def models(settings: ModelsSettings) -> int:
    """Lists the bundled models with what their cards say."""
    from selfsharp.model_folder import find_model, model_names, read_card

    for name in model_names():
        folder = find_model(name)
        card = read_card(folder)
        size = sum((folder / f"{graph}.onnx").stat().st_size for graph in card.graphs)
        tell(f"{card.name} ({card.network}, {size / 1e6:.1f} MB, {card.licence})")
        tell(f"  {card.description}")
        for score, value in card.scores.items():
            tell(f"  {score}: {value}")
    return 0


def serve(settings: ServeSettings) -> int:
    """Serves the page and its HTTP interface until it is stopped."""
    try:
        from selfsharp.web.server import serve as run_server
    except ModuleNotFoundError as error:
        raise ValueError(f"the page needs {error.name}; pip install 'selfsharp[serve]'") from None
    run_server(settings, tell)
    return 0


def benchmark(settings: BenchmarkSettings) -> int:
    """Measures what a suite measures, and shows the report."""
    from selfsharp.benchmark.run import run_suite

    report = run_suite(settings, progress_bar)
    tell(report.read_text(encoding="utf-8"))
    tell(f"written: {report}")
    return 0


def train(settings: TrainSettings) -> int:
    """Trains a network, or goes on training it; or only measures how fast that would be."""
    if settings.recipe_file is None:
        raise ValueError("no recipe given; name one such as recipes/base.toml")
    if settings.profile:
        from selfsharp.training.profile import profile

        tell(str(profile(settings.recipe, settings.checkpoint)))
        return 0
    from selfsharp.training.train import train as run_training

    run = settings.run or Path("runs") / settings.recipe_file.stem
    newest = run_training(settings.recipe, run, settings.checkpoint)
    tell(f"newest checkpoint: {newest}")
    return 0


def export(settings: ExportSettings) -> int:
    """Makes a model folder out of checkpoints."""
    if not (settings.detector and settings.generator and settings.out):
        raise ValueError("export takes three: --detector FILE, --generator FILE and --out DIR")
    from selfsharp.model_folder import QUICK, Card
    from selfsharp.training.export import export as make_model

    card = Card(
        name=settings.out.name,
        description=settings.description,
        licence=settings.licence,
        threshold=settings.threshold,
        certain=settings.certain,
        least_radius=settings.least_radius,
        least_change=settings.least_change,
        halo=settings.halo,
        halos={QUICK: settings.quick_halo},
    )
    checkpoints = (settings.detector, settings.generator)
    others = (settings.estimator, settings.pictures, settings.unguided, settings.quick)
    others += (settings.context,)
    make_model(*checkpoints, settings.out, card, *others)
    tell(f"model folder, equal to PyTorch: {settings.out}")
    return 0


def losses(settings: LossesSettings) -> int:
    """Draws the losses and validation scores of trainings."""
    from selfsharp.benchmark.losses import draw_losses

    runs = list(settings.runs)
    if not runs:
        raise ValueError("no run given; name the folder of a training, such as runs/base")
    if len(runs) > 1 and settings.out is None:
        raise ValueError(f"{len(runs)} runs share a figure; name it: --out FILE.png")
    out = settings.out or runs[0] / "losses.png"
    check_free([out], settings.overwrite)
    draw_losses(runs, out)
    tell(f"losses: {out}")
    return 0


_COMMANDS: dict[type, Callable[..., int]] = {
    RestoreSettings: restore,
    MapSettings: show_map,
    PsfSettings: show_psf,
    BlurSettings: blur,
    ModelsSettings: models,
    ServeSettings: serve,
    BenchmarkSettings: benchmark,
    TrainSettings: train,
    ExportSettings: export,
    LossesSettings: losses,
}


def _commands(arguments: Sequence[str]) -> object:
    """Every command with its settings; a recipe named for training gives its defaults."""
    given = TrainSettings()
    if arguments[:1] == ["train"] and len(arguments) > 1 and not arguments[1].startswith("-"):
        given = TrainSettings(Path(arguments[1]), recipe=read_recipe(Path(arguments[1])))
    named = {
        "restore": RestoreSettings,
        "map": MapSettings,
        "psf": PsfSettings,
        "blur": BlurSettings,
        "models": ModelsSettings,
        "serve": ServeSettings,
        "benchmark": BenchmarkSettings,
        "export": ExportSettings,
        "losses": LossesSettings,
    }
    commands = [Annotated[settings, tyro.conf.subcommand(name)] for name, settings in named.items()]
    commands.append(Annotated[TrainSettings, tyro.conf.subcommand("train", default=given)])
    return Union[tuple(commands)]  # noqa: UP007
