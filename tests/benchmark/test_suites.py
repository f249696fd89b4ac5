"""What single suites measure, against NumPy alone and against what is known."""

import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as PillowImage

from selfsharp.benchmark.alignment import align
from selfsharp.benchmark.measure import Scene
from selfsharp.benchmark.row import Truth
from selfsharp.benchmark.rows import blind, richardson_lucy, wiener
from selfsharp.benchmark.rows.unsharp_mask import sharpen
from selfsharp.benchmark.suites import levels, table1
from selfsharp.benchmark.suites.table1 import blurred, gaussian_71, make_scene, shaken_blob
from selfsharp.blur.kinds import shake
from selfsharp.blur.regions import blob
from selfsharp.blur.synthesis import Camera, blur_region
from selfsharp.image import read_photo
from selfsharp.metrics import psnr
from selfsharp.model_folder import find_model, read_card, write_card


@pytest.fixture(scope="module")
def flowers():
    """A part of the sample photo, with structure at every scale."""
    return read_photo("examples/photos/sharp/flowers.webp").image[100:356, 200:520].copy()


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch, request):
    monkeypatch.chdir(request.config.rootpath)


def test_the_row_that_does_nothing_agrees_with_numpy_alone(measure, tiny):
    _, content = measure("table1", rows=("nothing",))
    for number, name in enumerate(("one", "two")):
        sharp = np.asarray(PillowImage.open(tiny["table1"] / f"{name}.png")).astype(float)
        for part in ("partly", "fully"):
            for kind in ("Gaussian", "shake"):
                sample, _ = blurred((sharp / 255).astype(np.float32), part, kind, [0, number])
                given = np.rint(sample.blurred.astype(float) * 255)
                error = ((given - sharp) ** 2).mean(axis=2)
                inside = sample.blur_map > 0
                (told,) = [
                    line
                    for line in content["figures"]
                    if (line["photo"], line["cell"]) == (name, f"{part} {kind}")
                ]
                assert told["row"] == "do nothing"
                for key, region in (("blurred PSNR", inside), ("clear PSNR", ~inside)):
                    if region.any():
                        wanted = 10 * np.log10(255**2 / error[region].mean())
                        assert told[key] == pytest.approx(wanted, abs=1e-9)
                whole = 10 * np.log10(255**2 / error.mean())
                assert told["whole PSNR"] == pytest.approx(whole, abs=1e-9)
                assert (told["gain"], told["whole gain"], told["worse"]) == (0, 0, 0)
                assert told.get("far identical", 1) == 1


def test_the_partly_shaken_photo_is_the_one_of_earlier_reports(flowers):
    generator = np.random.default_rng([0, 3])
    psf = shake.psf_of_extent(generator.uniform(10, 26), generator)
    region = blob(*flowers.shape[:2], generator, share=0.3)
    wanted = blur_region(flowers, psf, region, Camera("display", noise=1 / 255), generator)
    sample = shaken_blob(flowers, [0, 3])
    np.testing.assert_array_equal(sample.blurred, wanted.blurred)
    np.testing.assert_array_equal(sample.blur_map, wanted.blur_map)


def test_the_four_cells_share_region_and_noise(flowers):
    partly = [blurred(flowers, "partly", kind, [0, 0])[0] for kind in ("Gaussian", "shake")]
    np.testing.assert_array_equal(partly[0].mask, partly[1].mask)
    clear = partly[0].mask == 0
    np.testing.assert_array_equal(partly[0].blurred[clear], partly[1].blurred[clear])
    fully, _ = blurred(flowers, "fully", "shake", [0, 0])
    assert fully.mask.all()
    deep = partly[1].blur_map == partly[1].blur_map.max()
    np.testing.assert_allclose(fully.blurred[deep], partly[1].blurred[deep], atol=1.01 / 255)


