"""A body without its packings: those that a header names, and those that none does.

libcurl gives us the bytes as they came. It reads one member of a gzip only, does not say that
a packing broke off, and gives up an answer whose header has a word that it does not know, such
as `Content-Encoding: UTF-8`. A server's cache or proxy, in turn, may forget the header, or
leave it on a body that it has unpacked.
"""

import codecs
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Final

import brotli

from app.outbound.reception import Reception
from plugins.response_text import PICTURES, is_binary

#: RFC 1952 §2.3.1: every member of a gzip begins so.
_GZIP: Final = b"\x1f\x8b\x08"
#: What PHP files that were saved with a mark, or with lines behind `?>`, write first.
_BEFORE: Final = b"\xef\xbb\xbf \t\r\n"
_GZIP_FORMAT: Final = 16 + zlib.MAX_WBITS
_RAW_FORMAT: Final = -zlib.MAX_WBITS
#: Packings inside one another: a program's, its server's, its cache's.
_MAX_LAYERS: Final = 4
_PIECE: Final = 16 * 1024
#: Bytes in which the end of a brotli is looked for one by one.
_END_PIECE: Final = 1024
#: What a header calls no packing.
_NONE: Final = ("", "identity", "none")
#: Charsets that programs write where the packing belongs.
_CHARSET: Final = re.compile(r"(windows|cp|iso|koi8|latin|big5|gb|euc|shift)[\w-]*")


def unpacked(body: bytes, limit: int, coding: str = "", *, is_whole: bool = True) -> bytes | None:
    """Return at most `limit` bytes of what `body` holds; `body` itself if it is not packed.

    `coding` is the value of a Content-Encoding header. gzip of one member or several, zlib
    with any window, raw deflate, brotli where it is named, and these in one another. What
    follows a whole packed body is left out. A body that is not what its header names is read
    as it is if it is a text. None if it is packed and breaks off, although `is_whole`, if it
    begins like gzip and is none, or if it is neither a packing that we know nor a text.
    """
    names = [name.strip().lower() for name in coding.split(",")]
    names = [name for name in reversed(names) if name not in _NONE]
    if len(names) > _MAX_LAYERS:
        return None
    is_doubtful = False
    for name in names:
        inner = _undo_named(name, body, limit, is_whole=is_whole)
        if inner is None:
            return None
        if inner is body:
            is_doubtful |= not _CHARSET.fullmatch(name)
        else:
            body, is_whole = inner, len(inner) < limit
    bare = _unpacked_bare(body, limit, is_whole=is_whole)
    if is_doubtful and bare and not _is_plain(bare, is_whole=is_whole):
        return None
    return bare


def _undo_named(name: str, body: bytes, limit: int, *, is_whole: bool) -> bytes | None:
    """Undo the packing that a header calls `name`; `body` itself where it is another or none."""
    data = body.lstrip(_BEFORE)
    if not data:
        return body
    if data.startswith(_GZIP):
        return _members(data, limit, is_whole=is_whole)
    read = _READERS.get(name)
    if read is None:
        return body
    text, is_ended = read(data, limit)
    if is_ended or (text and not is_whole):
        return text
    return body if _is_plain(body, is_whole=is_whole) or text is None else None


def _unpacked_bare(body: bytes, limit: int, *, is_whole: bool) -> bytes | None:
    for _ in range(_MAX_LAYERS):
        inner = _undo(body, limit, is_whole=is_whole)
        if inner is None or inner is body:
            return inner
        body, is_whole = inner, len(inner) < limit
    return None


def _undo(body: bytes, limit: int, *, is_whole: bool) -> bytes | None:
    """Undo the outermost packing that nothing names; `body` itself where there is none."""
    data = body.lstrip(_BEFORE)
    if data.startswith(_GZIP):
        return _members(data, limit, is_whole=is_whole)
    if _is_zlib(data):
        try:
            text, _, is_ended = _inflated(data, zlib.MAX_WBITS, Reception(limit))
        except zlib.error:
            return body
        if is_ended or (text and not is_whole):
            return text
        return None if text and not data[:2].isascii() else body
    return body if _is_plain(body, is_whole=is_whole) else _raw(body, limit)


