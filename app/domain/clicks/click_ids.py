"""Click ids and other values of a link: which are none, since nobody filled in the macro. Pure."""

import re
from typing import Final

from plugins.kit.signs.notations import is_macro

#: Whatever stands in such brackets is no value; other notations count where a name is in them.
_UNREPLACED: Final = re.compile(r"\{.*\}|__.*__|\[.*\]", re.DOTALL)


def is_unreplaced(value: str) -> bool:
    """Whether this is a macro itself: the sender never replaced it by a value."""
    return _UNREPLACED.fullmatch(value) is not None or is_macro(value)
