"""Freezing an Event for the outbox, and thawing it for the adapter."""

from __future__ import annotations

from dataclasses import fields as fields_of
from typing import Final

import orjson

from plugins.contract import Event, EventKind

_FROZEN: Final = [one.name for one in fields_of(Event) if one.name not in ("key", "now")]


def freeze(event: Event) -> str:
    """The event as JSON text; what belongs to a single try is left out."""
    fields = {name: getattr(event, name) for name in _FROZEN}
    return orjson.dumps(fields).decode()


def thaw(text: str, destination: int, occurrence: int, now: int) -> Event:
    """The event again, under the key of its `occurrence` at `destination`, for a try `now`.

    Fields that a newer version added take their defaults in old rows.
    """
    fields = orjson.loads(text)
    fields["kind"] = EventKind(fields["kind"])
    fields["key"] = f"{fields['id']}|{destination}|{occurrence}"
    fields["now"] = now
    return Event(**fields)
