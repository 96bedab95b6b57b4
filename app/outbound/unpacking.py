"""A body that is packed although no header says so: a server's cache or proxy forgot the header."""

from __future__ import annotations

import zlib
from typing import Final

#: RFC 1952 §2.3.1: every gzip begins so.
_GZIP: Final = b"\x1f\x8b\x08"
#: RFC 1950 §2.2 with a window of 32 KB, as all servers write it; no text begins so.
_ZLIB: Final = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
#: zlib's own and gzip's head and checksum.
_ANY_FORMAT: Final = 32 + zlib.MAX_WBITS


def unpacked(body: bytes, limit: int) -> bytes | None:
    """Return at most `limit` bytes of what `body` holds; `body` itself if it is not packed.

    What follows a whole packed body is left out. None if it begins like a packed
    body and is none.
    """
    is_gzip = body.startswith(_GZIP)
    if not is_gzip and not body.startswith(_ZLIB):
        return body
    try:
        return zlib.decompressobj(_ANY_FORMAT).decompress(body, limit)
    except zlib.error:
        return None if is_gzip else body
