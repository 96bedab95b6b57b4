"""A sample event: what a lead of nobody would report."""

from __future__ import annotations

import secrets
import time as clock
from typing import Any, Final

from plugins.contract import Event, EventKind

_JOINED: Final = (EventKind.APPROVE, EventKind.CANCEL, EventKind.TRASH)


def sample_event(kind: EventKind, **known: Any) -> Event:
    """An event with every field filled; `known` are fields of Event.

    Its lead is 0, which no real lead is, so that a tracker that takes it
    confuses it with none.
    """
    now = int(clock.time())
    time = known.setdefault("time", now)
    filled: dict[str, Any] = {
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
        "joined": time - 60 if kind in _JOINED else None,
        **known,
    }
    return Event(kind=kind, **filled)
