"""The page in a real browser: Debian's chromium, driven by playwright."""

import base64
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from selfsharp.cli import main

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect, sync_playwright

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium; install Debian's")

DEMO = Path(__file__).parents[2] / "examples" / "photos" / "flowers-blurred.png"
PATIENCE = 300_000
"""Milliseconds to wait for a photo at most, on a computer that has other things to do."""
DROP = """([name, type, data]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type }));
  const happens = (kind) => new DragEvent(kind, { dataTransfer: transfer, bubbles: true });
  const stage = document.getElementById("stage");
  for (const kind of ["dragenter", "dragover", "drop"]) stage.dispatchEvent(happens(kind));
}"""


@pytest.fixture
def page(serving) -> Iterator[Page]:
    """The page, in a window that tells of every fault in its scripts."""
    with opened(serving) as page:
        yield page


@contextmanager
def opened(serving, *flags: str) -> Iterator[Page]:
    """The page of a server with flags."""
    faults = []
    with sync_playwright() as playwright, serving("--threads", "1", *flags) as server:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1000, "height": 720})
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: said.type == "error" and faults.append(said.text))
        page.goto(server.address)
        page.wait_for_selector("body[data-ready]")
        yield page
        browser.close()
    assert faults == []


def drop(page: Page, path: Path) -> None:
    data = base64.b64encode(path.read_bytes()).decode()
    page.evaluate(DROP, [path.name, f"image/{path.suffix[1:]}", data])


def words(page: Page) -> str:
    """What the page says of the photo, once it is done with it."""
    page.wait_for_function(
        "() => document.getElementById('bar').hidden"
        " && document.getElementById('words').textContent"
    )
    return page.locator("#words").text_content()


def place(page: Page, across: float, down: float) -> tuple[float, float]:
    """A point of the window, by its place in the photo in shares of its sides."""
    box = page.locator("#before").bounding_box()
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


def stroke(page: Page, *points: tuple[float, float]) -> None:
    page.mouse.move(*place(page, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*place(page, *point), steps=6)
    page.mouse.up()


def save_mask(page: Page, path: Path) -> np.ndarray:
    """The mask as the page has it sent, saved as a user can; only black and white."""
    with page.expect_download() as saved:
        page.locator("#save-mask").click()
    saved.value.save_as(path)
    values = np.asarray(PillowImage.open(path).convert("L"))
    assert set(np.unique(values)) <= {0, 255}
    return values


def test_the_demo_photo_from_drop_to_download(page, tmp_path):
    drop(page, DEMO)
    told = words(page)
    assert "of the photo sharpened" in told
    assert "untouched, bit for bit" in told
    expect(page.locator("body")).to_have_attribute("data-state", "restored")

    # The slider: what is left of it is before, what is right of it after.
    divider = page.locator("#divider")
    box = divider.bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] - 200, middle[1], steps=4)
    page.mouse.up()
    assert int(divider.get_attribute("aria-valuenow")) == 30
    page.keyboard.press("ArrowRight")
    assert int(divider.get_attribute("aria-valuenow")) == 35

    # The blur map, and what it tells of a place.
    page.keyboard.press("m")
    page.mouse.move(*place(page, 0.4, 0.7))
    expect(page.locator("#readout")).to_contain_text("blur radius")
    page.mouse.move(*place(page, 0.9, 0.1))
    expect(page.locator("#readout")).to_have_text("sharp: untouched")
    page.keyboard.press("m")
    expect(page.locator("#readout")).to_be_hidden()

    # A mask: what was found, less a protected place; a stroke too many is undone.
    page.keyboard.press("p")
    stroke(page, (0.05, 0.6), (0.3, 0.75), (0.2, 0.85))
    stroke(page, (0.5, 0.7), (0.5, 0.8))
    page.keyboard.press("Control+z")
    mask = tmp_path / "mask.png"
    values = save_mask(page, mask)
    page.keyboard.press("Escape")
    page.locator("#strength").fill("70")
    height, width = values.shape
    assert values[round(0.75 * height), round(0.3 * width)] == 0
    assert values[round(0.75 * height), round(0.5 * width)] == 255

    # Asked for before it is ready, it comes when it is.
    with page.expect_download(timeout=PATIENCE) as saved:
        page.keyboard.press("d")
    assert saved.value.suggested_filename == "flowers-blurred-selfsharp.png"
    command = ["restore", str(DEMO), "--mask", str(mask), "--strength", "0.7"]
    assert main([*command, "--threads", "1", "-o", str(tmp_path / "out.png")]) == 0
    assert Path(saved.value.path()).read_bytes() == (tmp_path / "out.png").read_bytes()
    before, after = (np.asarray(PillowImage.open(path)) for path in (DEMO, tmp_path / "out.png"))
    changed = (before != after).any(axis=2)
    assert changed.any()
    assert not changed[values == 0].any()


