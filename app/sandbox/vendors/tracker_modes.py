"""How a tracker can answer, and how it can fail to.

| mode | behaviour |
|---|---|
| ok | 200 `OK` |
| flaky/N | 500 to the first N tries of each full URL, then ok |
| dead | 500, always |
| hang | takes the request and never answers |
| hang-after-headers | status and headers, then nothing |
| drip | one byte of body a second |
| endless | a body without an end |
| gzip-bomb | a small gzip body that unfolds to 100 MB |
| reset | RST after part of the body |
| half-close | says it sends more than it does, and closes its side |
| redirect?to=URL | 302 |
| liar | 200 with a JSON error in the body |
| slow-down?seconds=N | 429 with Retry-After |
| gone | 410 |
| huge-header | one header of 10 MB |
| status/N | that status |
"""

import asyncio
import functools
import gzip
import re
import socket
import struct
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

Later = Coroutine[Any, Any, None]

DRIP_SECONDS: Final = 1.0
_CHUNK: Final = b"x" * 65536
_BOMB_BYTES: Final = 100 * 1024 * 1024
_LINGER_NONE: Final = struct.pack("ii", 1, 0)
_OK: Final = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nOK"


@dataclass(frozen=True, slots=True)
class Mode:
    """A way to behave: its name, a number and an address where it takes them."""

    name: str
    number: int = 0
    to: str = ""


class Wire:
    """The server's side of one request. What is sent is held until `release`."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held: bytearray | None = bytearray()

    def release(self) -> None:
        """Send what was held, and hold no more."""
        held, self._held = self._held, None
        if held:
            self._transport.write(held)

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        """Send a status line and headers."""
        lines = [f"HTTP/1.1 {status} Sandbox"] + [f"{k}: {v}" for k, v in headers.items()]
        self.raw(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    def answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Send a whole, well-formed answer."""
        self.head(status, {**(headers or {}), "Content-Length": str(len(body))})
        if body:
            self.raw(body)

    def raw(self, data: bytes) -> None:
        """Send bytes."""
        if self._held is None:
            self._transport.write(data)
        else:
            self._held += data

    def finish_writing(self) -> None:
        """Close our side only."""
        self._transport.write_eof()

    def reset(self) -> None:
        """Cut with RST, not FIN."""
        peer: socket.socket = self._transport.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
        self._transport.abort()

    async def room(self) -> None:
        """Wait until the client has read most of what was sent."""
        while self._transport.get_write_buffer_size() > len(_CHUNK):  # noqa: ASYNC110 good enough
            await asyncio.sleep(0.001)


def read_mode(text: str) -> Mode:
    """Return the mode of a spelling such as `flaky/2`. Raises ValueError."""
    parts = urlsplit(text)
    name, _, rest = parts.path.strip("/").partition("/")
    if name not in _MODES:
        raise ValueError(f"there is no mode {name!r}; known are {', '.join(sorted(_MODES))}")
    asked = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    number = re.match(r"\d{1,9}", rest) or re.match(r"\d{1,9}", asked.get("seconds", ""))
    return Mode(name, int(number[0]) if number else 0, asked.get("to", ""))


def mode_of(url: str) -> Mode:
    """Return the mode that a request's own path names; ok if it names none."""
    try:
        return read_mode(url)
    except ValueError:
        return Mode("ok")


def behave(mode: Mode, tries: int, wire: Wire) -> tuple[int, Later | None]:
    """Answer, or start to. Returns the status sent (0 for none) and what goes on after."""
    return _MODES[mode.name](mode, tries, wire)


def _ok(_mode: Mode, _tries: int, wire: Wire) -> tuple[int, Later | None]:
    wire.raw(_OK)
    return 200, None


def _status(status: int, body: bytes, **headers: str) -> Callable[..., tuple[int, None]]:
    def act(_mode: Mode, _tries: int, wire: Wire) -> tuple[int, None]:
        wire.answer(status, body, headers)
        return status, None

    return act


def _any_status(mode: Mode, _tries: int, wire: Wire) -> tuple[int, Later | None]:
    status = mode.number if 200 <= mode.number <= 599 else 200
    wire.answer(status, b"" if status in (204, 304) else b"as you wish")
    return status, None


def _flaky(mode: Mode, tries: int, wire: Wire) -> tuple[int, Later | None]:
    if tries >= mode.number:
        return _ok(mode, tries, wire)
    wire.answer(500, b"not yet")
    return 500, None


def _redirect(mode: Mode, _tries: int, wire: Wire) -> tuple[int, Later | None]:
    wire.answer(302, b"", {"Location": mode.to or "http://127.0.0.1/"})
    return 302, None


def _slow_down(mode: Mode, _tries: int, wire: Wire) -> tuple[int, Later | None]:
    wire.answer(429, b"slow down", {"Retry-After": str(mode.number)})
    return 429, None


def _gzip_bomb(_mode: Mode, _tries: int, wire: Wire) -> tuple[int, Later | None]:
    wire.answer(200, bomb(), {"Content-Encoding": "gzip"})
    return 200, None


@functools.cache
def bomb() -> bytes:
    """Return about 100 KB that unfold to 100 MB."""
    return gzip.compress(bytes(_BOMB_BYTES))


def _hang(_mode: Mode, _tries: int, wire: Wire) -> tuple[int, Later | None]:
    return 0, _forever(wire)


def _beginning(
    headers: Mapping[str, str], later: Callable[[Wire], Later], body: bytes = b""
) -> Callable[..., tuple[int, Later]]:
    """Send a status of 200, these headers and perhaps a part of the body; then act as `later`."""

    def act(_mode: Mode, _tries: int, wire: Wire) -> tuple[int, Later]:
        wire.head(200, headers)
        wire.raw(body)
        return 200, later(wire)

    return act


def _huge_header(_mode: Mode, _tries: int, wire: Wire) -> tuple[int, Later | None]:
    wire.head(200, {"X-Huge": "h" * (10 * 1024 * 1024), "Content-Length": "0"})
    return 200, None


async def _forever(_wire: Wire) -> None:
    await asyncio.sleep(3600)


async def _half_closing(wire: Wire) -> None:
    wire.finish_writing()
    await _forever(wire)


async def _dripping(wire: Wire) -> None:
    while True:
        wire.raw(b"d")
        await asyncio.sleep(DRIP_SECONDS)


async def _pouring(wire: Wire) -> None:
    while True:
        wire.raw(_CHUNK)
        await wire.room()
        await asyncio.sleep(0)


async def _resetting(wire: Wire) -> None:
    await asyncio.sleep(0.02)  # so that what was sent arrives before the RST drops it
    wire.reset()


_MODES: Final[Mapping[str, Callable[[Mode, int, Wire], tuple[int, Later | None]]]] = {
    "ok": _ok,
    "flaky": _flaky,
    "dead": _status(500, b"out of order"),
    "hang": _hang,
    "hang-after-headers": _beginning({"Content-Length": "10"}, _forever),
    "drip": _beginning({"Content-Length": "100000"}, _dripping),
    "endless": _beginning({"Content-Type": "text/plain"}, _pouring),
    "gzip-bomb": _gzip_bomb,
    "reset": _beginning({"Content-Length": "100"}, _resetting, b"half of it"),
    "half-close": _beginning({"Content-Length": "100"}, _half_closing, b"half of it"),
    "redirect": _redirect,
    "liar": _status(200, b'{"status":"error","error":"key"}'),
    "slow-down": _slow_down,
    "gone": _status(410, b"gone"),
    "huge-header": _huge_header,
    "status": _any_status,
}
