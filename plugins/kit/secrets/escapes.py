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

from plugins.masking import MASK, candidates

#: A shorter secret is not looked for: to mask it would mask half of every text.
MIN_SECRET: Final = 4
#: So many characters of a longer secret are looked for where its end may have been cut.
_HEAD: Final = 8
#: How often a text may have been encoded.
_DEEPEST: Final = 3

_ESCAPE: Final = re.compile(
    r"((?:%[0-9A-Fa-f]{2})+|(?:\\u[0-9A-Fa-f]{4})+|\\x[0-9A-Fa-f]{2}|\\[/\"'\\]"
    r"|&(?:\#\d{1,7}|\#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});"
    r"|[\x00\r\n\xad\u200b-\u200f\u2060\ufeff])"  # nobody sees them
)


class _View(NamedTuple):
    """A text without some escapes, and where each character begins and ends in the whole text."""

    text: str
    starts: list[int]
    ends: list[int]


def mask_escaped(text: str, secrets: tuple[str, ...]) -> str:
    """Mask the secrets, and the heads of cut ones, that escapes or unseen characters disguise."""
    views = list(_unescaped(text)) if secrets else []
    if not any(_has_spans(view, secrets) for view in views):
        return text  # as nearly always: so the places of the characters are not asked for
    spans = sorted(
        (view.starts[start], view.ends[end - 1])
        for view in _views(text, len(views))
        for start, end in _spans(view.text, candidates(view.text, secrets))
    )
    pieces: list[str] = []
    at = 0
    for start, end in spans:
        if start >= at:
            pieces += (text[at:start], MASK)
        at = max(at, end)
    return "".join((*pieces, text[at:]))


def _has_spans(text: str, secrets: tuple[str, ...]) -> bool:
    return any(True for _ in _spans(text, candidates(text, secrets)))


def _spans(text: str, secrets: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Where secrets stand in `text`, or at least their heads: somebody may have cut them."""
    for secret in secrets:
        if len(secret) < MIN_SECRET:
            continue
        least = min(_HEAD, max(MIN_SECRET, len(secret) // 2))
        start = text.find(secret[:least])
        while start >= 0:
            end = start + least
            while end < len(text) and text[end] == secret[end - start : end - start + 1]:
                end += 1
            yield start, end
            start = text.find(secret[:least], end)


def _unescaped(text: str) -> Iterator[str]:
    """What `text` stands for if its escapes are undone once, twice and so on, if it has some."""
    for _ in range(_DEEPEST):
        parts = _ESCAPE.split(text)
        if len(parts) == 1:
            return
        meanings = {
            escape: "".join(sign for sign, _ in _meant(escape)) for escape in set(parts[1::2])
        }
        parts[1::2] = map(meanings.__getitem__, parts[1::2])
        text = "".join(parts)
        yield text


def _views(text: str, depth: int) -> Iterator[_View]:
    view = _View(text, list(range(len(text))), list(range(1, len(text) + 1)))
    for _ in range(depth):
        pieces: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        at = 0
        for number, part in enumerate(_ESCAPE.split(view.text)):
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
        case r"\x":
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