def test_a_place_tells_which_sharp_one_it_was_told_of(serving, referring, tmp_path):
    tile = np.asarray(PillowImage.open(DEMO).convert("RGB"))[120:240, 200:320]
    tiled = np.tile(tile, (3, 4, 1))
    moved = sum(np.roll(tiled, step, axis=1) / 5.0 for step in range(-2, 3))
    tiled[130:230, 180:320] = np.rint(moved[130:230, 180:320])
    PillowImage.fromarray(tiled).save(tmp_path / "tiled.png")
    with opened(serving, "--model", str(referring)) as page:
        drop(page, tmp_path / "tiled.png")
        words(page)
        page.keyboard.press("b")
        page.locator("#clear").click()
        stroke(page, (200 / 480, 180 / 360), (300 / 480, 180 / 360))
        page.keyboard.press("Escape")
        with page.expect_download(timeout=PATIENCE):
            page.keyboard.press("d")  # It comes once it is restored by that mask.
        origin = page.locator("#origin")
        expect(origin).to_be_hidden()
        page.keyboard.press("m")
        page.mouse.move(*place(page, 250 / 480, 180 / 360))
        expect(page.locator("#readout")).to_contain_text("refers to a sharp place")
        expect(origin).to_be_visible()
        # The texture repeats every 120 px: so far away, or a multiple of it, lies the like.
        circle = origin.locator("circle").bounding_box()
        photo = page.locator("#before").bounding_box()
        scale = photo["width"] / 480
        middle = (circle["x"] + circle["width"] / 2, circle["y"] + circle["height"] / 2)
        column, row = (middle[0] - photo["x"]) / scale, (middle[1] - photo["y"]) / scale
        assert not (180 <= column < 320 and 130 <= row < 230)
        for moved in (column - 250, row - 180):
            assert abs(moved - 120 * round(moved / 120)) < 6
        page.mouse.move(*place(page, 0.05, 0.05))
        expect(origin).to_be_hidden()
        page.mouse.move(*place(page, 250 / 480, 180 / 360))
        expect(origin).to_be_visible()
        page.keyboard.press("+")
        expect(origin).to_be_hidden()


def test_several_photos_in_a_row_and_one_that_is_refused(page, uploads, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes((uploads / "photo.jpg").read_bytes()[:300])
    other = tmp_path / "song.mp3"
    other.write_bytes(b"ID3")
    page.set_input_files("#files", [uploads / "sharp.png", broken, other])
    assert words(page) == "No blur was found: the photo is as it was."
    expect(page.locator("#before")).to_have_js_property("naturalWidth", 112)
    expect(page.locator("#strip > div")).to_have_count(3)
    states = ["unchanged", "refused", "refused"]
    for number, state in enumerate(states):
        item = page.locator("#strip > div").nth(number)
        expect(item).to_have_attribute("data-state", state, timeout=PATIENCE)
    page.keyboard.press("PageDown")
    assert "broken.jpg is damaged" in words(page)
    expect(page.locator("#blank")).to_contain_text("broken.jpg is damaged")
    expect(page.locator("#save")).to_be_disabled()
    page.keyboard.press("PageDown")
    assert "song.mp3 is of a kind that cannot be read" in words(page)
    page.locator("#strip .remove").nth(2).click()
    expect(page.locator("#strip > div")).to_have_count(2)


def test_all_can_be_done_by_keys(page, uploads, tmp_path):
    drop(page, uploads / "photo.png")
    words(page)
    page.keyboard.press("b")
    page.locator("#clear").click()
    page.locator("#stage").focus()
    for key in ("]", "]", "]", "ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    values = save_mask(page, tmp_path / "mask.png")
    assert 0 < np.count_nonzero(values) < 0.6 * values.size
    page.keyboard.press("Escape")
    words(page)
    expect(page.locator("#undo")).to_be_enabled()
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(page.locator("#found")).to_be_disabled()
    page.keyboard.press("1")
    assert page.locator("#zoom").inner_text() == "100 %"
    page.keyboard.press("+")
    assert page.locator("#zoom").inner_text() == "150 %"
    page.keyboard.press("0")
    assert page.locator("#zoom").inner_text() == "Fit"
    page.keyboard.down(" ")
    expect(page.locator("#stage")).to_have_class("close before-only")
    page.keyboard.up(" ")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()


@pytest.mark.parametrize("width", [320, 390, 810, 1400])
def test_nothing_lies_beyond_the_window_at_any_width(page, uploads, width):
    page.set_viewport_size({"width": width, "height": 700})
    drop(page, uploads / "photo.png")
    words(page)
    page.keyboard.press("b")
    bars = page.locator("header, footer, #brushes")
    for element in bars.locator("button:visible, input:visible, output:visible").all():
        box = element.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width + 0.5, element.evaluate("one => one.outerHTML")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
