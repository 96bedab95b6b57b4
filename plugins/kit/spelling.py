"""Spellings that cannot mean what they say: invisible characters, `{{click}}`, `&amp;`, `#/…?`.

A fault refuses what was typed: it can never work. A doubt is a warning. Neither is asked
when an event is sent, so what was stored before goes on as it is.
"""

import re
from collections.abc import Iterator
from html.entities import html5
from typing import Final
from urllib.parse import unquote

from plugins.contract import translatable
from plugins.kit import macros
from plugins.kit.signs import notations
from plugins.kit.signs.characters import BREAKS, first_unseen

#: An HTML page writes & as &amp;. A tracker would read a parameter called `amp;…`.
_ENTITY: Final = re.compile(r"&(?:([A-Za-z]{2,31});|#\d{1,7};|#[Xx][0-9A-Fa-f]{1,6};)")
#: How programs write a character inside a text of theirs, and how browsers once did.
_ESCAPE: Final = re.compile(
    r"\\u\{?[0-9A-Fa-f]{4,6}\}?|\\U[0-9A-Fa-f]{8}|\\x[0-9A-Fa-f]{2}|%u[0-9A-Fa-f]{4}"
)
_IS_ADDRESS: Final = re.compile(r"https?://", re.IGNORECASE)
#: What stands between the values of an address.
_BETWEEN: Final = re.compile(r"[/?&=#;]")
#: The name of a parameter, behind what separates it from the last one or at its beginning.
_PARAMETER: Final = re.compile(r"&([\w.\[\]-]{1,64})=")
_NAMED: Final = re.compile(r"\??[\w.\[\]-]{1,64}=")
#: `{time|number}` is for the values of a JSON body.
_NUMBER: Final = re.compile(rf"\{{([A-Za-z_]+\d{{0,2}}){re.escape(macros.NUMBER)}\}}")


def address_fault(template: str) -> str:
    """Why an address can never work as it is typed, as one sentence; "" if it can."""
    fault = invisible_fault(template)
    for layer in _decoded(template):
        fault = fault or _unseen(layer, BREAKS) or entity_fault(layer)
    fault = fault or entity_fault(template) or macro_fault(template)
    number = _NUMBER.search(template)
    if not fault and number and number[1] in macros.KNOWN:
        return _not_filled_in(number[0], number[1])
    return fault


def invisible_fault(text: str) -> str:
    """The first character of `text` that nobody sees, as one sentence; "" if there is none.

    Line breaks and tabs count in a word only: prose has them.
    """
    return _unseen(text, BREAKS if is_prose(text) else "")


def word_fault(word: str) -> str:
    """The same for a word that is sent as it is; whoever typed `%20` at its end meant a space."""
    fault = invisible_fault(word)
    if not fault and not is_prose(word) and not _IS_ADDRESS.match(word):
        for layer in _decoded(word):
            fault = fault or _unseen(layer) or _at_an_edge(layer)
    return fault


def is_prose(text: str) -> bool:
    """Whether `text` is several words, which may have lines of their own."""
    return re.search(r"[ \t\r\n]", text.strip()) is not None


def _unseen(text: str, but: str = "") -> str:
    place = first_unseen(text, but)
    return _invisible(text, place) if place >= 0 else ""


def _at_an_edge(text: str, blanks: str = " \t\r\n") -> str:
    """The first of `blanks` that `text` begins or ends with, as one sentence; "" if none."""
    if text[:1] and text[0] in blanks:
        return _invisible(text, 0)
    end = len(text.rstrip(blanks))
    return _invisible(text, end) if end < len(text) else ""


def _invisible(text: str, place: int) -> str:
    return translatable(
        "there is an invisible character, U+%(code)s, after %(before)s; delete it",
        code=f"{ord(text[place]):04X}",
        # Three characters tell the place, and no key.
        before=repr(text[max(0, place - 3) : place]),
    )


def _decoded(text: str) -> Iterator[str]:
    """`text` decoded once, and again while that changes it."""
    for _ in range(notations.DEPTH):
        text, before = unquote(text), text
        if text == before:
            return
        yield text


def entity_fault(text: str) -> str:
    """The first `&amp;`, JSON's escape of &, or the like, as one sentence; "" if there is none."""
    for entity in _ENTITY.finditer(text):
        name = entity[1]
        if name is None or f"{name};" in html5 or f"{name.lower()};" in html5:
            return translatable(
                "%(entity)s was copied from an HTML page; write & where it stands for &",
                entity=entity[0],
            )
    if escape := _ESCAPE.search(text):
        return translatable(
            "%(escape)s was copied from a program; write the character for which it stands",
            escape=escape[0],
        )
    return ""