def test_the_gaussian_is_opencvs_of_71_px():
    psf = gaussian_71()
    assert psf.shape == (71, 71)
    assert psf.sum() == pytest.approx(1, abs=1e-5)
    # OpenCV: sigma = 0.3 ((size - 1) / 2 - 1) + 0.8.
    assert pytest.approx(11) == 0.3 * ((71 - 1) / 2 - 1) + 0.8
    assert psf[35, 46] / psf[35, 35] == pytest.approx(math.exp(-0.5), rel=1e-4)


@pytest.mark.parametrize(("part", "least"), [("partly", 1.5), ("fully", 4)])
def test_oracles_gain_much_on_shake_and_leave_the_rest(flowers, part, least):
    scene = make_scene("flowers", flowers, part, "shake", [0, 1])
    inside = scene.truth.mask > 0
    before = psnr.measure(scene.image, scene.sharp, inside)
    for restore, share in ((wiener.restore, 1), (richardson_lucy.iterate, 0.5)):
        restored = restore(scene.image, scene.truth)
        assert psnr.measure(restored, scene.sharp, inside) - before > share * least
        np.testing.assert_array_equal(restored[~inside], scene.image[~inside])


def test_the_oracle_gains_on_the_wide_gaussian(flowers):
    scene = make_scene("flowers", flowers, "fully", "Gaussian", [0, 1])
    before = psnr.measure(scene.image, scene.sharp)
    assert psnr.measure(wiener.restore(scene.image, scene.truth), scene.sharp) - before > 1


def test_classical_rows_give_images(flowers):
    scene = make_scene("flowers", flowers, "fully", "shake", [0, 1])
    for restore in (sharpen, blind.deblur):
        restored = restore(scene.image)
        assert restored.shape == scene.image.shape
        assert restored.dtype == np.float32
        assert restored.min() >= 0
        assert restored.max() <= 1
        assert (restored != scene.image).any()


def test_a_photo_without_anything_far_from_the_blur_is_refused(photo):
    with pytest.raises(ValueError, match="larger"):
        make_scene("tiny", photo[:40, :40].copy(), "partly", "shake", [0, 0])


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.5, -0.3), (-1.2, 2.4)])
def test_alignment_finds_a_shift_to_a_fraction_of_a_pixel(flowers, shift):
    rows, columns = (np.fft.fftfreq(side) for side in flowers.shape[:2])
    turns = np.exp(-2j * np.pi * (shift[0] * rows[:, None] + shift[1] * columns[None]))
    moved = np.fft.ifft2(np.fft.fft2(flowers, axes=(0, 1)) * turns[:, :, None], axes=(0, 1)).real
    aligned, found = align(np.clip(moved, 0, 1).astype(np.float32), flowers)
    assert found == pytest.approx((-shift[0], -shift[1]), abs=0.03)
    inner = (slice(16, -16),) * 2
    assert psnr.measure(aligned[inner], flowers[inner]) > 40


def test_alignment_never_makes_it_worse(flowers):
    other = np.ascontiguousarray(flowers[::-1, ::-1])
    inner = (slice(12, -12),) * 2
    aligned, _ = align(flowers, other)
    assert ((aligned - other)[inner] ** 2).mean() <= ((flowers - other)[inner] ** 2).mean()


def test_pairs_of_seen_scenes_are_told_apart(measure):
    page = measure("gopro", rows=("nothing",))[0].read_text(encoding="utf-8")
    assert "## All pairs" in page
    assert "without GOPR03_one" in page
    page = measure("gopro", rows=("nothing",), seen=())[0].read_text(encoding="utf-8")
    assert page.count("## All pairs") == 1
    assert "without" not in page


def test_identity_names_the_worst_photo_and_counts_infinite_psnr(measure):
    report, content = measure("identity", rows=("nothing", "unsharp_mask"))
    nothing = [line for line in content["figures"] if line["row"] == "do nothing"]
    assert [line["PSNR"] for line in nothing] == ["inf", "inf"]
    page = report.read_text(encoding="utf-8")
    assert "| do nothing | **100.00%** | **100%** | **inf (all 2)** |" in page
    unsharp = [line for line in content["figures"] if line["row"] == "unsharp mask"]
    worst = min(unsharp, key=lambda line: line["PSNR"])
    assert f"| unsharp mask | {worst['photo']} | {worst['PSNR']:.2f} |" in page


