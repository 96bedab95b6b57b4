"""Click ids and other values of a link: which are none, since nobody filled in the macro. Pure."""

from __future__ import annotations

import re
from typing import Final

#: How ad networks and trackers write a macro: `{click}`, `{{click_id}}`, `__CLICK__`, `[CLICK]`.
_UNREPLACED: Final = re.compile(r"\{.*\}|__.*__|\[.*\]", re.DOTALL)


def is_unreplaced(value: str) -> bool:
    """Whether this is a macro itself: the sender never replaced it by a value."""
    return _UNREPLACED.fullmatch(value) is not None
