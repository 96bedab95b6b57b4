"""An AlterCPA Lite tracker on loopback: answers 200 to everything, and means it rarely.

As plugins/altercpa_lite.py says its vendor does: GET or form POST, the key as
`?id=`, a JSON object in which `status` decides, a lead found by click and told
apart by `uid`.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

STATUSES: Final = frozenset(("new", "hold", "approve", "cancel", "trash"))
MAX_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Told:
    """One postback that was taken."""

    click: str
    uid: str
    status: str


class AltercpaDouble:
    """Knows keys and clicks. Callable from any thread.

    `clicks` None takes any click. Faults wait in `faults`, in order: an error
    code of the JSON, "html" for a page, "broken" for half a JSON, or a number
    for a status of HTTP.
    """

    def __init__(self, *keys: str, clicks: set[str] | None = None) -> None:
        self.keys = set(keys)
        self.clicks = clicks
        self.told: list[Told] = []  #: every postback taken, oldest first
        self.leads: dict[tuple[str, str], str] = {}  #: (click, uid) to its status
        self.probes = 0
        self.faults: deque[str] = deque(maxlen=MAX_KEPT)
        self._lock = threading.Lock()
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen. See `app.sandbox.serving.running`."""
        app = web.Application()
        for word in ("tracker", "track"):
            app.router.add_route("*", f"/api/{word}/postback.json", self._postback)
        app.router.add_route("*", "/api/tracker/status.json", self._status)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner:
            await self._runner.cleanup()

    async def _status(self, request: web.Request) -> web.Response:
        with self._lock:
            self.probes += 1
            return self._fault() or self._refusal(request.query.get("id", "")) or _said(status="ok")

    async def _postback(self, request: web.Request) -> web.Response:
        said = {
            **request.query,
            **{name: str(value) for name, value in (await request.post()).items()},
        }
        with self._lock:
            refused = self._fault() or self._refusal(said.get("id", ""))
            if refused:
                return refused
            click, status = said.get("click", ""), said.get("status", "new")
            if not click or (self.clicks is not None and click not in self.clicks):
                return _said(status="error", error="click")
            if status not in STATUSES:
                return _said(status="error", error="status")
            told = Told(click, said.get("uid", ""), status)
            self.told.append(told)
            self.leads[told.click, told.uid] = status
            return _said(status="ok", id=len(self.leads))

    def _refusal(self, key: str) -> web.Response | None:
        return None if key in self.keys else _said(status="error", error="key")

    def _fault(self) -> web.Response | None:
        if not self.faults:
            return None
        fault = self.faults.popleft()
        if fault.isdigit():
            return web.Response(status=int(fault))
        if fault == "html":
            return web.Response(
                text="<html><body>maintenance</body></html>", content_type="text/html"
            )
        if fault == "broken":
            return web.Response(text='{"status":"o', content_type="application/json")
        return _said(status="error", error=fault)


def _said(**answer: Any) -> web.Response:
    return web.json_response(answer)
