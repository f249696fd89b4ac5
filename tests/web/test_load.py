"""A server of its own process: many clients, clients that leave, and whatever a form can hold."""

import asyncio
from collections import Counter

import httpx2
import hypothesis
import pytest
from load import DEMO, put_clients_on

schemathesis = pytest.importorskip("schemathesis")


def waiting(address: str) -> int:
    return httpx2.get(f"{address}/health").json()["waiting"]


def test_every_client_gets_its_photo_or_is_told_to_come_again(serving, uploads):
    photo, mask = ((uploads / name).read_bytes() for name in ("photo.png", "mask.png"))
    with serving("--threads", "1", "--queue", "3") as server:
        load = put_clients_on(server.address, server.process, photo, mask, 12, 4.0)
        figures = asyncio.run(load)
        assert set(figures.answers) == {"right", "429"}
        assert len(figures.page_seconds) > 1
        assert max(figures.megabytes) < 1000
        assert waiting(server.address) == 0
    assert not list(server.folder.glob("selfsharp-*"))


def test_who_has_left_keeps_nobody_waiting(serving, uploads):
    slow = {"photo": ("slow.png", DEMO.read_bytes())}
    quick = {
        "photo": ("quick.png", (uploads / "photo.png").read_bytes()),
        "mask": ("mask.png", (uploads / "mask.png").read_bytes()),
    }
    events = {"Accept": "text/event-stream"}
    with serving("--threads", "1") as server, httpx2.Client(base_url=server.address) as client:
        client.timeout = 600
        with client.stream("POST", "/restore", files=slow, headers=events) as answer:
            lines = answer.iter_lines()
            assert any("looking" in line for line in lines)
        # The slow photo's process is ended with its client, and another does the next.
        told = lines_of(client, quick)
        assert sum("restoring" in line for line in told) == 1
        assert told[-1].startswith("data: {")
        assert not any("slow.png" in line for line in told)
        assert waiting(server.address) == 0


def test_who_sends_too_much_is_told_so_and_not_cut_off(serving):
    too_large = {"photo": ("large.png", bytes(3_000_000))}
    with serving("--threads", "1", "--max-megabytes", "1") as server:
        for headers in ({}, {"Host": "evil.example"}, {"Origin": "http://evil.example"}):
            answer = httpx2.post(f"{server.address}/restore", files=too_large, headers=headers)
            assert answer.status_code == (403 if headers else 413)
            assert answer.json()["detail"]


def lines_of(client: httpx2.Client, form: dict) -> list[str]:
    """The lines of the events that a form is answered with, less empty ones."""
    headers = {"Accept": "text/event-stream"}
    answer = client.post("/restore", files=form, headers=headers)
    return [line for line in answer.text.splitlines() if line.strip(":")]


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_whatever_is_sent_is_answered_without_a_fault(serving, mode):
    seen = Counter()
    with serving("--threads", "1") as server:
        schema = schemathesis.openapi.from_url(f"{server.address}/openapi.json")
        operations = [found.ok() for found in schema.get_all_operations()]
        if mode is schemathesis.GenerationMode.NEGATIVE:
            # What takes nothing can be sent nothing wrong.
            operations = [operation for operation in operations if operation.method == "post"]
        for operation in operations:
            send_cases(operation.as_strategy(mode), seen)
        assert waiting(server.address) == 0
    assert {path for path, _ in seen} == {operation.path for operation in operations}
    assert not any(status >= 500 for _, status in seen), seen
    assert {path for path, status in seen if status == 422} == {"/restore", "/map"}


def send_cases(cases, seen: Counter) -> None:
    """Sends what a strategy draws; counts paths and statuses."""

    @hypothesis.settings(max_examples=15, suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(cases)
    def send(case):
        seen[case.path, case.call().status_code] += 1

    send()
