"""What Telegram makes of marks, entities and links, and what it refuses of them.

Marks: the rules of `parse_markdown` in td/telegram/MessageEntity.cpp; offsets
count bytes, nothing nests, and a backslash escapes only outside entities.
Entities: get_message_entities and fix_entities there; offsets count UTF-16
code units. Links: `app.domain.telegram.links`, which tests compare with TDLib
itself. Of marks nothing is shared with `app.domain`, so that tests can compare
the two.
"""

import re
from typing import Any, Final

from app.domain.telegram.links import link_fault
from app.sandbox.telegram.faults import Refusal

_ENDS: Final = {ord("_"): b"_", ord("*"): b"*", ord("`"): b"`", ord("["): b"]"}
_FENCE: Final = b"```"
#: A language is one only where white space follows.
_LANGUAGE: Final = re.compile(rb"[^ \t\r\n\0\v`]+(?=[ \t\r\n\0\v])")
_LINE_BREAK: Final = re.compile(rb"\r\n|\n\r|\r|\n")


#: strip_empty_characters in td/telegram/misc.cpp: what becomes a space, and what is empty too.
_BLANKS: Final = frozenset(
    [
        *map(chr, [*range(0x21), *range(0x2000, 0x2010), *range(0x2028, 0x2030)]),
        *map(chr, range(0xE0000, 0xE0080)),
        *"\u00a0\u1680\u180e\u205f\u2800\u3000\ufeff\ufffc",
        *"\u030a\u0333\u033f",  # taken out of every text by clean_input_string
    ]
)


class Unparsable(ValueError):
    """An entity has no end; the text is what Telegram answers."""


def plain(text: str) -> str:
    """Return the text as a reader sees it. Raises Unparsable."""
    source, shown, at = text.encode(), bytearray(), 0
    while at < len(source):
        byte = source[at]
        if byte == ord("\\") and at + 1 < len(source) and source[at + 1] in _ENDS:
            shown.append(source[at + 1])
            at += 2
        elif byte in _ENDS:
            inside, at = _entity(source, at)
            shown += inside
        else:
            shown.append(byte)
            at += 1
    return shown.decode("utf-8", "replace")


def is_empty(text: str) -> bool:
    """Return whether Telegram takes `text` for none."""
    return _BLANKS.issuperset(text)


def _entity(source: bytes, begin: int) -> tuple[bytes, int]:
    """Return what stands inside the entity at `begin`, and where the text goes on."""
    fenced = source.startswith(_FENCE, begin)
    end_mark = _FENCE if fenced else _ENDS[source[begin]]
    first = begin + len(end_mark)
    if fenced:
        first = _code_begin(source, first)
    end = source.find(end_mark, first)
    if end < 0:
        raise Unparsable(
            "Bad Request: can't parse entities: "
            f"Can't find end of the entity starting at byte offset {begin}"
        )
    after = end + len(end_mark)
    if end_mark == b"]" and end > first and source.startswith(b"(", after):
        close = source.find(b")", after)
        after = len(source) if close < 0 else close + 1
    return source[first:end], after


def _code_begin(source: bytes, first: int) -> int:
    """Return where code begins behind its fence: past a language and one line break."""
    language = _LANGUAGE.match(source, first)
    after = language.end() if language else first
    line_break = _LINE_BREAK.match(source, after)
    return line_break.end() if line_break else after


def check_entities(text: str, entities: list[dict[str, Any]]) -> None:
    """Raise Refusal for the first entity that is not one of `text`."""
    units = len(text.encode("utf-16-le", "surrogatepass")) // 2
    inside = _middles(text)
    for entity in entities:
        offset, length = entity.get("offset"), entity.get("length")
        if not isinstance(offset, int) or not isinstance(length, int) or "type" not in entity:
            raise Refusal(
                400, "Bad Request: can't parse entities: wrong MessageEntity"
            )  # our words
        if offset < 0:
            raise Refusal(400, f"Bad Request: Receive an entity with incorrect offset {offset}")
        if length < 0:
            raise Refusal(400, f"Bad Request: Receive an entity with incorrect length {length}")
        if entity["type"] == "text_link" and (fault := link_fault(entity.get("url", ""))):
            url = entity.get("url", "")
            raise Refusal(400, f"Bad Request: Entity URL '{url}' is invalid: {fault}")
        if offset + length > units:
            raise Refusal(
                400,
                f"Bad Request: Entity beginning at UTF-16 offset {offset} ends after the end "
                f"of the text at UTF-16 offset {offset + length}",
            )
        if not inside.isdisjoint((offset, offset + length)):
            raise Refusal(400, "Bad Request: Entity begins in a middle of a UTF-16 symbol")


def _middles(text: str) -> set[int]:
    """Return the offsets that split a character of two code units."""
    middles, offset = set(), 0
    for character in text:
        if character > "\uffff":
            middles.add(offset + 1)
            offset += 1
        offset += 1
    return middles
