"""Who may ask for what: this computer's own page, in bounded size and number."""

import asyncio
import ipaddress
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FORBIDDEN, TIMED_OUT, TOO_LARGE, TOO_MANY = 403, 408, 413, 429
RETRY_AFTER = 5
"""Seconds after which it is worth while to ask again."""
STALLED = 60.0
"""Seconds in which a client has to send or take something."""
ARRIVAL = 300.0
"""Seconds in which all of a body has to be there."""

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Guard:
    """Lets requests through to an application, or refuses them before it sees them.

    A page from elsewhere that the user has open can reach this computer too. So the name it is
    asked by has to be one that nobody else can point here (DNS rebinding), and what a browser
    sends has to come from a page of this very server.

    Args:
        app: the application.
        max_bytes: size of a body from which it is refused.
        places: bodies that may be under way at a time, from their first byte to the last one
            of the answer.
        names: names that the server may be asked by, beside localhost and plain addresses.
    """

    def __init__(
        self, app: ASGIApp, max_bytes: int, places: int, names: tuple[str, ...] = ()
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._places = places
        self._names = {"localhost", *(name.lower() for name in names)}
        self._taken = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, by the application or by a refusal."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(receive, send, self._max_bytes)
        refusal = self._refusal(scope)
        if refusal:
            answer = JSONResponse({"detail": refusal.detail}, refusal.status_code, refusal.headers)
            await answer(scope, exchange.receive, exchange.send)
            return
        takes_place = scope["method"] == "POST"
        self._taken += takes_place
        try:
            await self._app(scope, exchange.receive, exchange.send)
        finally:
            self._taken -= takes_place

    def _refusal(self, scope: Scope) -> HTTPException | None:
        headers = Headers(scope=scope)
        if not self._is_known(headers.get("host", "")):
            told = "this server is not asked by that name; start it with --name to allow it"
            return HTTPException(FORBIDDEN, told)
        if not _is_from_own_page(scope["method"], headers):
            return HTTPException(FORBIDDEN, "another page may not use this server")
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._max_bytes:
            return too_large(self._max_bytes)
        if scope["method"] == "POST" and self._taken >= self._places:
            told = "too many photos are being worked on or waiting; try again in a while"
            return HTTPException(TOO_MANY, told, {"Retry-After": str(RETRY_AFTER)})
        return None

    def _is_known(self, host: str) -> bool:
        """Whether no other than this computer can be meant by a name, with or without a port."""
        name = _hostname(host)
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


class _Exchange:
    """One request and its answer: counts what comes, and gives up on who stalls."""

    def __init__(self, receive: Receive, send: Send, max_bytes: int) -> None:
        self._receive = receive
        self._send = send
        self._max_bytes = max_bytes
        self._bytes = 0
        self._complete = False
        self._until = asyncio.get_running_loop().time() + ARRIVAL
        # An answer may be sent while another task waits for who goes away.
        self._reading = asyncio.Lock()

    async def receive(self) -> Message:
        async with self._reading:
            if not self._complete:
                return await self._next()
        return await self._receive()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._take_the_rest()
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
        await asyncio.wait_for(self._send(message), STALLED)

    async def _take_the_rest(self) -> None:
        """Takes what is still sent, within limits: browsers read no answer before."""
        async with self._reading:
            while not self._complete and self._bytes < 3 * self._max_bytes:
                with suppress(HTTPException):
                    await self._next()

    async def _next(self) -> Message:
        """The next piece of the body."""
        left = self._until - asyncio.get_running_loop().time()
        try:
            message = await asyncio.wait_for(self._receive(), min(STALLED, left))
        except TimeoutError:
            self._complete = True  # Nothing more is waited for.
            raise HTTPException(TIMED_OUT, "the photo did not arrive; send it again") from None
        self._complete = not message.get("more_body", False)
        self._bytes += len(message.get("body", b""))
        if self._bytes > self._max_bytes:
            raise too_large(self._max_bytes)
        return message


def too_large(max_bytes: int) -> HTTPException:
    """The refusal of a body that is too large."""
    told = f"this is more than {max_bytes / 1e6:g} MB; save the photo smaller"
    return HTTPException(TOO_LARGE, told)


def _is_from_own_page(method: str, headers: Headers) -> bool:
    """Whether a request comes from a page of this server, or from no page at all."""
    origin = headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
    site = headers.get("sec-fetch-site", "none")
    followed = method == "GET" and headers.get("sec-fetch-mode") == "navigate"
    return site in {"none", "same-origin"} or followed


def _hostname(host: str) -> str:
    """The name or address in a Host header, less brackets and port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""
