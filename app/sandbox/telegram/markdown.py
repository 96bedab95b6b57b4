"""Legacy Markdown as Telegram reads it.

The rules of `parse_markdown` in td/telegram/MessageEntity.cpp: offsets count
bytes, nothing nests, and a backslash escapes only outside entities.
"""

from __future__ import annotations

from typing import Final

_ENDS: Final = {ord("_"): b"_", ord("*"): b"*", ord("`"): b"`", ord("["): b"]"}
_FENCE: Final = b"```"


class Unparsable(ValueError):
    """An entity without an end; the text is what Telegram answers."""


def plain(text: str) -> str:
    """The text as a reader sees it. Raises Unparsable."""
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


def _entity(source: bytes, begin: int) -> tuple[bytes, int]:
    """What stands inside the entity at `begin`, and where the text goes on."""
    fenced = source.startswith(_FENCE, begin)
    end_mark = _FENCE if fenced else _ENDS[source[begin]]
    first = begin + len(end_mark)
    end = source.find(end_mark, first)
    if end < 0:
        raise Unparsable(
            "Bad Request: can't parse entities: "
            f"Can't find end of the entity starting at byte offset {begin}"
        )
    after = end + len(end_mark)
    if end_mark == b"]" and source.startswith(b"(", after):
        close = source.find(b")", after)
        after = len(source) if close < 0 else close + 1
    return source[first:end], after
