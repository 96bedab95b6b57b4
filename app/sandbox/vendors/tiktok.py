"""A TikTok Events API 2.0 on loopback, as its documents describe it.

Sources: see `plugins/trackers/tiktok_events.py`. The status is 200 whatever
happens; `code` decides. The codes are TikTok's, their messages ours; so is that
an event for the web may be 28 days old, which TikTok says of others.
"""

from collections.abc import Mapping
from typing import Any, Final

from app.domain.time_ranges import DAY
from app.sandbox.vendors.ad_platforms import ConversionsDouble, is_hash
from app.sandbox.vendors.vendor import Reply, VendorCall

TRACK: Final = "/open_api/v1.3/event/track/"
OLDEST_SECONDS: Final = 28 * DAY
HASHED: Final = ("external_id", "email", "phone")


class TiktokDouble(ConversionsDouble):
    """`POST /open_api/v1.3/event/track/`."""

    pixel = "COQDA8RC77U2TMR44LI0"

    def answer(self, call: VendorCall) -> Reply:
        """Answer one call."""
        if call.path != TRACK or call.method != "POST":
            return Reply(404, b"404 page not found")
        if "access-token" not in call.headers:
            return error(40104, "Access token is empty")
        if call.headers["access-token"] != self.token:
            return error(40105, "Access token is incorrect or has been revoked.")
        body = call.body
        if not isinstance(body, dict) or body.get("event_source") != "web":
            return error(40002, "event_source: must be one of web, app, offline, crm")
        if body.get("event_source_id") != self.pixel:
            return error(40001, "No permission to operate the pixel")
        return self._take_all(body)

    def _take_all(self, body: Mapping[str, Any]) -> Reply:
        events = body.get("data")
        if not isinstance(events, list) or not events:
            return error(40002, "data: Missing data for required field.")
        for number, event in enumerate(events):
            if wrong := self._wrong(event):
                return error(40002, f"data.{number}.{wrong}")
        for event in events:
            self.take(event, event["event"], body.get("test_event_code", ""))
        return Reply(200, {"code": 0, "message": "OK", "data": {}, "request_id": "2026"})

    def _wrong(self, event: Any) -> str:
        if not isinstance(event, dict) or not event.get("event"):
            return "event: Missing data for required field."
        if not isinstance(event.get("event_time"), int):
            return "event_time: Not a valid integer."
        if self.clock() - event["event_time"] > OLDEST_SECONDS:
            return "event_time: too old."
        if "value" in event.get("properties", {}) and not event["properties"].get("currency"):
            return "properties.currency: Missing data for required field."
        return _wrong_person(event.get("user"))


def _wrong_person(user: Any) -> str:
    if not isinstance(user, dict) or not user:
        return "user: Missing data for required field."
    for name in HASHED:
        value = user.get(name, [])
        if not all(map(is_hash, value if isinstance(value, list) else [value])):
            return f"user.{name}: must be hashed with SHA-256."
    return ""


def error(code: int, message: str, *, status: int = 200, **headers: str) -> Reply:
    """Return a refusal as TikTok sends it; also to be ordered as a fault."""
    return Reply(
        status, {"code": code, "message": message, "data": {}, "request_id": "2026"}, headers
    )
