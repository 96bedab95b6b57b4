"""A campaign's welcome and button, filled in and escaped for where they land.

Telegram's legacy Markdown takes a backslash before `_`, `*`, backtick and `[`,
but only outside an entity. Inside one nothing can be escaped and only its own
end mark has a meaning: there a value loses that mark. See
https://core.telegram.org/bots/api#markdown-style and `parse_markdown` in
TDLib's MessageEntity.cpp, whose order of reading `_step` follows.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from plugins.kit.macros import MACRO, MACROS, fill_url, in_query

if TYPE_CHECKING:
    from plugins.contract import Event

#: Telegram's limit for a message; a caption under media has 1024.
MAX_TEXT: Final = 4096

_SPECIAL: Final = re.compile(r"([_*`\[])")

#: What opens an entity and what ends it, longest first.
_ENTITIES: Final = (("```", "```"), ("`", "`"), ("_", "_"), ("*", "*"), ("[", "]"))
_OUTSIDE: Final = ""
_AFTER_LINK_TEXT: Final = "](?"
_IN_LINK: Final = ")"


def welcome_text(template: str, event: Event, limit: int = MAX_TEXT) -> str:
    """Fill in the welcome text, as legacy Markdown of at most `limit` characters."""
    text = ""
    for literal, name, place in _compile(template):
        text += literal
        if name:
            text += _escape(MACROS[name](event), place)
    return text[:limit]


def button_url(template: str, event: Event) -> str:
    """Fill in the URL of the button, where macros mean the same as in a postback.

    Raises ValueError, with a sentence for people, if the template is no
    http or https address or has a macro in its domain.
    """
    return fill_url(template, event)


def _escape(value: str, place: str) -> str:
    if place == _IN_LINK:
        return in_query(value)
    if place not in (_OUTSIDE, _AFTER_LINK_TEXT):
        return value.replace(place[0], "")
    if place == _AFTER_LINK_TEXT:
        value = value.lstrip("(")
    # A backslash has no escape of its own, and would escape what follows.
    return _SPECIAL.sub(r"\\\1", value.rstrip("\\"))


@lru_cache(maxsize=1024)
def _compile(template: str) -> tuple[tuple[str, str, str], ...]:
    """Split into (literal, macro name, what is open there)."""
    parts = []
    start, here, place = 0, 0, _OUTSIDE
    while here < len(template):
        macro = MACRO.match(template, here)
        if macro and macro[1] in MACROS:
            parts.append((template[start:here], macro[1], place))
            start = here = macro.end()
            place = _OUTSIDE if place == _AFTER_LINK_TEXT else place
        else:
            here, place = _step(template, here, place)
    return (*parts, (template[start:], "", place))


def _step(template: str, here: int, place: str) -> tuple[int, str]:
    """Read one mark or character; return where the next is and what is open then."""
    if place == _AFTER_LINK_TEXT:
        if template[here] == "(":
            return here + 1, _IN_LINK
        place = _OUTSIDE
    if place:
        if not template.startswith(place, here):
            return here + 1, place
        return here + len(place), _AFTER_LINK_TEXT if place == "]" else _OUTSIDE
    if template[here] == "\\" and _SPECIAL.match(template, here + 1):
        return here + 2, _OUTSIDE
    for mark, end in _ENTITIES:
        if template.startswith(mark, here):
            return here + len(mark), end
    return here + 1, _OUTSIDE