def postback_fault(template: str) -> str:
    """The same of an address that a server is called at: what stands behind # is never sent."""
    before, mark, behind = template.partition("#")
    if mark and "?" not in before and re.search(r"[?={]", behind):
        return translatable(
            "everything after # stays with a browser and is never sent; leave out #, "
            "or take the tracker's postback address"
        )
    if mark and any(name in macros.KNOWN for name in macros.names(behind)):
        return translatable(
            "a macro stands after #, and what stands there is never sent; write %23 for a #"
        )
    breaks = (_at_an_edge(value, BREAKS) for value in _words(template))
    return address_fault(template) or next(filter(None, breaks), "")


def blank_doubt(template: str) -> str:
    """A warning of the first blank of an address that hardly belongs there; "" if there is none.

    A value of several words may have blanks anywhere.
    """
    for value in _words(template):
        if doubt := _at_an_edge(value):
            return doubt
        if line := re.search(f"[{BREAKS}]", value):
            return _invisible(value, line.start())
    return ""


def separator_doubt(template: str) -> str:
    """A warning of parameters that a server would not see as such; "" if there are none.

    A value that is an address itself has parameters of its own.
    """
    path, mark, query = template.partition("#")[0].partition("?")
    if not mark and (first := _PARAMETER.search(path)):
        return translatable(
            "there is no ? in the address: %(parameter)s is a part of its path; write ? before "
            "the first parameter",
            parameter=f"&{first[1]}",
        )
    for part in query.split("&"):
        value, again, name = part.partition("?")
        if again and "://" not in unquote(value) and _NAMED.match(name):
            return translatable(
                "there is a second ?, which is a part of the value before it; write & between "
                "parameters"
            )
    return ""


def _words(template: str) -> list[str]:
    """The parts of an address between its separators that are no prose, each decoded once."""
    values = [unquote(value) for value in _BETWEEN.split(template)]
    return [value for value in values if " " not in value.replace("+", " ").strip()]


def fragment_doubt(template: str) -> str:
    """A warning of what a server that is called at `template` never hears; "" if it hears all."""
    _, mark, behind = template.partition("#")
    if not mark or any(macro.spelled.startswith("#") for macro in notations.find(mark + behind)):
        return ""
    return translatable(
        "#%(behind)s is never sent: a # ends the address; write %%23 for a #", behind=behind[:40]
    )


def macro_fault(template: str) -> str:
    """Why a macro of ours would not be filled in as it is spelled; "" if all are right."""
    for macro in notations.find(template):
        if macro.is_sure and macro.ours:
            return _not_filled_in(macro.spelled, macro.ours, macro.name)
    return ""


def _not_filled_in(spelled: str, ours: str, name: str = "") -> str:
    strange = next((letter for letter in name if not letter.isascii()), "")
    if strange:
        return translatable(
            "%(spelled)s is not filled in: a letter of it, U+%(code)s, only looks like ours; "
            "write %(macro)s",
            spelled=spelled,
            code=f"{ord(strange):04X}",
            macro=f"{{{ours}}}",
        )
    return translatable(
        "%(spelled)s is not filled in; write %(macro)s", spelled=spelled, macro=f"{{{ours}}}"
    )


def unknown_macros(template: str) -> list[str]:
    """The macros that are none of ours, each once and as it is spelled."""
    foreign = [
        macro.spelled for macro in notations.find(template) if not (macro.is_sure and macro.ours)
    ]
    return list(dict.fromkeys(foreign))


def all_macros(text: str) -> list[str]:
    """Whatever looks like a macro, ours or not, each once and as it stands."""
    ours = [f"{{{name}}}" for name in macros.names(text)]
    others = [macro.spelled for macro in notations.find(text)]
    return list(dict.fromkeys([*ours, *others]))


def empty_macros(template: str) -> list[str]:
    """Warnings about macros that only a conversion has values for, one sentence each."""
    return [
        translatable("{%(name)s} belongs to conversions and is empty here", name=name)
        for name in macros.names(template)
        if name in macros.OF_CONVERSIONS
    ]


def doubts(template: str) -> list[str]:
    """Warnings about the macros of a text or an address, one sentence each."""
    return [
        translatable("%(spelled)s is no macro here and is sent as it stands", spelled=spelled)
        for spelled in unknown_macros(template)
    ]


def touch_macros(text: str) -> list[str]:
    """Warnings about macros of a click in a text for people, one sentence each."""
    return [
        translatable("{%(name)s} belongs to postbacks; a message does not know it", name=name)
        for name in macros.names(text)
        if name in macros.OF_TOUCH
    ]
