"""Click ids in start links: what Telegram carries, whose ids never fit, and Meta's own form."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Final

from plugins.contract import Event, translatable

#: Telegram carries 64 characters: a campaign's code takes 6 and the dash 1.
MAX_CLICK: Final = 57

_FBC: Final = re.compile(r"fb\.\d\.\d+\..+", re.DOTALL)

#: Click ids of ad platforms that no start link carries, and why. Meta's sample
#: fbclid has 61 characters; TikTok writes E.C.P. and some hundred more.
_TOO_LONG: Final[Mapping[str, str]] = {
    "fbclid": translatable("has more than %(max_click)d characters", max_click=MAX_CLICK),
    "fbc": translatable(
        "has dots in it and more than %(max_click)d characters", max_click=MAX_CLICK
    ),
    "gclid": translatable("often has more than %(max_click)d characters", max_click=MAX_CLICK),
    "ttclid": translatable(
        "has dots in it and more than %(max_click)d characters", max_click=MAX_CLICK
    ),
}


def click_type_problem(settings: Mapping[str, Any]) -> str:
    """Why the kind of click id that a destination expects cannot come by a start link.

    One sentence for the owner; "" where it can, or where `settings` name no kind.
    """
    name = settings.get("click_type")
    reason = _TOO_LONG.get(name, "") if isinstance(name, str) else ""
    if not reason:
        return ""
    return translatable(
        "a start link cannot carry every %(name)s: it %(reason)s; put a short id of your own "
        "into the link, and say so in click_type",
        name=str(name),
        reason=reason,
    )


def meta_fbc(event: Event) -> str:
    """The click id as Meta's `fbc`: `fb.1.{milliseconds}.{fbclid}`, the letters' case kept.

    Meta wants the time of the click; the earliest time known of this person stands
    for it. A click id that is an `fbc` already stays as it is.
    """
    if _FBC.fullmatch(event.click):
        return event.click
    first_seen = min(event.time, event.joined or event.time)
    return f"fb.1.{first_seen * 1000}.{event.click}"


def has_own_click_id(event: Event) -> bool:
    """Whether the click id stood in a start link as the customer made it.

    The click id of a lead that came by a source's link is the tracker's id or our token; that of
    the platform is in the touch. An adapter that calls this asks for `source` in `touch_fields`.
    """
    return bool(event.click) and "source" not in event.touch


def is_address(text: str) -> bool:
    """Whether this is an IP address: platforms refuse an event for one that is none."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text  # a zone is of one machine only