def _members(data: bytes, limit: int, *, is_whole: bool) -> bytes | None:
    """Every member of a gzip, one after another."""
    reception = Reception(limit)
    while data.startswith(_GZIP) and not reception.is_cut:
        try:
            _, data, is_ended = _inflated(data, _GZIP_FORMAT, reception)
        except zlib.error:
            return None
        if not is_ended and is_whole:
            return None
        data = data.lstrip(b"\0") if is_ended else b""
    return bytes(reception.body)


def _raw(body: bytes, limit: int) -> bytes:
    """What raw deflate holds, which nothing marks: only a whole one that holds a text counts."""
    try:
        text, rest, is_ended = _inflated(body, _RAW_FORMAT, Reception(limit))
    except zlib.error:
        return body
    return text if text and is_ended and not rest.strip() and not is_binary(text) else body


def _inflated(data: bytes, window: int, reception: Reception) -> tuple[bytes, bytes, bool]:
    """The text, what follows the packed data, and whether there is no more to be read of it."""
    inflater = zlib.decompressobj(window)
    while not inflater.eof and not reception.is_cut:
        piece = inflater.decompress(data, _PIECE)
        data = inflater.unconsumed_tail
        reception.on_body(piece)
        if not piece and not data:
            break
    is_ended = inflater.eof or reception.is_cut
    return bytes(reception.body), inflater.unused_data, is_ended


def _deflated(data: bytes, limit: int) -> tuple[bytes | None, bool]:
    """The text of a deflate and whether it ended; None if it is none.

    RFC 9110 §8.4.1.2 means zlib's format; some servers send the bare one.
    """
    if _is_zlib(data):
        try:
            text, _, is_ended = _inflated(data, zlib.MAX_WBITS, Reception(limit))
        except zlib.error:
            pass
        else:
            return text, is_ended
    if _is_plain(data, is_whole=False):
        return None, False
    try:
        text, _, is_ended = _inflated(data, _RAW_FORMAT, Reception(limit))
    except zlib.error:
        return None, False
    return text, is_ended


class _NotTaken(Exception):
    """The reader takes none of the piece that begins at `place`, or not all of it."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place


def _from_brotli(data: bytes, limit: int) -> tuple[bytes | None, bool]:
    """The text of a brotli and whether it ended; None if it is none.

    Its reader takes nothing behind the end. So where there is more, it is found in which piece
    the end is, and of that one it gets single bytes: of all of them that would take a second.
    """
    good = 0
    for step in (max(1, len(data)), _END_PIECE, 1):
        try:
            return _brotli(data, limit, good, step)
        except _NotTaken as refused:
            good = refused.place
    return None, False


def _brotli(data: bytes, limit: int, good: int, step: int) -> tuple[bytes, bool]:
    """Give the first `good` bytes at once, and what follows in pieces of `step`."""
    reader = brotli.Decompressor()
    reception = Reception(limit)
    begin = end = 0
    while not reader.is_finished() and not reception.is_cut:
        packed = b""  # what it has may be more than one piece of text
        if end < len(data) and reader.can_accept_more_data():
            begin, end = end, good if end < good else end + step
            packed = data[begin:end]
        try:
            text = reader.process(packed, output_buffer_limit=_PIECE)
        except brotli.error:
            raise _NotTaken(begin) from None
        if not packed and not text:
            break
        reception.on_body(text)
    return bytes(reception.body), reader.is_finished() or reception.is_cut


_READERS: Final[Mapping[str, Callable[[bytes, int], tuple[bytes | None, bool]]]] = {
    "deflate": _deflated,
    "br": _from_brotli,
}


def _is_zlib(data: bytes) -> bool:
    """Whether RFC 1950 §2.2 allows the first two bytes; now and then a text has such."""
    if len(data) < 2:
        return False
    method, flags = data[0], data[1]
    return method & 15 == 8 and method >> 4 <= 7 and (method * 256 + flags) % 31 == 0


def _is_plain(body: bytes, *, is_whole: bool) -> bool:
    """Whether a body is a picture, or UTF-8 of which nothing looks packed."""
    if body.startswith(PICTURES):
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(body, final=is_whole)
    except UnicodeDecodeError:
        return False
    return not is_binary(body)
