"""Click ids: which of them are none, because nobody filled in the macro. Pure."""

from __future__ import annotations

import re
from typing import Final

#: How ad networks and trackers write a macro: `{click}`, `{{click}}`, `__CLICK__`.
_UNREPLACED: Final = re.compile(r"\{.*\}|__.*__", re.DOTALL)


def is_unreplaced(click: str) -> bool:
    """Whether this is the macro itself: the sender never replaced it by a click id."""
    return _UNREPLACED.fullmatch(click) is not None
