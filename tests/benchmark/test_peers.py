"""Outside programs: one that works, and all that can go wrong with one."""

import os
import shlex
import signal
import subprocess
import sys
import time

import pytest

from selfsharp.benchmark.process import run_metered, run_process
from selfsharp.benchmark.rows.peer import read_peer
from selfsharp.cli import main

START = "import sys, shutil, time; from PIL import Image; source, out = sys.argv[1:3]; "
COPY = "shutil.copy(source, out)"
PEERS = {
    "crashes": ("sys.exit('out of memory')", "out of memory"),
    "hangs": ("time.sleep(60)", "timed out after 2 s"),
    "wrong size": ("Image.new('RGB', (7, 5)).save(out)", "7 x 5 px instead of 96 x 96"),
    "no picture": ("pass", "wrote no picture"),
    "no image": ("open(out, 'w').write('text')", "its picture is not a picture"),
}


def peer(name: str, code: str) -> str:
    return (
        f"{name}={shlex.quote(sys.executable)} -c {shlex.quote(START + code)} {{input}} {{output}}"
    )


@pytest.mark.parametrize("name", PEERS)
def test_a_bad_peer_costs_its_row_and_not_the_run(name, measure):
    code, told = PEERS[name]
    start = time.monotonic()
    report, content = measure(
        "identity",
        rows=("nothing", "peer"),
        peer=(peer(name, code), peer("copy", COPY)),
        peer_timeout=2.0,
    )
    if name == "hangs":
        # It is tried on as many photos as are measured at a time, and then no more.
        assert time.monotonic() - start < 30
    by_row = {}
    for line in content["figures"]:
        by_row.setdefault(line["row"], []).append(line)
    assert all(told in line["error"] for line in by_row[name])
    assert [line["identical"] for line in by_row["copy"]] == [1, 1]
    assert [line["identical"] for line in by_row["do nothing"]] == [1, 1]
    page = report.read_text(encoding="utf-8")
    assert f"| {name} (failed) | - |" in page
    assert f"{name} failed on 2 of 2 photos: " in page
    assert told in page


def test_a_peer_is_timed_as_a_whole_process(measure):
    slow = peer("slow", f"time.sleep(0.5); {COPY}")
    _, content = measure("identity", rows=("peer",), peer=(slow,))
    assert all(line["seconds"] > 0.5 for line in content["timings"]["figures"])


def test_ctrl_c_ends_peers_and_leaves_nothing_behind(tiny, tmp_path):
    ready = tmp_path / "ready"
    slow = peer("slow", f"open({str(ready)!r}, 'w').close(); time.sleep(60)")
    command = [sys.executable, "-m", "selfsharp", "benchmark", "identity", "--rows", "peer"]
    command += ["--pictures", str(tiny["identity"]), "--out-dir", str(tmp_path / "out")]
    run = subprocess.Popen(
        [*command, "--peer", slow, "--peer", slow.replace("slow", "next", 1)],
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests themselves run in the background, the signal would be ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    for _ in range(600):
        if ready.exists():
            break
        time.sleep(0.1)
    run.send_signal(signal.SIGINT)
    _, told = run.communicate(timeout=40)
    assert run.returncode == 130
    assert len(told.splitlines()) == 1
    assert told.startswith("selfsharp: stopped")
    assert not (tmp_path / "out").exists()


def test_what_a_stopped_program_started_is_stopped_too(tmp_path):
    ready = tmp_path / "child"
    child = f"import os, time; open({str(ready)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    ended = run_process([sys.executable, "-c", code], timeout=3.0)
    assert ended.timed_out
    number = int(ready.read_text())
    for _ in range(100):
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return
        with open(f"/proc/{number}/stat") as status:
            if status.read().split()[2] == "Z":
                return
        time.sleep(0.05)
    raise AssertionError("the child still runs")


def test_the_meter_tells_memory_and_exit_code():
    little = run_metered([sys.executable, "-S", "-c", "pass"], 30.0)
    code = "x = bytearray(200_000_000); x[::4096] = b'1' * len(x[::4096]); raise SystemExit(3)"
    much = run_metered([sys.executable, "-S", "-c", code], 30.0)
    assert (little.code, much.code) == (0, 3)
    assert little.megabytes < 60
    assert 200 < much.megabytes < 300
    assert much.seconds > 0


def test_no_shell_reads_the_command():
    words = read_peer("x=python3 'a b' $HOME {input} --out={output}").words
    assert words == ("python3", "a b", "$HOME", "{input}", "--out={output}")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("python3 {input} {output}", "a name"),
        ("=python3 {input} {output}", "a name"),
        ("x=python3 {input}", "{output}"),
        ("x=python3 {output}", "{input}"),
        ("x=python3 'a {input} {output}", "quot"),
        ("x=no-such-program {input} {output}", "no-such-program"),
    ],
)
def test_a_peer_that_cannot_be_run_is_refused_in_one_line(text, named, tiny, tmp_path, capsys):
    command = ["benchmark", "identity", "--pictures", str(tiny["identity"]), "--peer", text]
    assert main([*command, "--out-dir", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert named in told
    assert not (tmp_path / "out").exists()
