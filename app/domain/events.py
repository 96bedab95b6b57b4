"""An Event as JSON text for a postback, and back again for the adapter."""

import json
import operator
from collections.abc import Mapping
from dataclasses import fields as fields_of
from types import MappingProxyType
from typing import Any, Final

import orjson

from app.domain.attribution import NO_ORIGIN, How, Origin
from plugins.contract import Event, kind_named

_OF_AN_ATTEMPT: Final = ("key", "now", "tries", "state", "touch")
_ORIGIN: Final = "origin"  # beside the fields of an Event
#: The field that holds the update, only while updates are traced. Every release overwrites it when
#: it reads an event, so that one which knows nothing of traces reads such events, too.
_UPDATE: Final = "touch"
#: The field that holds `Event.earlier`, if it is not empty; chosen for the same reason.
_EARLIER: Final = "state"
_STORED: Final = [
    field.name for field in fields_of(Event) if field.name not in (*_OF_AN_ATTEMPT, "earlier")
]
_NOTHING: Final[Mapping[str, str | int]] = MappingProxyType({})
_NO_TOUCH: Final[Mapping[str, str]] = MappingProxyType({})


class CannotDeserialize(Exception):
    """A stored event is none that this version knows; the text says why."""


def serialize(
    event: Event, origin: Origin = NO_ORIGIN, update: tuple[int, int] | None = None
) -> str:
    """Return the event as JSON text, without the fields that belong to a single try.

    Of the touch only `origin` is stored, from which every try reads what is still kept.
    `update` is the bot and the update id that brought the event, for its trace.
    """
    fields = {name: getattr(event, name) for name in _STORED}
    if origin != NO_ORIGIN:
        fields[_ORIGIN] = list(origin)
    if update is not None:
        fields[_UPDATE] = list(update)
    if event.earlier:
        fields[_EARLIER] = dict(event.earlier)
    return orjson.dumps(fields).decode()


def origin_of(text: str) -> Origin:
    """Return the origin of a stored event; that of an organic one where none is stored."""
    if f'"{_ORIGIN}":' not in text:  # most events have none, and are not parsed twice
        return NO_ORIGIN
    try:
        how, source_id, click_id = orjson.loads(text)[_ORIGIN]
        return Origin(How(how), source_id, click_id)
    except (ValueError, KeyError, TypeError):
        return NO_ORIGIN


def update_of(text: str) -> tuple[int, int] | None:
    """Return the bot and the update id that brought a stored event, if they are stored."""
    if f'"{_UPDATE}":' not in text:
        return None
    try:
        bot_id, update_id = orjson.loads(text)[_UPDATE]
        return operator.index(bot_id), operator.index(update_id)
    except (ValueError, KeyError, TypeError):
        return None


def earlier_of(text: str) -> Mapping[str, str | int]:
    """Return what a stored event says of the reports before it; nothing of one that is none."""
    try:
        earlier: Mapping[str, str | int] = orjson.loads(text).get(_EARLIER, _NOTHING)
    except (ValueError, AttributeError):
        return _NOTHING
    return earlier


def shown(text: str) -> Any:
    """Return the fields of a stored event for people, without numbers that are ours alone."""
    ours = (_ORIGIN, _UPDATE, _EARLIER)
    return {name: value for name, value in json.loads(text).items() if name not in ours}


def without_click(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a stored event without the click, and without a tracker's own ids."""
    fields = {name: value for name, value in fields.items() if name != _EARLIER}
    if _ORIGIN not in fields:
        return fields
    return {**fields, _ORIGIN: [*fields[_ORIGIN][:2], None]}


def deserialize(
    text: str,
    destination: int,
    occurrence: int,
    *,
    now: int,
    tries: int = 0,
    state: str = "",
    touch: Mapping[str, str] = _NO_TOUCH,
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
        fields["touch"] = touch
        fields.pop(_ORIGIN, None)
        fields["earlier"] = MappingProxyType(fields.pop(_EARLIER, {}))
        fields["state"] = MappingProxyType(json.loads(state)) if state else _NOTHING
        return Event(**fields)
    except (ValueError, KeyError, TypeError) as error:  # no JSON, fields that are missing or new
        raise CannotDeserialize(f"{type(error).__name__}: {error}") from error