def test_levels_begin_where_nothing_is_blurred(flowers):
    none = levels.make_scene("flowers", flowers, "motion", 0.0, [0, 0])
    some = levels.make_scene("flowers", flowers, "motion", 5.0, [0, 0])
    np.testing.assert_array_equal(none.truth.mask, some.truth.mask)
    assert psnr.measure(none.image, flowers) > 45
    assert psnr.measure(some.image, flowers, some.truth.mask > 0) < 40


def test_a_map_that_tells_nothing_scores_what_numpy_says(measure):
    _, content = measure("map")
    (one, _) = [line for line in content["figures"] if line["row"] == "all blurred"]
    # Half is blurred: precision 1/2, recall 1.
    assert one["F-beta"] == pytest.approx(1.3 * 0.5 / (0.3 * 0.5 + 1))
    assert one["IoU"] == pytest.approx(0.5)
    assert one["MAE"] == pytest.approx(0.5)


def test_natural_takes_any_folder_with_or_without_masks(measure, tiny):
    _, masked = measure("natural", rows=("unsharp_mask", "model"))
    rows = {line["row"] for line in masked["figures"]}
    assert rows == {"unsharp mask", "made-up, mask found", "made-up, mask given"}
    assert all("blurred gain" in line for line in masked["figures"])
    _, plain = measure("natural", rows=("unsharp_mask", "model"), pictures=tiny["identity"])
    assert {line["row"] for line in plain["figures"]} == {"unsharp mask", "made-up, mask found"}
    assert all(set(line) == {"cell", "photo", "row", "sharpness gain"} for line in plain["figures"])


def test_the_card_gets_the_means_with_command_and_date(measure, made_up, tmp_path):
    import shutil

    model = shutil.copytree(made_up, tmp_path / "model")
    old = {"identity, mask found, PSNR, dB": 1.0, "partly, gone": 1, "levels, kept": 2}
    write_card(model, replace(read_card(model), scores=old))
    _, content = measure("identity", rows=("model",), model=(str(model),), into_card=True)
    scores = read_card(find_model(model)).scores
    found = [float(line["PSNR"]) for line in content["figures"]]
    finite = [value for value in found if math.isfinite(value)]
    told = float(scores["identity, mask found, PSNR, dB"])
    assert told == pytest.approx(np.mean(finite) if finite else math.inf, abs=1e-4)
    assert scores["identity, command"].startswith("selfsharp benchmark identity --pictures")
    assert scores["identity, date"]
    assert scores["levels, kept"] == 2
    assert "partly, gone" not in scores


def test_another_seed_gives_another_blur(measure):
    figures = [
        measure("table1", rows=("nothing",), seed=seed)[1]["figures"][0]["blurred PSNR"]
        for seed in (0, 1)
    ]
    assert figures[0] != figures[1]


def test_limit_and_crop_make_it_quick(measure):
    _, content = measure("identity", rows=("nothing", "unsharp_mask"), limit=1, crop=64)
    assert content["photos"] == 1
    assert len(content["figures"]) == 2
    assert "--limit 1 --crop 64" in content["command"]


def test_far_is_as_far_as_the_column_says():
    blurred = np.zeros((80, 80), np.float32)
    blurred[10, 10] = 1
    image = np.zeros((80, 80, 3), np.float32)
    scene = Scene("a photo", image, image, Truth(blurred))
    for place, share in (((34, 34), 1.0), ((35, 10), 1 - 1 / (6400 - 35 * 35))):
        changed = image.copy()
        changed[place] = 1
        assert table1.score(scene, changed)["far identical"] == pytest.approx(share)
