"""A visit as a page reports it, under the names of AdTarget's API and our own. Pure.

A page cannot be asked again, so what is wrong is dropped and flagged, and the rest is kept.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from app.domain.clicks import link_query
from app.domain.clicks.link_query import MAX_EXTERNAL, MAX_TEXT, SUBS, LinkQuery
from app.domain.storable_text import UNSTORABLE
from plugins.kit.platforms.meta_ids import MAX_ID

MAX_LANDING: Final = 2048
MAX_REFERRER: Final = 512
MAX_CITY: Final = 64
MAX_AGENT: Final = 512
MAX_HREF: Final = 8192

#: Names of ids in the body, and under which they are kept.
IDS: Final[Mapping[str, str]] = {
    **{name: name for name in ("fbc", "fbp", "fbclid", "gclid", "gbraid", "wbraid", "ttclid")},
    **{name: name for name in ("ttp", "sccid", "yclid", "ga")},
    "ymUid": "ym_uid",
}
UTM: Final[Mapping[str, str]] = {
    f"utm{name.capitalize()}": name for name in ("source", "medium", "campaign", "content", "term")
}
_COUNTRY: Final = re.compile(r"[A-Za-z]{2}")


@dataclass(slots=True)
class PageVisit:
    """What one report says. `query` is that of the page's address, completed by the body.

    `landing` is the page without its query, `referrer` host and path. `client_ip` and
    `user_agent` are given by a server that reports for somebody else.
    """

    query: LinkQuery = field(default_factory=LinkQuery)
    landing: str = ""
    referrer: str = ""
    country: str = ""
    city: str = ""
    client_ip: str = ""
    user_agent: str = ""


def read(body: Mapping[str, Any], click_param: str, sub_map: Mapping[str, str]) -> PageVisit:
    """Read the body of a report. Never raises, whatever it gets."""
    href = _text(body.get("href")) or _text(body.get("landingPage"))
    address = href[:MAX_HREF].partition("#")[0]
    _, _, query = address.partition("?")
    result = link_query.read(query.encode("utf-8", "replace"), click_param, sub_map)
    _complete(result, body)
    return PageVisit(
        result,
        page_address(address),
        host_and_path(_text(body.get("referrer"))),
        country_code(_text(body.get("country"))),
        link_query.checked(_text(body.get("city")), MAX_CITY, result),
        link_query.checked(_text(body.get("clientIp")), MAX_TEXT, result),
        _text(body.get("userAgent"))[:MAX_AGENT],
    )


def country_code(text: str) -> str:
    """Return two letters in upper case, or ""; XX and T1 are no countries to Cloudflare."""
    code = text.upper()
    return code if _COUNTRY.fullmatch(code) and code != "XX" else ""


def page_address(address: str) -> str:
    """Return an address of a page without query and fragment, or "" if it is no such address."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host:
        return ""
    landing = f"{parts.scheme}://{host}{port}{parts.path}"
    return landing if len(landing) <= MAX_LANDING else ""


def host_and_path(address: str) -> str:
    """Return host and path of a page, cut to 512 characters; its query may tell of a person."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return ""
    return f"{host}{parts.path}"[:MAX_REFERRER] if host else ""


def _complete(result: LinkQuery, body: Mapping[str, Any]) -> None:
    """Add what the body names itself. An id that the page read is newer than that of its link."""
    for name, key in IDS.items():
        if value := link_query.checked(_text(body.get(name)), MAX_ID, result):
            result.ids[key] = value
    for name, key in UTM.items():
        if value := link_query.checked(_text(body.get(name)), MAX_TEXT, result):
            result.utm.setdefault(key, value)
    for name in SUBS:
        if value := link_query.checked(_text(body.get(name)), MAX_TEXT, result):
            result.subs.setdefault(name, value)
    user = link_query.checked(_text(body.get("externalUserId")), MAX_EXTERNAL, result)
    result.external = result.external or user
    link_query.drop_invalid_ids(result)


def _text(value: Any) -> str:
    return value if isinstance(value, str) and not UNSTORABLE.search(value) else ""
