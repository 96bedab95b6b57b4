"""The fields of an update, taken one by one and trusted in nothing.

What must have its type raises `InvalidField`, and the update is ignored with that
reason; what decorates falls back to empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from app.domain.storable_text import sanitize
from app.domain.time_ranges import YEAR_10000

INT64: Final = 1 << 63


class InvalidField(Exception):
    """The update is not what its kind promises."""


def get_object(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Take an object."""
    value = parent.get(name)
    if not isinstance(value, dict):
        raise InvalidField(f"{name} is not an object")
    return value


def get_int(parent: Mapping[str, Any], name: str, low: int = 1, high: int = INT64) -> int:
    """Take an integer in low ≤ value < high. Booleans are none."""
    value = parent.get(name)
    if type(value) is not int or not low <= value < high:
        raise InvalidField(f"{name} is not an integer in range")
    return value


def get_chat_id(parent: Mapping[str, Any], name: str) -> int:
    """Take the id of a chat; those of groups and channels are negative."""
    return get_int(parent, name, low=-INT64)


def get_date(parent: Mapping[str, Any]) -> int:
    """Take Telegram's date, in Unix seconds."""
    return get_int(parent, "date", high=YEAR_10000)


def get_text(parent: Mapping[str, Any], name: str, size: int) -> str:
    """Take text that only decorates."""
    value = parent.get(name)
    return sanitize(value, size) if isinstance(value, str) else ""
