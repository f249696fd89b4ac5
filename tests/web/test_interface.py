"""The interface restores as the command does, in whichever form the answer is wanted."""

import base64
import json

import pytest
from pydantic import TypeAdapter
from starlette.testclient import TestClient

from selfsharp.cli import main
from selfsharp.config import ServeSettings
from selfsharp.web.answers import Answer
from selfsharp.web.interface import build
from selfsharp.web.outputs import OF_A_MAP, OUTPUTS

HERE = "http://127.0.0.1"
EVENTS = {"Accept": "text/event-stream"}


def files_of(uploads, name: str, mask: str | None = None) -> dict:
    named = {"photo": name} | ({"mask": mask} if mask else {})
    return {field: (own, (uploads / own).read_bytes()) for field, own in named.items()}


def events_of(text: str) -> list[tuple[str, dict]]:
    """Names and data of server-sent events, in their order."""
    events = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line[:1] != ":")
        if fields:
            events.append((fields["event"], json.loads(fields["data"])))
    return events


@pytest.mark.parametrize("strength", ["1.0", "0.4"])
@pytest.mark.parametrize(
    ("name", "mask"),
    [
        ("photo.png", "mask.png"),
        ("photo.jpg", "mask-of-jpg.png"),
        ("photo.webp", "mask.png"),
        ("photo.tif", "mask.png"),
        ("photo.png", None),
        ("sharp.png", None),
    ],
)
def test_a_restored_photo_is_bit_for_bit_the_commands(
    client, uploads, tmp_path, name, mask, strength
):
    out = tmp_path / f"out{name[5:]}"
    flags = ["--mask", str(uploads / mask)] if mask else []
    command = ["restore", str(uploads / name), *flags, "--strength", strength, "--threads", "1"]
    assert main([*command, "-o", str(out)]) == 0

    files = files_of(uploads, name, mask)
    answer = client.post("/restore", files=files, data={"strength": strength})
    assert answer.status_code == 200
    assert answer.content == out.read_bytes()
    assert f'filename="{name[:5]}-selfsharp{name[5:]}"' in answer.headers["Content-Disposition"]
    report = json.loads(answer.headers["Selfsharp-Report"])
    assert report["unchanged"] == (answer.content == files["photo"][1])
    assert (report["restored"] > 0.1) == (name != "sharp.png")


def test_a_map_is_bit_for_bit_the_commands(client, uploads, tmp_path):
    arguments = ["map", str(uploads / "photo.png"), "--out-dir", str(tmp_path), "--threads", "1"]
    assert main(arguments) == 0
    answer = client.post(
        "/map", files=files_of(uploads, "photo.png"), data={"outputs": list(OF_A_MAP)}
    ).json()
    assert set(answer["files"]) == set(OF_A_MAP)
    for name in ("blur_map", "blur_picture"):
        file = answer["files"][name]
        assert base64.b64decode(file["base64"]) == (tmp_path / file["name"]).read_bytes()


def test_every_output_can_be_asked_for_at_once(client, uploads):
    files = files_of(uploads, "photo.png", "few.png")
    answer = client.post("/restore", files=files, data={"outputs": list(OUTPUTS)}).json()
    TypeAdapter(Answer).validate_python(answer)  # As the description says.
    # The part is too small for a PSF, and the model refers to nothing; that is left out.
    assert set(answer["files"]) == set(OUTPUTS) - {"psf", "origins", "references"}
    for name, file in answer["files"].items():
        ending = file["name"].rsplit(".")[-1].replace("jpg", "jpeg").replace("tif", "tiff")
        assert file["type"] in {f"image/{ending}", f"image/{ending}f"}, name
        assert base64.b64decode(file["base64"])
    assert (answer["report"]["width"], answer["report"]["height"]) == (112, 96)


def test_an_output_that_there_is_not_is_left_out(client, uploads):
    files = files_of(uploads, "photo.png", "few.png")
    answer = client.post("/restore", files=files, data={"outputs": "psf"})
    assert (answer.status_code, answer.json()["files"]) == (200, {})


def test_events_tell_of_every_stage_and_end_with_the_files(client, uploads):
    files = files_of(uploads, "photo.png", "mask.png")
    plain = client.post("/restore", files=files)
    answer = client.post("/restore", files=files, headers=EVENTS)
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    events = events_of(answer.text)
    stages = [data["stage"] for name, data in events if name == "began"]
    assert stages == ["reading", "looking", "restoring", "writing"]
    tiles = [data for name, data in events if name == "advanced"]
    assert tiles[-1]["done"] == tiles[-1]["total"] > 0
    name, finished = events[-1]
    assert name == "finished"
    assert base64.b64decode(finished["files"]["photo"]["base64"]) == plain.content


def test_events_end_with_a_refusal(client, uploads):
    files = files_of(uploads, "photo.png", "small-mask.png")
    events = events_of(client.post("/restore", files=files, headers=EVENTS).text)
    name, refused = events[-1]
    assert (name, refused["status"]) == ("refused", 422)
    assert "112 x 95" in refused["detail"]


def test_what_the_server_takes_can_be_asked(client):
    health = client.get("/health").json()
    assert (health["status"], health["waiting"]) == ("well", 0)
    assert (health["max_megabytes"], health["max_megapixels"]) == (1.0, 1.0)
    assert ".jpg" in health["endings"]
    assert [model["name"] for model in client.get("/models").json()] == ["base"]


def test_the_interface_describes_itself_and_loads_nothing_from_elsewhere(client):
    described = client.get("/openapi.json").json()
    assert set(described["paths"]) == {"/restore", "/map", "/models", "/health"}
    properties = described["components"]["schemas"]["Body_restore_restore_post"]["properties"]
    assert set(properties) == {"photo", "mask", "strength", "model", "outputs"}
    assert properties["outputs"]["items"]["enum"] == list(OUTPUTS)
    assert client.get("/docs").status_code == 404


def test_a_name_is_shown_without_folders_and_odd_characters(client, uploads):
    content = (uploads / "photo.png").read_bytes()
    files = {"photo": ("../..\\secret/\tnice photo.png", content), "mask": ("m.png", content[:99])}
    refused = client.post("/restore", files=files)
    assert refused.status_code == 422
    answer = client.post("/restore", files={"photo": files["photo"]})
    assert "nice%20photo-selfsharp.png" in answer.headers["Content-Disposition"]
    assert "secret" not in answer.headers["Content-Disposition"]


def test_a_model_of_ones_own_takes_the_first_place(made_up):
    settings = ServeSettings(model=str(made_up), threads=1)
    with TestClient(build(settings), base_url=HERE) as client:
        names = [model["name"] for model in client.get("/models").json()]
        described = client.get("/openapi.json").json()["components"]["schemas"]
    assert names == ["made-up", "base"]
    assert described["Body_restore_restore_post"]["properties"]["model"]["default"] == "made-up"
