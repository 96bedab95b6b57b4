"""fbc and fbp: which values Meta takes, and how an fbc is built from an fbclid. Pure.

Meta compares an fbclid to the letter, so nothing is lower-cased, decoded, trimmed or cut.
An fbp is made by Meta's pixel only; we never make one up.
"""

import re
from typing import Final

MAX_ID: Final = 512  # far above all that were seen; what is longer is dropped, never cut
_FBC: Final = re.compile(r"fb\.[0-2]\.(\d{13})\.([A-Za-z0-9_-]+)", re.ASCII)
_FBP: Final = re.compile(r"fb\.[0-2]\.\d{13}\.\d{1,20}", re.ASCII)
_FBCLID: Final = re.compile(r"[A-Za-z0-9_-]+")


def is_fbc(value: str) -> bool:
    """Whether Meta takes this as fbc."""
    return len(value) <= MAX_ID and _FBC.fullmatch(value) is not None


def is_fbp(value: str) -> bool:
    """Whether Meta takes this as fbp."""
    return len(value) <= MAX_ID and _FBP.fullmatch(value) is not None


def is_fbclid(value: str) -> bool:
    """Whether an fbc can be built from this."""
    return _FBCLID.fullmatch(value) is not None


def fbc_of(fbc: str, fbclid: str, clicked: int) -> str:
    """Return the fbc of a click, or "" if there is none.

    `fbc` is the page's own, or "". `fbclid` stood in the link that was clicked at `clicked`,
    Unix milliseconds. The page's own is kept unless the link brought a different fbclid
    after it was made: the cookie then tells of an earlier ad.
    """
    own = _FBC.fullmatch(fbc) if is_fbc(fbc) else None
    built = f"fb.1.{clicked}.{fbclid}" if is_fbclid(fbclid) else ""
    if not is_fbc(built):
        built = ""
    if own is None:
        return built
    is_older = int(own[1]) <= clicked
    return built if built and own[2] != fbclid and is_older else fbc


def newer_fbc(stored: str, fbc: str) -> str:
    """Return whichever of two valid fbc was made later, `stored` if neither was."""
    old, new = _FBC.fullmatch(stored), _FBC.fullmatch(fbc)
    if new is None:
        return stored
    return fbc if old is None or int(new[1]) > int(old[1]) else stored
