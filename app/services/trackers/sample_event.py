"""An example event with every field filled, for tests and previews."""

import secrets
import time as clock
from collections.abc import Collection
from typing import Any, Final

from plugins.contract import TOUCH_FIELDS, ConversionKind, Event, EventKind

_NOT_JOINED: Final = (EventKind.WAIT, EventKind.HOLD)

#: What only a conversion has.
_CONVERSION: Final = {"value": "49.5", "currency": "USD", "name": "deposit"}

#: What is told of the click in a test: where it came from, and no id of any platform or person.
_TOUCH: Final = {
    "how": "start",
    "source": "test0000",
    **{
        name: "test" for name in TOUCH_FIELDS if name.startswith(("utm_", "sub", "ad", "placement"))
    },
}


def sample_touch(names: Collection[str]) -> dict[str, str]:
    """Return examples for the fields `names` of a touch, as far as there are any."""
    return {name: value for name, value in _TOUCH.items() if name in names}


def sample_event(kind: EventKind | ConversionKind, **fields: Any) -> Event:
    """Return an event with every field filled; `fields` of Event replace the examples.

    Its lead is 0, which no real lead has, so that no tracker takes it for one.
    """
    now = int(clock.time())
    time = fields.setdefault("time", now)
    values: dict[str, Any] = {
        "id": f"test-{secrets.token_hex(6)}",  # some trackers drop a repeated one
        "now": now,
        "lead": 0,
        "account": 0,
        "campaign": "test00",
        "chat": -1_000_000_000_000,
        "subscriber": 123_456_789,
        "click": "test",
        "username": "test_user",
        "first_name": "Test",
        "last_name": "User",
        "title": "Test channel",
        "language": "en",
        "joined": None if kind in _NOT_JOINED else time - 60,
        **(_CONVERSION if isinstance(kind, ConversionKind) else {}),
        **fields,
    }
    return Event(kind=kind, **values)
