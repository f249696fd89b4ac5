"""Many clients at once: puts them on a server, and tells what each got and how it fared.

``python tests/web/load.py`` starts a server and puts 50 clients on it for a minute.
"""

import asyncio
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from PIL import Image as PillowImage

DEMO = Path(__file__).parents[2] / "examples" / "photos" / "flowers-blurred.png"
PROBE = 0.25
"""Seconds between two looks at the page and the memory."""

IMPATIENCE = 0.5
"""Seconds after which a client that was sent away asks again, whatever it was told."""


@dataclass
class Figures:
    """What came of it.

    Attributes:
        answers: how many of each kind: "right", a status, or what went wrong.
        page_seconds: how long each look at the page took.
        megabytes: memory of the server and its worker, at each look.
    """

    answers: Counter[str] = field(default_factory=Counter)
    page_seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)


async def put_clients_on(
    address: str, process: int, photo: bytes, mask: bytes, clients: int, seconds: float
) -> Figures:
    """Has clients ask for the same photo again and again, while one looks at the page.

    Args:
        process: id of the server's process.
    """
    figures = Figures()
    form = {"photo": ("photo.png", photo), "mask": ("mask.png", mask)}
    how = {"base_url": address, "timeout": 600, "limits": httpx2.Limits(max_connections=None)}
    # Two, so that who looks at the page has a connection of its own.
    async with httpx2.AsyncClient(**how) as client, httpx2.AsyncClient(**how) as many:
        right = (await client.post("/restore", files=form)).content
        end = time.monotonic() + seconds

        async def ask() -> None:
            while time.monotonic() < end:
                try:
                    answer = await many.post("/restore", files=form)
                except httpx2.HTTPError as error:
                    figures.answers[type(error).__name__] += 1
                    continue
                is_right = answer.status_code == 200 and answer.content == right
                figures.answers["right" if is_right else str(answer.status_code)] += 1
                if answer.status_code == 429:
                    await asyncio.sleep(IMPATIENCE)

        async def look() -> None:
            while time.monotonic() < end:
                start = time.monotonic()
                (await client.get("/")).raise_for_status()
                figures.page_seconds.append(time.monotonic() - start)
                figures.megabytes.append(memory_of(process))
                await asyncio.sleep(PROBE)

        await asyncio.gather(look(), *(ask() for _ in range(clients)))
    return figures


def memory_of(process: int) -> float:
    """Resident megabytes of a process and its children, as Linux counts them."""
    total = 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "status").read_text()
        except OSError:
            continue  # It has ended meanwhile.
        table = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        if process in (int(folder.name), int(table["PPid"])) and "VmRSS" in table:
            total += int(table["VmRSS"].split()[0]) / 1000
    return total


def main() -> None:
    """Fifty clients for a minute, at a server with its usual limits."""
    with tempfile.TemporaryDirectory() as folder:
        photo, mask = Path(folder, "photo.png"), Path(folder, "mask.png")
        PillowImage.open(DEMO).crop((208, 320, 320, 416)).save(photo)
        PillowImage.new("L", (112, 96), 255).save(mask)
        command = [sys.executable, "-m", "selfsharp", "serve", "--port", "0", "--threads", "1"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1) as server:
            assert server.stdout is not None
            address = re.findall(r"http://[^/ ]+", server.stdout.readline())[0]
            sent = (photo.read_bytes(), mask.read_bytes())
            figures = asyncio.run(put_clients_on(address, server.pid, *sent, 50, 60.0))
            server.terminate()
    slowest = sorted(figures.page_seconds)
    print(f"answers: {dict(figures.answers)}")
    print(f"page: median {slowest[len(slowest) // 2]:.3f} s, slowest {slowest[-1]:.3f} s")
    print(f"memory: first {figures.megabytes[0]:.0f} MB, most {max(figures.megabytes):.0f} MB")


if __name__ == "__main__":
    main()
