"""Starts the server at an address of this computer, and tells where the page is."""

import socket
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address

import uvicorn

from selfsharp.config import ServeSettings
from selfsharp.web.interface import build


def serve(settings: ServeSettings, tell: Callable[[str], None]) -> None:
    """Serves the page until Ctrl-C.

    Args:
        settings: where to listen, and what to refuse.
        tell: is told in a line where the page is.

    Raises:
        ValueError: a setting is out of range, there is no such model, or the address is not to
            be had.
    """
    check_settings(settings)
    app = build(settings)
    listener = _listener(settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    tell(f"the page is at {url} (Ctrl-C stops it)")
    if not ip_address(host).is_loopback:
        tell("everybody in this network can use it; without --host, this computer alone can")
    if settings.open:
        threading.Timer(1.0, webbrowser.open, [url]).start()
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=1,
    )
    with suppress(KeyboardInterrupt), listener:
        uvicorn.Server(config).run(sockets=[listener])


def check_settings(settings: ServeSettings) -> None:
    """Refuses limits that nothing can keep to.

    Raises:
        ValueError: a limit is not above 0, or a number is out of range.
    """
    for name in ("max_megabytes", "max_megapixels", "seconds"):
        value = getattr(settings, name)
        if not 0 < value < float("inf"):
            flag = name.replace("_", "-")
            raise ValueError(f"--{flag} {value:g} is out of range; give a number above 0")
    if not 0 <= settings.port <= 65535:
        raise ValueError(f"--port {settings.port} is out of range; give 0 to 65535")
    if settings.queue < 0:
        raise ValueError(f"--queue {settings.queue} is out of range; give 0 or more")
    if settings.threads is not None and settings.threads < 1:
        raise ValueError(f"threads {settings.threads} is out of range; give 1 or more")


def _listener(host: str, port: int) -> socket.socket:
    """A socket that listens at an address.

    Raises:
        ValueError: the address is not to be had.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, _, _, _, address = found[0]
        return socket.create_server(address, family=family)  # type: ignore[arg-type]
    except OSError as error:
        reason = error.strerror or error
        raise ValueError(
            f"cannot listen at {host}, port {port} ({reason}); choose another --host or --port"
        ) from None
