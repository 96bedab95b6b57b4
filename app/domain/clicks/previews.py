"""Who opens an ad's link: a person's browser, or a program that looks at the link. Pure."""

import re
from collections.abc import Mapping
from typing import Final

#: Programs that fetch a link to show or judge it, by their own user agents.
_PROGRAMS: Final = re.compile(
    r"facebookexternalhit|facebot|meta-externalagent|telegrambot|whatsapp|twitterbot|slackbot"
    r"|discordbot|linkedinbot|vkshare|skypeuripreview|googlebot|adsbot-google|bingbot|yandexbot"
    r"|bytespider",
    re.IGNORECASE,
)
#: Headers by which a browser says that it fetches ahead of a press.
_AHEAD: Final = ("sec-purpose", "purpose", "x-moz", "x-purpose")


def is_preview(method: str, headers: Mapping[str, str]) -> bool:
    """Whether this request is no visit: a HEAD, a fetch ahead, a program, or no browser at all.

    The names of `headers` are in lower case, here and below.
    """
    agent = headers.get("user-agent", "").strip()
    ahead = any(
        word in headers.get(name, "").lower() for name in _AHEAD for word in ("prefetch", "preview")
    )
    return method == "HEAD" or ahead or not agent or _PROGRAMS.search(agent) is not None


def wants_no_tracking(headers: Mapping[str, str]) -> bool:
    """Whether the browser asks not to be recognised (GPC or DNT)."""
    return headers.get("sec-gpc") == "1" or headers.get("dnt") == "1"
