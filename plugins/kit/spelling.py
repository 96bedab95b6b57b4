"""Spellings that cannot mean what they say: invisible characters, `{{click}}`, `&amp;`, `#/…?`.

A fault refuses what was typed: it can never work. A doubt is a warning. Neither is asked
when an event is sent, so what was stored before goes on as it is.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

from plugins.contract import translatable
from plugins.kit import macros

#: Characters that nobody sees: spaces other than the plain one, marks of direction, joiners,
#: fillers, the byte order mark. A joiner between two letters that are not ASCII is meant so:
#: Persian and emoji need it.
_INVISIBLE: Final = re.compile(
    "[\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180e\u2000-\u200b"
    "\u200e\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ufeff\uffa0\ufff9-\ufffb"
    "\U000e0000-\U000e007f]|(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])"
)
#: An HTML page writes & as &amp;. A tracker would read a parameter called `amp;…`.
_ENTITY: Final = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{1,7}|#[Xx][0-9A-Fa-f]{1,6});")
_NAME: Final = r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}"
#: Macros as other systems spell them: {{click}}, ${click}, { click }, %7Bclick%7D, {sub1}.
_FOREIGN: Final = re.compile(
    rf"\{{\{{ *({_NAME}) *\}}\}}|\$\{{({_NAME})\}}|\{{ +({_NAME}) *\}}|\{{({_NAME}) +\}}"
    rf"|(?:%7[Bb])+({_NAME})(?:%7[Dd])+|\{{({_NAME})\}}"
)
#: Marks that other systems put round a macro and that also stand in plain texts and addresses,
#: so that they are only doubted: [click], [[click]], <click>, __CLICK__, %click%, %%click%%,
#: #click#, @@click@@, and {click without an end. Of %…% a percent-encoded byte is no part.
_WORD: Final = r"[A-Za-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)*"
_MARKED: Final = re.compile(
    rf"(?<![A-Za-z0-9_\]])\[{{1,2}}({_WORD})\]{{1,2}}(?!\()|<({_WORD})>|(?<![A-Za-z0-9])__({_WORD})__(?![A-Za-z0-9])"
    rf"|%%({_WORD})%%|%({_WORD})%(?![0-9A-Fa-f]{{2}})|#({_WORD})#|@@({_WORD})@@"
    rf"|\{{({_NAME})(?![A-Za-z0-9_.:| -]*\}})"
)
#: Where such a mark is no word of a person's: macros are called so, in any spelling of capitals.
_MACRO_WORDS: Final = re.compile(
    r"(?:.*[_-])?(?:click|clickid|sub|subid|subid\d+|sub\d+|aff|affid|payout|revenue|amount|cost|tid|txid"
    r"|uuid|transaction|transactionid|externalid|campaign|campaignid|source|zone|zoneid|status|username"
    r"|userid|user|lead|leadid|subscriber|gclid|fbclid|ttclid|yclid|cid)(?:[_-](?:id|\d+))*",
    re.IGNORECASE,
)


def address_fault(template: str) -> str:
    """Why an address can never work as it is typed, as one sentence; "" if it can."""
    fault = invisible_fault(template) or invisible_fault(unquote(template))
    return fault or entity_fault(template) or macro_fault(template)


def invisible_fault(text: str) -> str:
    """The first character of `text` that nobody sees, as one sentence; "" if there is none."""
    invisible = _INVISIBLE.search(text)
    if invisible is None:
        return ""
    return translatable(
        "there is an invisible character, U+%(code)s, after %(before)s; delete it",
        code=f"{ord(invisible[0]):04X}",
        # Three characters tell the place, and no key.
        before=repr(text[max(0, invisible.start() - 3) : invisible.start()]),
    )


def entity_fault(text: str) -> str:
    """The first `&amp;` or its like, as one sentence; "" if there is none."""
    entity = _ENTITY.search(text)
    if entity is None:
        return ""
    return translatable(
        "%(entity)s was copied from an HTML page; write & where it stands for &", entity=entity[0]
    )


def postback_fault(template: str) -> str:
    """The same of an address that a server is called at: what stands behind # is never sent."""
    before, mark, behind = template.partition("#")
    if mark and "?" not in before and re.search(r"[?={]", behind):
        return translatable(
            "everything after # stays with a browser and is never sent; leave out #, "
            "or take the tracker's postback address"
        )
    if mark and any(name in macros.MACROS for name in macros.names(behind)):
        return translatable(
            "a macro stands after #, and what stands there is never sent; write %23 for a #"
        )
    return address_fault(template)


def fragment_doubt(template: str) -> str:
    """A warning of what a server that is called at `template` never hears; "" if it hears all."""
    _, mark, behind = template.partition("#")
    if not mark or _MARKED.match(mark + behind):
        return ""
    return translatable(
        "#%(behind)s is never sent: a # ends the address; write %%23 for a #", behind=behind[:40]
    )


def macro_fault(template: str) -> str:
    """Why a macro of ours would not be filled in as it is spelled; "" if all are right."""
    for spelled, name in _foreign(template):
        if name in macros.MACROS:
            return translatable(
                "%(spelled)s is not filled in; write %(macro)s",
                spelled=spelled,
                macro=f"{{{name}}}",
            )
    return ""


def unknown_macros(template: str) -> list[str]:
    """The macros that are none of ours, each once and as it is spelled."""
    others = [spelled for spelled, name in _foreign(template) if name not in macros.MACROS]
    rest = _FOREIGN.sub("", template)
    ours = [f"{{{name}}}" for name in macros.names(rest) if name not in macros.MACROS]
    return list(dict.fromkeys([*others, *ours, *marked_macros(template)]))


def marked_macros(template: str) -> list[str]:
    """What looks like a macro in the marks of another system, each once and as it stands."""
    rest = _FOREIGN.sub("", template)
    found = ((match[0], next(filter(None, match.groups()))) for match in _MARKED.finditer(rest))
    return list(
        dict.fromkeys(
            spelled
            for spelled, name in found
            if spelled.startswith("{") or (_is_code(name) and _MACRO_WORDS.fullmatch(name))
        )
    )


def _is_code(name: str) -> bool:
    """Whether `name` is spelled as programs do: a person writes [Status] or <User>."""
    return name[0].islower() or name.isupper()


def doubts(template: str) -> list[str]:
    """Warnings about the macros of a text or an address, one sentence each."""
    return [
        translatable("%(spelled)s is no macro here and is sent as it stands", spelled=spelled)
        for spelled in unknown_macros(template)
    ]


def _foreign(template: str) -> list[tuple[str, str]]:
    """Macros that are spelled as other systems do, as they stand and by name."""
    found = (
        (match[0], next(filter(None, match.groups()))) for match in _FOREIGN.finditer(template)
    )
    return [pair for pair in found if pair[0] != f"{{{pair[1]}}}" or pair[1] not in macros.MACROS]
