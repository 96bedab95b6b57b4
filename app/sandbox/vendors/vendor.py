"""What the doubles of vendors' APIs share: a server, a log, faults to order.

A subclass answers in `answer` as its vendor does; this module makes it HTTP.
Everything public may be called from any thread. `GET /sandbox/log` shows the
log to other processes.
"""

import abc
import asyncio
import json
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from aiohttp import web

from app.sandbox.telegram.faults import Manner

MAX_KEPT: Final = 50_000
HANG_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. A body of bytes goes out as it is, anything else as JSON."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> bytes:
        """Return the body as it is sent."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True, slots=True)
class VendorCall:
    """One request as it came. Header names are lower-case; of equal ones the last counts."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any = None  #: what it holds as JSON, None if it is none
    query: Mapping[str, str] = field(default_factory=dict)
    raw: bytes = b""  #: the body as it came
    reply: Reply | None = None  #: what was answered, None for nothing


#: How a call may go wrong: with this answer instead of the vendor's, and nothing
#: is done; or in one of the manners.
Fault = Reply | Manner


class VendorDouble(abc.ABC):
    """A JSON API on loopback. Serve it with `app.sandbox.serving.running`."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._calls: deque[VendorCall] = deque(maxlen=MAX_KEPT)
        self._faults: deque[tuple[str, Fault]] = deque()
        self._runner: web.AppRunner | None = None

    @abc.abstractmethod
    def answer(self, call: VendorCall) -> Reply:
        """Do what the vendor does, and return its answer. Called under the lock."""

    def calls(self, path: str = "") -> list[VendorCall]:
        """Return the requests so far whose path ends with `path`, oldest first."""
        with self._lock:
            return [call for call in self._calls if call.path.endswith(path)]

    def order(self, fault: Fault, *, times: int = 1, path: str = "") -> None:
        """Let the next `times` calls whose path ends with `path` fail."""
        with self._lock:
            self._faults.extend([(path, fault)] * times)

    async def start(self, host: str, port: int) -> int:
        """Listen; 0 takes a free port. Returns the port, raises OSError if taken."""
        app = web.Application()
        app.router.add_get("/sandbox/log", self._show_log)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening; the log stays."""
        if self._runner:
            await self._runner.cleanup()

    async def _show_log(self, _: web.Request) -> web.Response:
        shown = [
            asdict(call) | {"raw": call.raw.decode("utf-8", "replace")} for call in self.calls()
        ]
        return web.json_response(text=json.dumps(shown, default=repr))

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        call = VendorCall(
            request.method,
            request.path,
            {name.lower(): value for name, value in request.headers.items()},
            _parsed(raw),
            dict(request.query),
            raw,
        )
        with self._lock:
            fault = self._next_fault(call.path)
            reply = self._decide(call, fault)
            shown = None if isinstance(fault, Manner) and fault is not Manner.MALFORMED else reply
            self._calls.append(replace(call, reply=shown))
        if fault is Manner.HANG:
            await asyncio.sleep(HANG_SECONDS)
        if shown is None:
            if request.transport:
                request.transport.abort()
            return web.Response(status=500)  # goes nowhere
        data = shown.data[:-2] if fault is Manner.MALFORMED else shown.data
        headers = {"Content-Type": "application/json", **shown.headers}
        return web.Response(status=shown.status, body=data, headers=headers)

    def _decide(self, call: VendorCall, fault: Fault | None) -> Reply | None:
        if isinstance(fault, Reply):
            return fault
        if fault in (Manner.HANG, Manner.DROP):
            return None
        return self.answer(call)

    def _next_fault(self, path: str) -> Fault | None:
        for number, (ending, fault) in enumerate(self._faults):
            if path.endswith(ending):
                del self._faults[number]
                return fault
        return None


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None
