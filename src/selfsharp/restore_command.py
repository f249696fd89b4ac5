"""The command that restores: single photos, with pictures of what was done, or a folder."""

import time
from pathlib import Path

import numpy as np

from selfsharp.blur.psf_file import read_psf
from selfsharp.command_files import BAD_INPUT, check_folder, check_free, check_photos
from selfsharp.config import RestoreSettings
from selfsharp.folder_command import restore_folder_of, restored_lines
from selfsharp.image import output_path
from selfsharp.picture import compare, write_picture
from selfsharp.restore.checks import check_strength
from selfsharp.restore.photo_file import Shown, restore_file
from selfsharp.restore.provenance import draw, trace
from selfsharp.restore.restorer import Restorer
from selfsharp.terminal import for_each, progress_bar, tell


def restore(settings: RestoreSettings) -> int:
    """Restores photos one after the other, or a folder; a bad one does not stop the others."""
    check_strength(settings.strength)
    if not settings.max_megapixels > 0:
        raise ValueError(f"--max-megapixels {settings.max_megapixels:g} is out of range; give more")
    check_photos(settings.photos)
    if any(path.is_dir() for path in settings.photos):
        return restore_folder_of(settings)
    if len(settings.photos) > 1 and (settings.out or settings.mask):
        one = "--out" if settings.out else "--mask"
        raise ValueError(f"{one} goes with one photo, not {len(settings.photos)}; use --out-dir")
    if settings.out and settings.out_dir:
        raise ValueError("--out and --out-dir exclude each other; give one of them")
    check_folder(settings.out_dir)
    psf = read_psf(settings.psf) if settings.psf else None
    restorer = Restorer(
        settings.model, settings.threads, backend=settings.backend, quality=settings.quality
    )
    if settings.explain and not restorer.refers:
        name = restorer.card.name
        raise ValueError(f"model {name} refers to no sharp part to explain; leave --explain out")

    def restore_one(path: Path) -> None:
        start = time.perf_counter()
        out = settings.out or output_path(path, out_dir=settings.out_dir)
        compared = out.with_name(f"{path.stem}-compare.png")
        explained = out.with_name(f"{path.stem}-references.png")
        wanted = {compared: settings.compare, explained: settings.explain}
        check_free([out, *(file for file in wanted if wanted[file])], settings.overwrite)
        with progress_bar(path.name) as advance:
            result = restore_file(
                restorer,
                path,
                out,
                mask=settings.mask,
                psf=psf,
                strength=settings.strength,
                overwrite=settings.overwrite,
                max_megapixels=settings.max_megapixels,
                progress=advance,
                keep_shown=settings.compare or settings.explain,
            )
        seconds = time.perf_counter() - start
        for line in restored_lines(path, out, result.share, seconds, result.lost):
            tell(line)
        if result.shown:
            draw_pictures(result.shown, compared, explained)

    def draw_pictures(shown: Shown, compared: Path, explained: Path) -> None:
        before, maps = np.asarray(shown.before), shown.maps
        if settings.compare:
            panels = {"input": before, "restored": np.asarray(shown.after)}
            write_picture(compare(panels, maps.blur_map), compared, overwrite=settings.overwrite)
            tell(f"  comparison: {compared}")
        if settings.explain:
            drawn = draw(before, trace(maps.references, maps.gate))
            write_picture(drawn, explained, overwrite=settings.overwrite)
            tell(f"  where references came from: {explained}")

    return BAD_INPUT if for_each(settings.photos, restore_one) else 0
