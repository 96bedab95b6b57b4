"""A campaign's welcome and button: parsed once, macros filled in afterwards.

The template is parsed as legacy Markdown and the values of macros are never
read as marks, so a message goes out as text and entities that Telegram need
not parse. A fault of the template costs its mark, its link or its end, and
never the message. A welcome whose macros have no values says something else.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final, NamedTuple

from app.domain.markdown import (
    Run,
    Style,
    fill,
    formatted,
    parse_leniently,
    utf16_length,
)
from app.domain.telegram.links import link_fault
from plugins.contract import Event, translatable
from plugins.kit.bounded_cache import remembered
from plugins.kit.macros import MACRO, MACROS, fill_url, in_query
from plugins.kit.macros import fill as fill_macros

#: Telegram's limit for a message; a caption under media has 1024.
MAX_TEXT: Final = 4096

#: A text of nothing else is empty to Telegram and refused: TDLib's clean_input_string and
#: strip_empty_characters in td/telegram/misc.cpp.
_EMPTY: Final = re.compile(
    "[\x00-\x20\xa0\u030a\u0333\u033f\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f\u2800\u3000"
    "\ufeff\ufffc\U000e0000-\U000e007f]*"
)
#: Sent where nothing else is left to say.
GREETING: Final = "\U0001f44b"


class Welcome(NamedTuple):
    """A message as the Bot API takes it. `fault` is what its campaign's owner should mend."""

    text: str
    entities: list[dict[str, Any]]
    fault: str


def render(template: str, event: Event, limit: int = MAX_TEXT) -> Welcome:
    """Fill in the welcome, cut at `limit` UTF-16 code units.

    The text is empty only for an empty template: Telegram refuses a message without text.
    """
    runs, fault = _parsed(template)
    values = {name: MACROS[name](event) for name in _names(template)}
    filled = fill(
        runs,
        lambda text: fill_macros(text, values),
        lambda url: fill_macros(url, values, in_query),
    )
    for run in filled:
        if run.style is Style.LINK:
            fault = fault or _link_fault(run)
    linked = [_without_bad_link(run) for run in filled]
    if sum(utf16_length(run.text) for run in linked) > limit:
        fault = fault or translatable(
            "Telegram takes %(limit)d characters; the text was cut there", limit=limit
        )
    result = formatted(linked, limit)
    if template.strip() and is_empty(result.text):
        fault = fault or translatable("without the values of its macros the welcome has no text")
        result = formatted([_stand_in(linked, event)], limit)
    return Welcome(*result, fault)


def markdown_fault(template: str) -> str:
    """What Telegram cannot parse in a template, in its own words; "" if nothing."""
    return _parsed(template)[1]


def links(template: str) -> list[str]:
    """The addresses of the links in a template, each once, with their macros as they stand."""
    runs, _ = _parsed(template)
    return list(dict.fromkeys(run.target for run in runs if run.style is Style.LINK))


def button_url(template: str, event: Event) -> str:
    """Fill in the URL of the button, where macros mean the same as in a postback.

    Raises ValueError, with a sentence for people, if the template is no
    http or https address or has a macro in its domain.
    """
    return fill_url(template, event)


def is_link(url: str) -> bool:
    """Whether Telegram takes `url` in a text_link; a bad one is refused with the message."""
    return not link_fault(url)


def _link_fault(run: Run) -> str:
    """Why nobody will see this link; "" if it is one."""
    if not is_link(run.target):
        return translatable("Telegram takes no link to %(url)s", url=repr(run.target))
    if is_empty(run.text):
        return translatable(
            "the link to %(url)s has no text without the values of its macros",
            url=repr(run.target),
        )
    return ""


def is_empty(text: str) -> bool:
    """Whether `text` is empty to Telegram: nothing, or nothing but blanks and the like."""
    return _EMPTY.fullmatch(text) is not None


def _stand_in(runs: Iterable[Run], event: Event) -> Run:
    """What a welcome without words says: its link, else the chat's title, else a greeting."""
    for run in runs:
        if run.style is Style.LINK:
            return replace(run, text=run.target)
    return Run(GREETING if is_empty(event.title) else event.title)


def _without_bad_link(run: Run) -> Run:
    bad = run.style is Style.LINK and not is_link(run.target)
    return replace(run, style=Style.PLAIN, target="") if bad else run


@remembered(16_000_000)
def _parsed(template: str) -> tuple[tuple[Run, ...], str]:
    # A name that is no macro is shown as it is, so the `_` in it is no mark either.
    return parse_leniently(template, lambda _: True)


@lru_cache(maxsize=1024)
def _names(template: str) -> tuple[str, ...]:
    """The macros of a template that have a meaning."""
    return tuple(name for name in dict.fromkeys(MACRO.findall(template)) if name in MACROS)
