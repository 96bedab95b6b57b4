"""An AlterCPA Lite tracker on loopback: answers 200 to everything, and means it rarely.

As plugins/trackers/altercpa_lite.py says its vendor does: GET or form POST, the key as
`?id=`, a JSON object in which `status` decides, a lead found by click and told
apart by `uid`.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from app.sandbox.vendors.vendor import Reply, VendorCall, VendorDouble

STATUSES: Final = frozenset(("new", "hold", "approve", "cancel", "trash"))
MAX_KEPT: Final = 10_000

_POSTBACK: Final = re.compile("/api/track(er)?/postback.json")
_BODIES: Final = {
    "html": Reply(200, b"<html><body>maintenance</body></html>", {"Content-Type": "text/html"}),
    "broken": Reply(200, b'{"status":"o'),
}


@dataclass(frozen=True, slots=True)
class ReceivedPostback:
    """One postback that was taken."""

    click: str
    uid: str
    status: str


class AltercpaDouble(VendorDouble):
    """Knows keys and clicks. Callable from any thread.

    `clicks` None takes any click. Faults wait in `faults`, in order: an error
    code of the JSON, "html" for a page, "broken" for half a JSON, or a number
    for a status of HTTP.
    """

    def __init__(self, *keys: str, clicks: set[str] | None = None) -> None:
        super().__init__()
        self.keys = set(keys)
        self.clicks = clicks
        self.told: list[ReceivedPostback] = []  #: every postback taken, oldest first
        self.leads: dict[tuple[str, str], str] = {}  #: (click, uid) to its status
        self.probes = 0
        self.faults: deque[str] = deque(maxlen=MAX_KEPT)

    def answer(self, call: VendorCall) -> Reply:
        """A probe or a postback."""
        if call.path == "/api/tracker/status.json":
            self.probes += 1
            return self._refused(call.query.get("id", "")) or reply(status="ok")
        if not _POSTBACK.fullmatch(call.path):
            return Reply(404, b"404: Not Found")
        told = {**call.query, **dict(parse_qsl(call.raw.decode("utf-8", "replace")))}
        return self._refused(told.get("id", "")) or self._take(told)

    def _take(self, told: dict[str, str]) -> Reply:
        click, status = told.get("click", ""), told.get("status", "new")
        if not click or (self.clicks is not None and click not in self.clicks):
            return reply(status="error", error="click")
        if status not in STATUSES:
            return reply(status="error", error="status")
        self.told.append(ReceivedPostback(click, told.get("uid", ""), status))
        self.leads[click, told.get("uid", "")] = status
        return reply(status="ok", id=len(self.leads))

    def _refused(self, key: str) -> Reply | None:
        if self.faults:
            fault = self.faults.popleft()
            if fault.isdigit():
                return Reply(int(fault), b"")
            return _BODIES.get(fault) or reply(status="error", error=fault)
        return None if key in self.keys else reply(status="error", error="key")


def reply(**answer: Any) -> Reply:
    """An answer as AlterCPA sends it; also to be ordered as a fault."""
    return Reply(200, answer)
