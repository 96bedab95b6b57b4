"""The fields of an update, each checked for its type and range.

Ids, numbers, dates and objects raise `InvalidField`, and the update is ignored
with its text as the reason. Texts for display fall back to empty.
"""

from collections.abc import Mapping
from typing import Any, Final

from app.domain.storable_text import sanitize
from app.domain.time_ranges import YEAR_10000

INT64: Final = 1 << 63


class InvalidField(Exception):
    """A field of an update is missing, of a wrong type or out of range."""


def get_object(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Get an object. Raises InvalidField."""
    value = parent.get(name)
    if not isinstance(value, dict):
        raise InvalidField(f"{name} is not an object")
    return value


def get_int(parent: Mapping[str, Any], name: str, low: int = 1, high: int = INT64) -> int:
    """Get an integer with low ≤ value < high; booleans are refused. Raises InvalidField."""
    value = parent.get(name)
    if type(value) is not int or not low <= value < high:
        raise InvalidField(f"{name} is not an integer in range")
    return value


def get_chat_id(parent: Mapping[str, Any], name: str) -> int:
    """Get the id of a chat; those of groups and channels are negative. Raises InvalidField."""
    return get_int(parent, name, low=-INT64)


def get_date(parent: Mapping[str, Any]) -> int:
    """Get the `date`, in Unix seconds. Raises InvalidField."""
    return get_int(parent, "date", high=YEAR_10000)


def get_optional_id(parent: Mapping[str, Any], name: str) -> int:
    """Get an id that may be missing; 0 if it is, or if it is not one."""
    try:
        return get_int(parent, name)
    except InvalidField:
        return 0


def get_text(parent: Mapping[str, Any], name: str, size: int) -> str:
    """Get a text for display, sanitized and cut to `size` characters; empty if there is none."""
    value = parent.get(name)
    return sanitize(value, size) if isinstance(value, str) else ""
