"""An AlterCPA Lite tracker on loopback: the status is 200, and `status` in the body decides.

Source: see `plugins/kit/altercpa.py`. GET or form POST, the key as `?id=`, a
lead found by its click and told apart by `uid`; any word is a status, since the
tracker recognises others than its own five. Its documents do not show the
answers: the shape of a success, what status.json answers, and the error `click`
for a click that is not known are ours.
"""

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from app.sandbox.vendors.vendor import Reply, VendorCall, VendorDouble

_POSTBACK: Final = re.compile("/api/track(er)?/postback.json")


@dataclass(frozen=True, slots=True)
class ReceivedPostback:
    """One postback that was taken. `status` is the word as it came."""

    click: str
    uid: str
    status: str


class AltercpaDouble(VendorDouble):
    """Knows keys and clicks. Callable from any thread.

    `clicks` None takes any click. `postbacks` are all that were taken,
    oldest first, `leads` the status by (click, uid).
    """

    def __init__(self, *keys: str, clicks: set[str] | None = None) -> None:
        super().__init__()
        self.keys = set(keys)
        self.clicks = clicks
        self.postbacks: list[ReceivedPostback] = []
        self.leads: dict[tuple[str, str], str] = {}
        self.probes = 0

    def answer(self, call: VendorCall) -> Reply:
        """Answer a probe or a postback."""
        if call.path == "/api/tracker/status.json":
            self.probes += 1
            return self._refused(call.query.get("id", "")) or reply(status="ok")
        if not _POSTBACK.fullmatch(call.path):
            return Reply(404, b"404: Not Found")
        params = {**call.query, **dict(parse_qsl(call.raw.decode("utf-8", "replace")))}
        return self._refused(params.get("id", "")) or self._take(params)

    def _take(self, params: dict[str, str]) -> Reply:
        click, status = params.get("click", ""), params.get("status", "new")
        if not click or (self.clicks is not None and click not in self.clicks):
            return reply(status="error", error="click")
        self.postbacks.append(ReceivedPostback(click, params.get("uid", ""), status))
        self.leads[click, params.get("uid", "")] = status
        return reply(status="ok", id=len(self.leads))

    def _refused(self, key: str) -> Reply | None:
        return None if key in self.keys else reply(status="error", error="key")


def reply(**answer: Any) -> Reply:
    """Return an answer as AlterCPA sends it; also to be ordered as a fault."""
    return Reply(200, answer)
