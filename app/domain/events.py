"""An Event as JSON text for a postback, and back again for the adapter."""

from __future__ import annotations

import json
import operator
from collections.abc import Mapping
from dataclasses import fields as fields_of
from types import MappingProxyType
from typing import Final

import orjson

from plugins.contract import Event, kind_named

_OF_AN_ATTEMPT: Final = ("key", "now", "tries", "state")
_STORED: Final = [field.name for field in fields_of(Event) if field.name not in _OF_AN_ATTEMPT]
_NOTHING: Final[Mapping[str, str | int]] = MappingProxyType({})


class CannotDeserialize(Exception):
    """A stored event is none that this version knows; the text says why."""


def serialize(event: Event) -> str:
    """Return the event as JSON text, without the fields that belong to a single try."""
    fields = {name: getattr(event, name) for name in _STORED}
    return orjson.dumps(fields).decode()


def deserialize(
    text: str, destination: int, occurrence: int, *, now: int, tries: int = 0, state: str = ""
) -> Event:
    """Return the event again, keyed by its `occurrence` at `destination`, for a try at `now`.

    `now` is in Unix seconds, `state` is JSON text or empty. Fields that a
    newer version added take their defaults in old rows. Raises CannotDeserialize.
    """
    try:
        fields = orjson.loads(text)
        fields["time"] = operator.index(fields["time"])
        fields["kind"] = kind_named(fields["kind"])
        fields["key"] = f"{fields['id']}|{destination}|{occurrence}"
        fields["now"] = now
        fields["tries"] = tries
        fields["state"] = MappingProxyType(json.loads(state)) if state else _NOTHING
        return Event(**fields)
    except (ValueError, KeyError, TypeError) as error:  # no JSON, fields that are missing or new
        raise CannotDeserialize(f"{type(error).__name__}: {error}") from error
