"""A body that is packed although no header says so: a server's cache or proxy forgot the header."""

from __future__ import annotations

import zlib
from typing import Final

from app.outbound.reception import Reception
from plugins.response_text import Fault, fault_of

#: RFC 1952 §2.3.1: every member of a gzip begins so.
_GZIP: Final = b"\x1f\x8b\x08"
#: What PHP files that were saved with a mark, or with lines behind `?>`, write first.
_BEFORE: Final = b"\xef\xbb\xbf \t\r\n"
_GZIP_FORMAT: Final = 16 + zlib.MAX_WBITS
_RAW_FORMAT: Final = -zlib.MAX_WBITS
#: Packings inside one another: a program's, its server's, its cache's.
_MAX_LAYERS: Final = 4
_PIECE: Final = 16 * 1024


def unpacked(body: bytes, limit: int, *, is_whole: bool = True) -> bytes | None:
    """Return at most `limit` bytes of what `body` holds; `body` itself if it is not packed.

    gzip of one member or several, zlib with any window, raw deflate, and these in one
    another. What follows a whole packed body is left out. None if it is packed and breaks
    off, although `is_whole`, or begins like gzip and is none.
    """
    for _ in range(_MAX_LAYERS):
        inner = _undo(body, limit, is_whole=is_whole)
        if inner is None or inner is body:
            return inner
        body, is_whole = inner, len(inner) < limit
    return None


def _undo(body: bytes, limit: int, *, is_whole: bool) -> bytes | None:
    """Undo the outermost packing; `body` itself where there is none."""
    data = body.lstrip(_BEFORE)
    if data.startswith(_GZIP):
        return _members(data, limit, is_whole=is_whole)
    if _is_zlib(data):
        try:
            text, _, is_ended = _inflated(data, zlib.MAX_WBITS, limit)
        except zlib.error:
            return body
        if is_ended or (text and not is_whole):
            return text
        return None if text and not data[:2].isascii() else body
    return body if body.isascii() and not _is_binary(body) else _raw(body, limit)


def _members(data: bytes, limit: int, *, is_whole: bool) -> bytes | None:
    """Every member of a gzip, one after another."""
    texts = bytearray()
    while data.startswith(_GZIP):
        try:
            text, data, is_ended = _inflated(data, _GZIP_FORMAT, limit)
        except zlib.error:
            return None
        if not is_ended and is_whole:
            return None
        texts += text
        data = data.lstrip(b"\0") if is_ended else b""
    reception = Reception(limit)
    reception.on_body(bytes(texts))
    return bytes(reception.body)


def _raw(body: bytes, limit: int) -> bytes:
    """What raw deflate holds, which nothing marks: only a whole one that holds a text counts."""
    try:
        text, rest, is_ended = _inflated(body, _RAW_FORMAT, limit)
    except zlib.error:
        return body
    return text if text and is_ended and not rest.strip() and not _is_binary(text) else body


def _inflated(data: bytes, window: int, limit: int) -> tuple[bytes, bytes, bool]:
    """The text, what follows the packed data, and whether there is no more to be read of it."""
    inflater = zlib.decompressobj(window)
    reception = Reception(limit)
    while not inflater.eof and not reception.is_cut:
        piece = inflater.decompress(data, _PIECE)
        data = inflater.unconsumed_tail
        reception.on_body(piece)
        if not piece and not data:
            break
    is_ended = inflater.eof or reception.is_cut
    return bytes(reception.body), inflater.unused_data, is_ended


def _is_zlib(data: bytes) -> bool:
    """Whether RFC 1950 §2.2 allows the first two bytes; now and then a text has such."""
    if len(data) < 2:
        return False
    method, flags = data[0], data[1]
    return method & 15 == 8 and method >> 4 <= 7 and (method * 256 + flags) % 31 == 0


def _is_binary(body: bytes) -> bool:
    return fault_of(body, {}) is Fault.BINARY
