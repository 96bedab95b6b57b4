"""Finds secrets in a text that spells some of their characters otherwise, and masks them.

What encodes a text chooses which characters to escape: `encodeURIComponent` leaves `!` alone, Java
encodes `~`, PHP writes `&#039;`, and some escape every character. So the escapes of the text are
undone, up to three times, and the secrets are looked for in what they stand for.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from plugins.kit.secrets.search import search_for
from plugins.masking import MASK

#: What nobody sees: of category Cf, or drawn as nothing (plugins/kit/signs/characters.py).
_UNSEEN: Final = re.compile(
    "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
#: How often a text may have been encoded.
_DEEPEST: Final = 3

_ESCAPE: Final = (
    r"(?:%[0-9A-Fa-f]{2})+|(?:\\u[0-9A-Fa-f]{4})+|\\x[0-9A-Fa-f]{2}|\\[/\"'\\]"
    r"|&(?:\#0{0,20}\d{1,7};?|\#[xX]0{0,20}[0-9A-Fa-f]{1,6};?|[A-Za-z]{2,8};)"
)
_USUAL: Final = re.compile(rf"({_ESCAPE}|[\x00\r\n])")
_ALL: Final = re.compile(
    rf"({_ESCAPE}|(?<![0-9A-Za-z])0[xX][0-9A-Fa-f]{{2}}(?![0-9A-Za-z])"
    rf"|[\x00\r\n]|{_UNSEEN.pattern})"
)
#: One of these is in every usual escape.
_SIGNS: Final = ("%", "\\", "&", "\n", "\r", "\0")


class _View(NamedTuple):
    """A text without some escapes, and where each character begins and ends in the whole text."""

    text: str
    starts: list[int]
    ends: list[int]


def mask_hidden(text: str, secrets: tuple[str, ...]) -> str:
    """Mask the secrets, and the heads of cut ones, as they are and in every disguise."""
    search = search_for(secrets)
    readings = [text, *_unescaped(text)]
    if not any(search.may_be_in(reading) for reading in readings):
        return text  # as nearly always: so the places of the characters are not asked for
    whole = _View(text, list(range(len(text))), list(range(1, len(text) + 1)))
    spans = sorted(
        (view.starts[start], view.ends[end - 1])
        for view in (whole, *_views(whole, len(readings) - 1))
        for start, end in search.spans(view.text)
    )
    pieces: list[str] = []
    at = 0
    for start, end in spans:
        if start >= at:
            pieces += (text[at:start], MASK)
        at = max(at, end)
    return "".join((*pieces, text[at:]))


def _unescaped(text: str) -> Iterator[str]:
    """What `text` stands for if its escapes are undone once, twice and so on, if it has some."""
    for _ in range(_DEEPEST):
        parts = _parts(text)
        if len(parts) == 1:
            return
        meanings = {
            escape: "".join(sign for sign, _ in _meant(escape)) for escape in set(parts[1::2])
        }
        parts[1::2] = map(meanings.__getitem__, parts[1::2])
        text = "".join(parts)
        yield text


def _parts(text: str) -> list[str]:
    """What stands before, between and behind the escapes of `text`, and these."""
    is_usual = text.isascii() or not _UNSEEN.search(text)
    if is_usual and "0x" not in text and "0X" not in text:
        return _USUAL.split(text) if any(sign in text for sign in _SIGNS) else [text]
    return _ALL.split(text)


def _views(view: _View, depth: int) -> Iterator[_View]:
    for _ in range(depth):
        pieces: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        at = 0
        for number, part in enumerate(_parts(view.text)):
            if number % 2 == 0:
                pieces.append(part)
                starts += view.starts[at : at + len(part)]
                ends += view.ends[at : at + len(part)]
                at += len(part)
                continue
            first = at
            for character, width in _meant(part):
                pieces.append(character)
                starts.append(view.starts[first])
                ends.append(view.ends[first + width - 1])
                first += width
            at += len(part)
        view = _View("".join(pieces), starts, ends)
        yield view


def _meant(escape: str) -> Iterator[tuple[str, int]]:
    """The characters that escapes stand for, each with the length of its escape."""
    match escape[:2]:
        case r"\u":
            raw = bytes.fromhex(escape.replace("\\u", ""))
            for sign in raw.decode("utf-16-be", "surrogatepass"):
                yield sign, 3 * len(sign.encode("utf-16-be", "surrogatepass"))
        case r"\x" | "0x" | "0X":
            yield chr(bytes.fromhex(escape[2:])[0]), len(escape)
        case _ if escape[0] == "\\":
            yield escape[1], len(escape)
        case _ if escape[0] == "%":
            raw = bytes.fromhex(escape.replace("%", ""))
            try:
                yield from ((sign, 3 * len(sign.encode())) for sign in raw.decode())
            except UnicodeDecodeError:
                yield from ((chr(byte), 3) for byte in raw)
        case _ if escape[0] == "&":
            meant = html.unescape(escape)
            if len(meant) == 1:
                yield meant, len(escape)
            else:  # none that there is
                yield from ((sign, 1) for sign in escape)
