"""Click ids in start links: what Telegram carries, and whose ids never fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

#: Telegram carries 64 characters: a campaign's code takes 6 and the dash 1.
MAX_CLICK: Final = 57

#: Click ids of ad platforms that no start link carries, and why. Meta's sample
#: fbclid has 61 characters; TikTok writes E.C.P. and some hundred more.
_TOO_LONG: Final[Mapping[str, str]] = {
    "fbclid": f"has more than {MAX_CLICK} characters",
    "fbc": f"has dots in it and more than {MAX_CLICK} characters",
    "gclid": f"often has more than {MAX_CLICK} characters",
    "ttclid": f"has dots in it and more than {MAX_CLICK} characters",
}


def click_type_problem(settings: Mapping[str, Any]) -> str:
    """Why the kind of click id that a destination expects cannot come by a start link.

    One sentence for the owner; "" where it can, or where `settings` name no kind.
    """
    name = settings.get("click_type")
    reason = _TOO_LONG.get(name, "") if isinstance(name, str) else ""
    if not reason:
        return ""
    return (
        f"a start link cannot carry every {name}: it {reason}; put a short id of your own "
        "into the link, and say so in click_type"
    )
