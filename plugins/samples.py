"""Samples for tests: an event with every field filled, hostile texts, and answers of servers."""

from dataclasses import replace
from typing import Any, Final

from plugins.contract import TOUCH_FIELDS, ConversionKind, Event, EventKind

#: When the sample event is built, and the probe.
NOW: Final = 1_790_000_002
#: Written by strangers into names, click ids and titles.
HOSTILE: Final = (
    "a&status=approve",
    "x#y",
    "../../admin",
    "..",
    "%2e%2e%2f",
    "@evil.example/",
    ":99999",
    "\r\nX-Injected: 1",
    "\x00",
    "{click}{lead}",
    '"}],"x":"',
    "\\",
    "Ёж 😀 \u202e",
    "\ud800",
    "a" * 256,
)
STATUSES: Final = (
    100,
    199,
    200,
    201,
    204,
    301,
    400,
    401,
    403,
    404,
    409,
    410,
    422,
    429,
    500,
    503,
    599,
)
BODIES: Final = (
    b"",
    b"ok",
    b"\x00\xff\xfe\x80",
    b"<html><body>502</body></html>",
    b'{"status": "error"',
    b'{"status": {"a": []}, "error": 5, "data": null}',
    b"null",
    b"[]",
    b"[[[",
    b"[" * 100_000,
    b'"text"',
    b"1e999",
    b"NaN",
    b"x" * 1024 * 1024,
)
#: What may be known of a click, in the spelling of each field.
_TOUCH: Final = dict.fromkeys(TOUCH_FIELDS, "word") | {
    "how": "start",
    "source": "abcd1234",
    "click_token": "a1B2c3D4e5F6g7H8",
    "click_time": "1789998000",
    "landing": "https://shop.example/tea",
    "referrer": "m.facebook.com/",
    "ip": "203.0.113.7",
    "ua": "Mozilla/5.0 (Linux; Android 14)",
    "country": "DE",
    "fbclid": "IwAR0sample_fbclid-1",
    "fbc": "fb.1.1789998000000.IwAR0sample_fbclid-1",
    "fbp": "fb.1.1789997000000.1098115397",
    "yclid": "1234567890123456789",
    "ym_uid": "1690000000123456789",
}


def sample_event(kind: EventKind | ConversionKind = EventKind.APPROVE, **changes: Any) -> Event:
    """Return an event with every field filled, as Gatepost would send it.

    Who starts or asks to join has not joined. Only a conversion has a value.
    """
    event = Event(
        id="018f-sample-event",
        kind=kind,
        time=1_790_000_000,
        lead=12,
        account=42,
        campaign="abc123",
        chat=-1001234567890,
        subscriber=987654321,
        click="Click_1-2",
        username="some_name",
        first_name="Ann",
        last_name="Lee",
        title="A channel",
        premium=True,
        language="en",
        joined=None if kind in (EventKind.WAIT, EventKind.HOLD) else 1_789_999_000,
        key="018f-sample-key",
        now=NOW,
        touch=dict(_TOUCH),
    )
    if isinstance(kind, ConversionKind):
        sign = "-" if kind is ConversionKind.REFUND else ""
        event = replace(event, value=f"{sign}49.5", currency="USD", name="deposit")
    return replace(event, **changes)
