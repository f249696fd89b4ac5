"""Starting the server: where it listens, and what it says when it cannot."""

import socket

import pytest

from selfsharp.cli import main
from selfsharp.config import ServeSettings
from selfsharp.web.interface import PAGE


def test_it_listens_to_this_computer_alone_unless_told():
    assert ServeSettings().host == "127.0.0.1"


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ("--host no.such.host.invalid", "choose another --host or --port"),
        ("--host 203.0.113.9", "choose another --host or --port"),
        ("--port 99999999", "--port 99999999 is out of range"),
        ("--seconds 0", "--seconds 0 is out of range"),
        ("--max-megabytes nan", "--max-megabytes nan is out of range"),
        ("--queue -1", "--queue -1 is out of range"),
        ("--threads 0", "threads 0 is out of range"),
        ("--backend none", "unknown backend 'none'; choose one of: onnxruntime, openvino"),
        ("--model none", "unknown model 'none'; choose one of: base"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(flags, told, capsys):
    assert main(["serve", *flags.split()]) == 2
    captured = capsys.readouterr()
    assert told in captured.err
    assert len(captured.err.splitlines()) == 1
    assert captured.out == ""


def test_a_port_that_is_taken_is_told_in_one_line(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 2
    assert f"cannot listen at 127.0.0.1, port {port}" in capsys.readouterr().err


def test_the_page_names_no_outside_host_and_holds_no_script_or_style_of_its_own():
    for path in PAGE.iterdir():
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text
        assert "https://" not in text
    page = (PAGE / "index.html").read_text(encoding="utf-8")
    assert "<style" not in page
    assert " style=" not in page
    assert " on" + "click=" not in page
