"""What Telegram takes as a photo or a video, by its Bot API. Pure.

https://core.telegram.org/bots/api#sending-files and #sendphoto: a photo has at
most 10 MB, width and height together at most 10000, and their ratio is at
most 20; a video has at most 50 MB and is MPEG4.
"""

from typing import Final

from app.errors import translatable

MEGABYTE: Final = 1024 * 1024
PHOTO_BYTES: Final = 10 * MEGABYTE
VIDEO_BYTES: Final = 50 * MEGABYTE
SIDES: Final = 10_000
RATIO: Final = 20
CAPTION: Final = 1024  #: characters under a photo or video

PHOTO: Final = "img_"
VIDEO: Final = "vid_"

#: "Major brands" of ISO 14496-12 files that are MPEG-4 video (mp4ra.org).
_BRANDS: Final = frozenset(
    b"isom iso2 iso3 iso4 iso5 iso6 mp41 mp42 avc1 dash mmp4 MSNV M4V".split()
)


def is_video(head: bytes) -> bool:
    """Whether a file that begins so is MPEG4."""
    return head[4:8] == b"ftyp" and head[8:12].strip() in _BRANDS


def photo_fault(width: int, height: int, size: int) -> str:
    """Why Telegram would refuse this photo; empty if it would not."""
    if size > PHOTO_BYTES:
        return translatable("a photo may have 10 MB")
    if width + height > SIDES:
        return translatable(
            "width and height of a photo may be %(most)d together; these are %(sum)d",
            most=SIDES,
            sum=width + height,
        )
    if max(width, height) > RATIO * min(width, height):
        return translatable("a photo may be %(most)d times as long as it is wide", most=RATIO)
    return ""
