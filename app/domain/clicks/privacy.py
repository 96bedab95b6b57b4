"""What of a visitor is kept: a site's settings, and what a browser or a person declines. Pure."""

import enum
from collections.abc import Mapping
from typing import Final


class Capture(enum.IntFlag):
    """What of a visitor a site keeps; nothing of it where the bit is not set."""

    NONE = 0
    IP = 1
    USER_AGENT = 2
    META_IDS = 4  #: fbc, fbp and fbclid
    OTHER_IDS = 8  #: gclid, ttclid, yclid and the like


class Consent(enum.IntEnum):
    """Whether a visitor must agree before anything but a random token is kept."""

    NONE = 0
    REQUIRED = 1


_META: Final = ("fbc", "fbp", "fbclid")
#: By which others recognise a browser.
_OF_BROWSER: Final = frozenset({"fbp", "ttp", "ym_uid", "ga"})


def kept_ids(ids: Mapping[str, str], capture: Capture, *, is_anonymous: bool) -> dict[str, str]:
    """Return the ids of ad platforms that may be kept.

    `is_anonymous`: the browser asks not to be recognised, by GPC or DNT. What others recognise
    it by is dropped; ids of the click itself are not.
    """
    return {
        name: value
        for name, value in ids.items()
        if capture & (Capture.META_IDS if name in _META else Capture.OTHER_IDS)
        and not (is_anonymous and name in _OF_BROWSER)
    }
