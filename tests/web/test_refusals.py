"""What the server refuses: what is no photo, what is too much, and who may not ask."""

import asyncio
import io
import json
import struct
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage
from starlette.testclient import TestClient

from selfsharp.config import ServeSettings
from selfsharp.web.guard import Guard
from selfsharp.web.interface import build
from selfsharp.web.server import check_settings

HERE = "http://127.0.0.1"


def picture(form: str, width: int = 40, height: int = 30, mode: str = "RGB", **how) -> bytes:
    """A file of one colour; large ones take next to no bytes."""
    content = io.BytesIO()
    PillowImage.new(mode, (width, height)).save(content, form, **how)
    return content.getvalue()


def claiming(width: int, height: int) -> bytes:
    """A PNG file of 40x30 that claims another size."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    whole = picture("PNG")
    return whole[:12] + header + struct.pack(">I", zlib.crc32(header)) + whole[33:]


def several_pages() -> bytes:
    pages = [PillowImage.new("RGB", (40, 30), colour) for colour in ("red", "blue")]
    content = io.BytesIO()
    pages[0].save(content, "GIF", save_all=True, append_images=pages[1:])
    return content.getvalue()


def deep_tiff() -> bytes:
    content = io.BytesIO()
    tifffile.imwrite(content, np.zeros((30, 40, 3), np.float64), photometric="rgb")
    return content.getvalue()


HOSTILE = {
    "empty.jpg": (b"", 422),
    "text.jpg": (b"not a picture\n" * 20, 422),
    "page.png": (b"<!doctype html><script>alert(1)</script>", 422),
    "cut.jpg": (picture("JPEG", 300, 200)[:400], 422),
    "cut.png": (picture("PNG", 300, 200)[:60], 422),
    "cut.webp": (picture("WEBP", 300, 200)[:-12], 422),
    "cut.tif": (picture("TIFF", 300, 200)[:2000], 422),
    "zeros.png": (b"\x89PNG\r\n\x1a\n" + bytes(4000), 422),
    "bomb.png": (picture("PNG", 20000, 20000, "1"), 413),
    "bomb.webp": (picture("WEBP", 8000, 8000, lossless=True), 413),
    "claims.png": (claiming(2**31 - 1, 2**31 - 1), 413),
    "claims-more.png": (claiming(1000, 1000), 422),
    "lying.png": (several_pages(), 422),
    "photo.gif": (several_pages(), 422),
    "photo.exe": (b"MZ" + bytes(100), 422),
    "no-ending": (picture("PNG"), 422),
    "raw.png": (picture("TIFF"), 422),
    "deep.tif": (deep_tiff(), 422),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("path", ["/restore", "/map"])
def test_a_hostile_file_is_refused_in_one_line_and_the_server_goes_on(client, path, name):
    content, status = HOSTILE[name]
    assert len(content) < 1e6
    answer = client.post(path, files={"photo": (name, content)})
    assert answer.status_code == status
    detail = answer.json()["detail"]
    assert name in detail
    assert len(detail.splitlines()) == 1
    assert tempfile.gettempdir() not in detail
    assert "Traceback" not in detail
    assert client.get("/health").json()["status"] == "well"


@pytest.mark.parametrize(
    ("mask", "told"),
    [
        (picture("PNG", 112, 95, "L"), "112 x 95"),
        (picture("PNG", 15000, 15000, "1"), "15000 x 15000"),
        (b"nothing", "the mask is not a picture"),
        (picture("PNG", 112, 96, "L")[:40], "the mask is damaged"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused(client, uploads, mask, told):
    photo = (uploads / "photo.png").read_bytes()
    answer = client.post("/restore", files={"photo": ("a.png", photo), "mask": ("m.png", mask)})
    assert answer.status_code == 422
    assert told in answer.json()["detail"]
    assert "selfsharp-" not in answer.json()["detail"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"strength": "1.01"}, "strength"),
        ({"strength": "-0.1"}, "strength"),
        ({"strength": "nan"}, "strength"),
        ({"strength": "much"}, "strength"),
        ({"model": "other"}, "choose one of: base"),
        ({"model": "/etc"}, "choose one of: base"),
        ({"model": "../pretrained/base"}, "choose one of: base"),
        ({"model": str(Path(__file__).parents[2] / "src/selfsharp/pretrained/base")}, "base"),
        ({"outputs": "everything"}, "choose of: photo"),
        ({"outputs": ["photo", "../photo"]}, "outputs"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_name(client, uploads, data, told):
    photo = (uploads / "photo.png").read_bytes()
    answer = client.post("/restore", files={"photo": ("a.png", photo)}, data=data)
    assert answer.status_code == 422
    assert told in answer.json()["detail"]


def test_a_form_without_a_photo_is_refused(client):
    assert client.post("/restore", data={"photo": "a text"}).status_code == 422
    assert client.post("/restore", data={"strength": "1"}).status_code == 422
    assert client.post("/restore", json={"photo": "a"}).status_code == 422
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    assert client.post("/restore", content=b"--y\r\n", headers=broken).status_code in {400, 422}


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_is_too_large_is_refused(client, announced):
    head = b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n\r\n'
    pieces = [head, *[bytes(100_000)] * 15, b"\r\n--x--\r\n"]
    answer = client.post(
        "/restore",
        content=b"".join(pieces) if announced else iter(pieces),
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert (answer.status_code, answer.json()["detail"][:22]) == (413, "this is more than 1 MB")


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {"Host": "127.0.0.1:8765"}, 200),
        ("GET", {"Host": "localhost"}, 200),
        ("GET", {"Host": "LOCALHOST.:1"}, 200),
        ("GET", {"Host": "[::1]:8765"}, 200),
        ("GET", {"Host": "192.168.1.7:8765"}, 200),
        ("GET", {"Host": "evil.example"}, 403),
        ("GET", {"Host": "127.0.0.1.evil.example"}, 403),
        ("GET", {"Host": "localhost.evil.example:80"}, 403),
        ("GET", {"Host": "[::1"}, 403),
        ("GET", {"Host": ""}, 403),
        ("GET", {"Origin": HERE}, 200),
        ("GET", {"Origin": "http://evil.example"}, 403),
        ("GET", {"Origin": "null"}, 403),
        ("GET", {"Origin": "http://127.0.0.1:9000"}, 403),
        ("OPTIONS", {"Origin": "http://evil.example"}, 403),
        ("GET", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("GET", {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200),
        ("POST", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 403),
        ("GET", {"Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
def test_only_the_own_page_and_programs_may_ask_and_by_no_foreign_name(
    client, method, headers, status
):
    answer = client.request(method, "/health", headers=headers)
    assert answer.status_code == status
    assert "access-control-allow-origin" not in answer.headers


def test_a_name_can_be_allowed():
    app = build(ServeSettings(host="box.lan", name=("Photos.Home",)))
    client = TestClient(app, base_url=HERE)
    for name in ("box.lan", "photos.home:8765"):
        assert client.get("/models", headers={"Host": name}).status_code == 200
    assert client.get("/models", headers={"Host": "home"}).status_code == 403


@pytest.mark.parametrize(
    "path",
    ["/../interface.py", "/%2e%2e/interface.py", "/..%2finterface.py", "//etc/passwd", "/page"],
)
def test_no_file_beside_the_pages_own_can_be_had(client, path):
    assert client.get(path).status_code == 404


def test_every_answer_forbids_what_the_page_does_not_need(client):
    for path in ("/", "/main.js", "/health", "/nothing"):
        headers = client.get(path).headers
        assert headers["Content-Security-Policy"].startswith(
            "default-src 'none'; script-src 'self'"
        )
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_nothing_is_kept_on_disc(client, uploads, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    photo = {"photo": ("a.png", (uploads / "photo.png").read_bytes())}
    events = {"Accept": "text/event-stream"}
    for headers in ({}, events):
        for data in ({}, {"outputs": ["photo", "cells"]}, {"model": "none"}):
            client.post("/restore", files=photo, data=data, headers=headers)
    client.post("/restore", files={"photo": ("a.png", b"no")})
    client.post("/restore", files={"photo": ("a.png", bytes(2_000_000))})
    assert list(tmp_path.iterdir()) == []


def test_a_photo_that_takes_too_long_is_given_up(uploads):
    photo = {"photo": ("slow.png", (uploads / "photo.png").read_bytes())}
    with TestClient(build(ServeSettings(threads=1, seconds=1e-3)), base_url=HERE) as client:
        for _ in range(2):
            answer = client.post("/restore", files=photo)
            assert answer.status_code == 422
            assert "slow.png takes more than 0.001 s" in answer.json()["detail"]


def test_more_than_may_wait_are_sent_away():
    answers = []

    async def asks_again(scope, receive, send):
        """While this one is under way, another one comes."""
        answers.append(await answer_of(guard, "POST"))
        answers.append(await answer_of(guard, "HEAD"))

    async def is_well(scope, receive, send):
        await (asks_again(scope, receive, send) if scope["method"] == "POST" else done(send))

    async def done(send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    guard = Guard(is_well, max_bytes=100, places=1)
    asyncio.run(answer_of(guard, "POST"))
    (status, headers, body), (other, _, _) = answers
    assert (status, headers["retry-after"]) == (429, "5")
    assert "try again" in json.loads(body)["detail"]
    assert other == 200


@pytest.mark.parametrize("limit", ["STALLED", "ARRIVAL"])
def test_a_body_that_does_not_arrive_is_given_up(limit, monkeypatch):
    monkeypatch.setattr(f"selfsharp.web.guard.{limit}", 0.05)
    sent = []

    async def drips():
        await asyncio.sleep(0.02 if limit == "ARRIVAL" else 60)
        return {"type": "http.request", "body": b"-", "more_body": True}

    async def send(message):
        sent.append(message)

    app = build(ServeSettings())
    headers = [(b"host", b"localhost"), (b"content-type", b"multipart/form-data; boundary=-")]
    scope = {"type": "http", "method": "POST", "path": "/restore", "headers": headers}
    scope |= {"query_string": b"", "http_version": "1.1", "client": None, "server": None}
    asyncio.run(app(scope, drips, send))
    assert sent[0]["status"] == 408
    assert "send it again" in json.loads(sent[1]["body"])["detail"]


async def answer_of(guard: Guard, method: str) -> tuple[int, dict, bytes]:
    """Status, headers and body that a guard answers a request with, if it answers."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": "/", "headers": [(b"host", b"localhost")]}
    await guard(scope, receive, send)
    if not sent:
        return 0, {}, b""
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, sent[1]["body"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_megabytes": 0.0},
        {"max_megapixels": float("nan")},
        {"seconds": -1.0},
        {"seconds": float("inf")},
        {"queue": -1},
        {"threads": 0},
    ],
)
def test_limits_that_nothing_can_keep_to_are_refused(wrong):
    with pytest.raises(ValueError, match=r"\A.+ is out of range; give .+\Z"):
        check_settings(ServeSettings(**wrong))
