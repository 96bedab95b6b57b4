"""A Meta Conversions API on loopback, as its documents describe it.

Sources: see `plugins/trackers/meta_capi.py`. Errors come as the Graph API sends them:
HTTP 400 with `{"error": {code, error_subcode, …}}`, and one bad event refuses
its whole request. The titles of errors are ours, but for that of an old event;
so is the minute by which a clock may be ahead.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from app.domain.time_ranges import DAY
from app.sandbox.vendors.ad_platforms import ConversionsDouble, is_hash
from app.sandbox.vendors.vendor import Reply, VendorCall

OLDEST_SECONDS: Final = 7 * DAY
AHEAD_SECONDS: Final = 60
SOURCES: Final = frozenset(
    "email website app phone_call chat physical_store system_generated "
    "business_messaging other".split()
)
HASHED: Final = frozenset("em ph fn ln ge db ct st zp country".split())
_PATH: Final = re.compile(r"/v\d+\.\d/(\w+)(/events)?")
_FBC: Final = re.compile(r"fb\.[0-2]\.\d{13}\.[A-Za-z0-9_-]+", re.ASCII)
_FBP: Final = re.compile(r"fb\.[0-2]\.\d{13}\.\d{1,20}", re.ASCII)


class _Wrong(Exception):
    """A parameter is wrong. `subcode` is 0 where the documents name none."""

    def __init__(self, words: str, subcode: int = 0) -> None:
        super().__init__(words)
        self.subcode = subcode


class MetaDouble(ConversionsDouble):
    """`POST /v26.0/{pixel}/events` and `GET /v26.0/me`."""

    pixel = "123456789012345"

    def answer(self, call: VendorCall) -> Reply:
        """Answer one call of the Graph API."""
        if call.query.get("access_token") != self.token:
            return error(190, 463, "Error validating access token: Session has expired.")
        place = _PATH.fullmatch(call.path)
        if place and call.method == "GET" and place[1] == "me":
            return Reply(200, {"id": "99"})
        if not place or call.method != "POST" or place[1] != self.pixel or not place[2]:
            return error(100, 33, f"Unsupported {call.method.lower()} request")
        return self._take_all(call.body)

    def _take_all(self, body: Any) -> Reply:
        events = body.get("data") if isinstance(body, dict) else None
        if not isinstance(events, list) or not events:
            return error(100, 0, "(#100) param data must be an array.")
        try:
            for event in events:
                self._check(event)
        except _Wrong as wrong:
            return error(100, wrong.subcode, "Invalid parameter", title=str(wrong))
        for event in events:
            self.take(event, event["event_name"], body.get("test_event_code", ""))
        return Reply(200, {"events_received": len(events), "messages": [], "fbtrace_id": "A1b2"})

    def _check(self, event: Any) -> None:
        if not isinstance(event, dict) or not isinstance(event.get("event_name"), str):
            raise _Wrong("Missing Event Name")
        if not isinstance(event.get("event_time"), int):
            raise _Wrong("Missing or invalid event time")
        age = self.clock() - event["event_time"]
        if age > OLDEST_SECONDS:
            raise _Wrong("Event Timestamp Too Old", 2804003)
        if age < -AHEAD_SECONDS:
            raise _Wrong("Event Timestamp In The Future")
        self._check_source(event)
        _check_people(event.get("user_data"))
        custom = event.get("custom_data", {})
        if "value" in custom and not re.fullmatch("[A-Z]{3}", custom.get("currency", "")):
            raise _Wrong("Invalid currency")

    def _check_source(self, event: Mapping[str, Any]) -> None:
        if event.get("action_source") not in SOURCES:
            raise _Wrong("Missing or invalid action source")
        agent = (event.get("user_data") or {}).get("client_user_agent")
        if event["action_source"] == "website" and not (agent and event.get("event_source_url")):
            raise _Wrong("Missing client_user_agent or event_source_url")


def _check_people(people: Any) -> None:
    if not isinstance(people, dict) or not people:
        raise _Wrong("You haven't added sufficient customer information")
    for name in HASHED & people.keys():
        if not all(map(is_hash, _all(people[name]))):
            raise _Wrong(f"{name} must be hashed")
    if "fbc" in people and not _FBC.fullmatch(people["fbc"]):
        raise _Wrong("fbc is not formatted as fb.1.milliseconds.fbclid")
    if "fbp" in people and not _FBP.fullmatch(people["fbp"]):
        raise _Wrong("fbp is not formatted as fb.1.milliseconds.number")


def _all(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def error(
    code: int, subcode: int, message: str, *, title: str = "", status: int = 400, **more: Any
) -> Reply:
    """Return an error as the Graph API sends it; also to be ordered as a fault."""
    content: dict[str, Any] = {
        "message": message,
        "type": "OAuthException",
        "code": code,
        "is_transient": False,
        "fbtrace_id": "A1b2",
    }
    if subcode:
        content["error_subcode"] = subcode
    if title:
        content |= {"error_user_title": title, "error_user_msg": title}
    return Reply(status, {"error": content | more})
