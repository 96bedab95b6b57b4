"""Macros in any notation: one table for addresses, the URLs of buttons, and texts of people. Pure.

Ours is `{click}`. Each other way to write a macro is a row here: of ad networks, trackers,
template languages and shells, also percent-encoded, and also with letters that only look Latin.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from plugins.kit import macros

#: How often what is percent-encoded may have been encoded again.
DEPTH: Final = 3


class Macro(NamedTuple):
    """A macro as it stands in a text. `ours` is the macro of ours that is meant, or ""."""

    spelled: str
    name: str
    ours: str
    is_sure: bool  # it cannot be a plain word in brackets


class _Notation(NamedTuple):
    pattern: re.Pattern[str]
    is_sure: bool
    is_closed: bool


def _row(pattern: str, *, sure: bool = False, closed: bool = True) -> _Notation:
    return _Notation(re.compile(pattern), sure, closed)


_NAME: Final = r"[\w.:-]{1,64}"
_WORDS: Final = rf"(?P<name>{_NAME}(?:[ +]{_NAME}){{0,2}})"
_WORD: Final = r"(?P<name>[^\W\d_][^\W_]*(?:[_-][^\W_]+)*)"
#: All braces that stand together: looked at from each of them, they would cost their square.
_BRACES: Final = r"(?<!\{)\{+"
_OPEN: Final = rf"(?P<open>{_BRACES})"
#: Where a parameter or a word ends.
_END: Final = r"(?=[&#/?;,.!\s]|\Z)"
#: A mark of `is_sure` is a macro whatever it is called; between the others only such names are
#: macros as macros are usually called, since people and addresses use these marks too.
_NOTATIONS: Final = (
    # {x} {{x}} {{{x}}} ${x} %{x} { x } {$x} {x|y} {%x%} {x y}, and where a brace is missing
    _row(
        rf"(?:\$|(?<!\d)%)?\{{{{1,3}}[$%#@!=]?[ +]*{_WORDS}"
        r"(?:[ +]*\|[^{}\"]{0,64})?[ +]*[%=]?\}{1,3}",
        sure=True,
    ),
    _row(rf"\$(?:\({_WORDS}\)|\[(?P<other>{_NAME})\])", sure=True),  # $(x) $[x]
    _row(rf"<[%?]=?[ +]*\$?{_WORDS}[ +]*[%?]>", sure=True),  # <%= x %> <?= $x ?>
    _row(rf"\*\|{_WORDS}\|\*", sure=True),  # *|X|*
    _row(rf"(?<![\w\]])\[{{1,2}}%?{_WORD}%?\]{{1,2}}(?!\()"),  # [x] [[x]] [%x%]
    _row(rf"<{_WORD}>"),
    _row(rf"(?<![A-Za-z0-9])__{_WORD}__(?![A-Za-z0-9])"),
    _row(rf"%%{_WORD}%%"),
    _row(rf"%{_WORD}%(?![0-9A-Fa-f]{{2}})"),  # of a percent-encoded byte it is no part
    _row(rf"(?<![\w#])(?P<mark>##?){_WORD}(?P=mark)(?!\w)"),
    _row(rf"(?<![\w@])(?P<mark>@@?){_WORD}(?P=mark)(?!\w)"),
    _row(rf"(?<![\w$])\${_WORD}(?:\$(?!\w)|(?![\w$({{\[]))", closed=False),  # $x $x$
    _row(rf"(?:(?<=[=/])|(?<!\S)):{_WORD}{_END}", closed=False),
    _row(rf"{_OPEN}[$%]?(?P<name>{_NAME})(?![\w.:-])(?![^{{}}]*\}})", closed=False),  # {x
    _row(rf"{_BRACES}[$%]?{_WORD}(?![\w.:-])", closed=False),  # where the end of another follows
    _row(rf"(?:(?<=[=/])|(?<!\S)){_WORD}\}}+{_END}", closed=False),  # x}
)
#: Where such a mark is no word of a person's: macros are called so, in any spelling of capitals.
_MACRO_WORDS: Final = re.compile(
    r"(?:.*[_-])?(?:click|clickid|sub|subid|subid\d+|sub\d+|aff|affid|payout|revenue|amount|cost|tid|txid"
    r"|uuid|transaction|transactionid|externalid|campaign|campaignid|source|zone|zoneid|status|username"
    r"|userid|user|lead|leadid|subscriber|gclid|fbclid|ttclid|yclid|cid|name|firstname|lastname|fullname"
    r"|value|title|chat|language|event|eventid|goal|hit|hitid|order|orderid|visitor|visitorid|country"
    r"|geo|city|device|keyword|creative|placement|adid|siteid|pid|oid)(?:[_-](?:id|\d+))*",
    re.IGNORECASE,
)
#: Letters of Cyrillic, Greek and others that nobody tells from Latin ones, each before its Latin.
_PAIRS: Final = (
    "аa вb сc ԁd еe һh іi јj кk ӏl мm оo рp ԛq ѕs тt уy хx ԝw υu νv "  # noqa: RUF001
    "АA ВB СC ЕE НH ІI ЈJ КK МM ОO РP ЅS ТT УY ХX "  # noqa: RUF001
    "αa ιi κk οo ρp τt χx ıi ɩi ɑa ɡg ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX"  # noqa: RUF001
)
_LOOK_ALIKES: Final = str.maketrans({pair[0]: pair[1] for pair in _PAIRS.split()})
_ENCODED: Final = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


def find(text: str) -> list[Macro]:
    """All macros in `text` that are not ours as ours are written, in the order of the table.

    A `{name}` of ours that has no meaning is among them.
    """
    macros_found: list[Macro] = []
    taken = bytearray(len(text))  # 1 where a macro stands already
    layers = _layers(text)
    rests = [layer for layer, _ in layers]
    for notation, depth in itertools.product(_NOTATIONS, range(len(layers))):
        matches = list(notation.pattern.finditer(rests[depth]))
        rests[depth] = _without(rests[depth], matches)
        for match in matches:
            starts = layers[depth][1]
            begin, end = starts[match.start()], starts[match.end()]
            if 1 not in taken[begin:end]:
                taken[begin:end] = b"\1" * (end - begin)
                macros_found += _judged(text[begin:end], match, notation)
    return macros_found


def is_macro(value: str) -> bool:
    """Whether all of `value` is one macro, of whatever system."""
    if not value.isascii() or " " in value or value.count("{") != value.count("}"):
        return False
    return any(row.is_closed and row.pattern.fullmatch(value) for row in _NOTATIONS)


def filled_in(value: str, filling: str) -> str:
    """`value` with `filling` for each macro in it; as it is where there is none.

    Beside other text only a macro whose mark or whose name is sure counts.
    """
    if is_macro(value):
        return filling
    if not value.isascii() or " " in value or value.count("{") != value.count("}"):
        return value

    pieces, place = [], 0
    while place < len(value):
        length = _length_at(value[place:])
        pieces.append(filling if length else value[place])
        place += length or 1
    return "".join(pieces)


def _length_at(value: str) -> int:
    """How long the macro is that `value` begins with, whatever stands before it; 0 if none."""
    for row in _NOTATIONS:
        match = row.pattern.match(value) if row.is_closed and not value[0].isalnum() else None
        if match is not None:
            groups = match.groupdict()
            if row.is_sure or _is_usual(groups["name"] or groups.get("other") or ""):
                return match.end()
    return 0


def latin(name: str) -> str:
    """`name` in the letters that a reader takes it for."""
    plain = unicodedata.normalize("NFKD", name.translate(_LOOK_ALIKES))
    return "".join(
        letter for letter in plain.translate(_LOOK_ALIKES) if not unicodedata.combining(letter)
    )


def _judged(spelled: str, match: re.Match[str], notation: _Notation) -> list[Macro]:
    groups = match.groupdict()
    name = groups["name"] or groups.get("other") or ""
    plain = latin(name)
    ours = plain if plain in macros.KNOWN else ""
    if spelled in (f"{{{ours}}}", f"{{{ours}{macros.NUMBER}}}") and plain == name:
        return []
    is_open = "open" in groups
    if not notation.is_sure and not is_open and not (_is_code(plain) and _is_usual(plain)):
        return []
    return [Macro(spelled, name, ours, notation.is_sure)]


def _is_code(name: str) -> bool:
    """Whether `name` is spelled as programs do: a person writes [Status] or <User>."""
    return name[0].islower() or name.isupper()


def _is_usual(name: str) -> bool:
    """Whether a macro may be called so."""
    return _MACRO_WORDS.fullmatch(name) is not None


def _without(text: str, matches: Iterable[re.Match[str]]) -> str:
    """`text` of the same length without what was matched."""
    pieces, end = [], 0
    for match in matches:
        pieces += [text[end : match.start()], "\0" * (match.end() - match.start())]
        end = match.end()
    return "".join([*pieces, text[end:]])


def _layers(text: str) -> list[tuple[str, list[int]]]:
    """`text` as it is, and decoded once and more; each with where its characters stand in it."""
    layers = [(text, list(range(len(text) + 1)))]
    while len(layers) <= DEPTH and (_ENCODED.search(layers[-1][0])):
        layers.append(_decoded(*layers[-1]))
    return layers


def _decoded(text: str, starts: list[int]) -> tuple[str, list[int]]:
    pieces: list[str] = []
    places: list[int] = []
    end = 0
    for run in _ENCODED.finditer(text):
        pieces.append(text[end : run.start()])
        places += starts[end : run.start()]
        place = run.start()
        for character in unquote_to_bytes(run[0]).decode("utf-8", "surrogateescape"):
            pieces.append(character)
            places.append(starts[place])
            place += 3 * len(character.encode("utf-8", "surrogateescape"))
        end = run.end()
    return "".join([*pieces, text[end:]]), [*places, *starts[end:]]
