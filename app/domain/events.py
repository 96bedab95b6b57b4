"""Freezing an Event for the outbox, and thawing it for the adapter."""

from __future__ import annotations

import orjson

from plugins.contract import Event, EventKind


def freeze(event: Event) -> str:
    """The event as JSON text."""
    return orjson.dumps(event).decode()


def thaw(text: str, destination: int, occurrence: int, now: int) -> Event:
    """The event again, under the key of its `occurrence` at `destination`, for a try `now`.

    Fields that a newer version added take their defaults in old rows.
    """
    fields = orjson.loads(text)
    fields["kind"] = EventKind(fields["kind"])
    fields["key"] = f"{fields['id']}|{destination}|{occurrence}"
    fields["now"] = now
    return Event(**fields)
