"""Kind and size of a picture, from a bounded piece of its beginning. Pure.

An image library may read on for as long as a file tells it to: a JPEG of
repeated Exif segments costs Pillow quadratic time. Here at most `HEAD_BYTES`
are looked at, in steps that only go forward, and nothing is decoded.

JPEG: ITU-T T.81 annex B. PNG: https://www.w3.org/TR/png-3/#11IHDR. WebP:
RFC 9649 section 2.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

#: Where the frame header of a JPEG has to begin: behind profiles and previews of a camera.
HEAD_BYTES: Final = 1024 * 1024
#: A JPEG keeps a profile of any length in pieces of 64 KB; nobody needs more pieces than this.
_MOST_SEGMENTS: Final = 1024

_JPEG_MAGIC: Final = b"\xff\xd8\xff"
_PNG_MAGIC: Final = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_PNG_END: Final = b"\0\0\0\0IEND\xaeB`\x82"
#: Where the end of a PNG is looked for; some programs write a note behind it.
TAIL_BYTES: Final = 64 * 1024
#: SOF0 to SOF15, without the three codes that mean tables.
_FRAME_HEADERS: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
#: Markers without a length: TEM, restarts, start of image.
_BARE_MARKERS: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_SCAN, _END_OF_IMAGE = 0xDA, 0xD9


class ImageHead(NamedTuple):
    """MIME type, and width and height in pixels."""

    type: str
    width: int
    height: int


def read_image_head(head: bytes) -> ImageHead | None:
    """Read what a file that begins with `head` is; None if no picture is recognised.

    Give it the first `HEAD_BYTES` of a file; what is longer is not looked at.
    """
    head = head[:HEAD_BYTES]
    for type_, read in _READERS.items():
        size = read(head)
        if size and min(size) > 0:
            return ImageHead(type_, *size)
    return None


def is_cut_short(picture: ImageHead, head: bytes, tail: bytes, size: int) -> bool:
    """Whether a file of `size` bytes, whose last ones are `tail`, surely misses its end.

    A JPEG is never said to: decoders show what there is of it.
    """
    if picture.type == "image/png":
        return _PNG_END not in tail
    if picture.type == "image/webp":
        return int.from_bytes(head[4:8], "little") + 8 > size
    return False


def _png_size(head: bytes) -> tuple[int, int] | None:
    if not head.startswith(_PNG_MAGIC) or len(head) < 24:
        return None
    return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])


def _webp_size(head: bytes) -> tuple[int, int] | None:
    if head[:4] != b"RIFF" or head[8:12] != b"WEBP" or len(head) < 30:
        return None
    chunk, body = head[12:16], head[20:30]
    if chunk == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if chunk == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = (int.from_bytes(body[at : at + 2], "little") & 0x3FFF for at in (6, 8))
        return width, height
    if chunk == b"VP8L" and body[:1] == b"\x2f":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None


def _jpeg_size(head: bytes) -> tuple[int, int] | None:
    """Go from segment to segment up to the frame header."""
    if not head.startswith(_JPEG_MAGIC):
        return None
    position = 2
    for _ in range(_MOST_SEGMENTS):
        while head[position : position + 2] == b"\xff\xff":  # fill bytes
            position += 1
        if head[position : position + 1] != b"\xff" or len(head) < position + 4:
            return None
        marker = head[position + 1]
        if marker in _FRAME_HEADERS:
            frame = head[position + 5 : position + 9]
            size = int.from_bytes(frame[2:]), int.from_bytes(frame[:2])
            return size if len(frame) == 4 else None
        if marker in (_SCAN, _END_OF_IMAGE):
            return None
        position += 2 if marker in _BARE_MARKERS else 2 + _segment_length(head, position)
    return None


def _segment_length(head: bytes, position: int) -> int:
    """The length counts its own two bytes; less than that would lead nowhere."""
    return max(2, int.from_bytes(head[position + 2 : position + 4]))


_READERS: Final[dict[str, Callable[[bytes], tuple[int, int] | None]]] = {
    "image/jpeg": _jpeg_size,
    "image/png": _png_size,
    "image/webp": _webp_size,
}
