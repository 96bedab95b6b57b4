"""A sample event: what a lead of nobody would report."""

from __future__ import annotations

from typing import Any, Final

from plugins.contract import Event, EventKind

_JOINED: Final = (EventKind.APPROVE, EventKind.CANCEL, EventKind.TRASH)


def sample_event(kind: EventKind, **known: Any) -> Event:
    """An event with every field filled; `known` are fields of Event.

    Its lead is 0, which no real lead is, so that a tracker that takes it
    confuses it with none.
    """
    time = known.setdefault("time", 1_700_000_000)
    filled: dict[str, Any] = {
        "id": "test",
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
