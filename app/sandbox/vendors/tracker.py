"""A tracker on loopback that logs every postback and fails in chosen ways.

HTTP/1.1 by hand, since most of its modes are not HTTP any more. The mode
comes from the path, as in `/flaky/2/pb?click=…`, unless `set_mode` says
otherwise for a prefix; see `tracker_modes` for the list.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from app.sandbox.vendors.tracker_modes import Mode, Wire, behave, mode_of, read_mode

MAX_HITS: Final = 100_000
MAX_KEPT_BODY: Final = 64 * 1024
MAX_HEAD: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Hit:
    """One request as it came. Header names are lower-case; of equal ones the last counts.

    `time` is in Unix seconds.
    """

    time: float
    method: str
    url: str  #: path and query, as sent
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    status: int  #: what was answered, 0 for nothing that is HTTP

    @property
    def idempotency_key(self) -> str:
        """The header that stays the same when a request is repeated."""
        return self.headers.get("idempotency-key", "")


@dataclass(slots=True)
class Counters:
    """How busy the tracker is. `accepts` are connections, `peak` the most requests at once."""

    accepts: int = 0
    requests: int = 0
    in_flight: int = 0
    peak: int = 0

    def begin(self) -> None:
        """Count a request that is open now."""
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)

    def end(self) -> None:
        """Count a request that is open no more."""
        self.in_flight -= 1

    def reset(self) -> None:
        """Begin anew; what is open stays open."""
        self.accepts = self.requests = 0
        self.peak = self.in_flight


class ModeChooser:
    """The mode of each request: that of the longest prefix that was set, or the path's own."""

    def __init__(self) -> None:
        self._modes: dict[str, Mode] = {}
        self._tries: Counter[str] = Counter()

    def set(self, prefix: str, mode: str | None) -> None:
        """Set the mode of a prefix; None removes it. Raises ValueError for an unknown mode."""
        if mode is None:
            self._modes.pop(prefix, None)
        else:
            self._modes[prefix] = read_mode(mode)

    def choose(self, path: str, url: str) -> tuple[Mode, int]:
        """Return the mode of a request, and how often this very URL was asked before."""
        fitting = [prefix for prefix in self._modes if path.startswith(prefix)]
        mode = self._modes[max(fitting, key=len)] if fitting else mode_of(url)
        if len(self._tries) >= MAX_HITS:
            self._tries.clear()
        tries = self._tries[url]
        self._tries[url] += 1
        return mode, tries

    def reset(self) -> None:
        """Forget modes and tries."""
        self._modes.clear()
        self._tries.clear()


class TrackerDouble:
    """Answers postbacks and remembers them. Callable from any thread."""

    def __init__(self) -> None:
        self.counters = Counters()
        self._lock = threading.Lock()
        self._hits: deque[Hit] = deque(maxlen=MAX_HITS)
        self._modes = ModeChooser()
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None

    def log(self, prefix: str = "") -> list[Hit]:
        """Return the requests so far whose path starts with `prefix`, oldest first."""
        with self._lock:
            return [hit for hit in self._hits if hit.path.startswith(prefix)]

    def set_mode(self, prefix: str, mode: str | None) -> None:
        """Behave so for every path that starts with `prefix`; None goes back to the path's own.

        The longest prefix wins. Raises ValueError for a mode that does not exist.
        """
        with self._lock:
            self._modes.set(prefix, mode)

    def reset(self) -> None:
        """Forget requests, modes and counters."""
        with self._lock:
            self._hits.clear()
            self._modes.reset()
            self.counters.reset()

    def wait_for(self, number: int, timeout: float = 60.0, prefix: str = "") -> list[Hit]:
        """Return the log once it has `number` entries, or after `timeout` seconds."""
        end = time.monotonic() + timeout
        while len(hits := self.log(prefix)) < number and time.monotonic() < end:
            time.sleep(0.005)
        return hits

    async def start(self, host: str, port: int) -> int:
        """Listen; 0 takes a free port. Returns the port, raises OSError if taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), host, port, backlog=1024)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening and cut what is open."""
        if self._server:
            self._server.close()
        for connection in list(self._connections):
            connection.abort()
        await asyncio.sleep(0)

    # For connections.

    def opened(self, connection: _Connection) -> None:
        """Count a connection."""
        self._connections.add(connection)
        self.counters.accepts += 1

    def closed(self, connection: _Connection) -> None:
        """Forget a connection."""
        self._connections.discard(connection)

    def decide(self, path: str, url: str) -> tuple[Mode, int]:
        """Return the mode of a request, and how often this very URL was asked before."""
        with self._lock:
            return self._modes.choose(path, url)

    def record(self, hit: Hit) -> None:
        """Log a request."""
        with self._lock:
            self.counters.requests += 1
            self._hits.append(hit)

    def control(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """Answer `/sandbox/…`, for other processes: the status and the JSON."""
        if path == "/sandbox/log":
            return 200, [
                asdict(hit) | {"body": hit.body.decode("utf-8", "replace")} for hit in self.log()
            ]
        if path == "/sandbox/counters":
            return 200, asdict(self.counters)
        if path == "/sandbox/reset":
            self.reset()
            return 200, True
        if (method, path) == ("POST", "/sandbox/mode"):
            try:
                order = json.loads(body)
                self.set_mode(order["prefix"], order["mode"])
            except (KeyError, TypeError, ValueError) as error:
                return 400, {"error": str(error)}
            return 200, True
        return 404, {"error": "there are log, counters, reset and mode"}


class _Connection(asyncio.Protocol):
    """One connection: requests one after the other, pipelined ones wait."""

    def __init__(self, tracker: TrackerDouble) -> None:
        self._tracker = tracker
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 create_server makes no other
        self._transport = transport
        self._tracker.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._tracker.closed(self)
        if self._task:
            self._task.cancel()
        self._finish()

    def abort(self) -> None:
        """Cut it."""
        if self._transport:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._next()

    def _next(self) -> None:
        """Take the next whole request from the buffer, if there is one."""
        while not self._busy and (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            lines = self._buffer[:end].decode("latin-1").split("\r\n")
            headers = {
                name.strip().lower(): value.strip()
                for name, _, value in (line.partition(":") for line in lines[1:])
            }
            length = headers.get("content-length") or "0"
            if not re.fullmatch(r"[0-9]{1,9}", length):
                self.abort()
                return
            size = int(length)
            if len(self._buffer) < end + 4 + size:
                return
            body = bytes(self._buffer[end + 4 : end + 4 + size])
            del self._buffer[: end + 4 + size]
            method, _, rest = lines[0].partition(" ")
            self._take(method, rest.rpartition(" ")[0], headers, body)
        if len(self._buffer) > MAX_HEAD and not self._busy:
            self.abort()

    def _take(self, method: str, url: str, headers: dict[str, str], body: bytes) -> None:
        parts = urlsplit(url)
        assert self._transport  # noqa: S101 a connection that sends is made
        wire = Wire(self._transport)
        if parts.path.startswith("/sandbox/"):
            status, content = self._tracker.control(method, parts.path, body)
            wire.answer(status, json.dumps(content).encode(), {"Content-Type": "application/json"})
            wire.release()
            return
        mode, tries = self._tracker.decide(parts.path, url)
        self._begin()
        status, later = behave(mode, tries, wire)
        self._tracker.record(
            Hit(
                time=time.time(),
                method=method,
                url=url,
                path=unquote(parts.path),
                query=dict(parse_qsl(parts.query, keep_blank_values=True)),
                headers=headers,
                body=body[:MAX_KEPT_BODY],
                status=status,
            )
        )
        if later is None:
            self._finish()
        wire.release()  # only now, so that whoever has an answer finds it in the log
        if later is not None:
            self._task = asyncio.get_running_loop().create_task(later)

    def _begin(self) -> None:
        self._busy = True
        self._tracker.counters.begin()

    def _finish(self) -> None:
        if self._busy:
            self._busy = False
            self._tracker.counters.end()
