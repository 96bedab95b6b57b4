"""Which links Telegram takes: the rules of TDLib's LinkManager::check_link and parse_url. Pure.

td/telegram/LinkManager.cpp and td/utils/HttpUrl.cpp of TDLib 1.8. Its own
parser is asked about thousands of generated addresses in the tests.
"""

import ipaddress
import re
from typing import Final, NamedTuple

_OWN: Final = re.compile(r"(tg|ton|tonsite):(?://)?", re.IGNORECASE)
_SCHEME: Final = re.compile(r"([^:/?#@\[\]]*)://", re.DOTALL)
#: What check_url_part lets through: all of UTF-8 beyond ASCII, and these.
_PART: Final = r"[A-Za-z0-9.\-_!$,~*'();&+=\u0080-\U0010ffff{also}]|%[0-9A-Fa-f]{{2}}"
_HOST: Final = re.compile(f"(?:{_PART.format(also='')})*")
_USER: Final = re.compile(f"(?:{_PART.format(also=':')})*")
#: Hosts of Telegram's own links. TON's sites have domains.
_NAME: Final = re.compile(r"[A-Za-z0-9_-]+")
_DOMAIN: Final = re.compile(r"[A-Za-z0-9._-]+")
#: What clean_input_string takes out of every text, and makes a space of.
_DROPPED: Final = re.compile("[\r\u2028-\u202e\u030a\u0333\u033f]")
_SPACED: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")
_MAX_PORT: Final = 65_535
_USER_LINK: Final = re.compile(r"tg:(?://)?user/?\?", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,18}")
_MAX_USER: Final = 2**40 - 1


class _Url(NamedTuple):
    scheme: str
    user: str
    host: str
    port: int
    is_ipv6: bool


def link_fault(url: str) -> str:
    """Why Telegram refuses `url` in a text_link, in TDLib's words; "" if it takes it."""
    url = _SPACED.sub(" ", _DROPPED.sub("", url))
    own = _OWN.match(url)
    parts = _parse(url[own.end() :] if own else url)
    if isinstance(parts, str):
        return parts
    if own is None:
        return "" if "." in parts.host or parts.is_ipv6 else "Wrong HTTP URL"
    protocol = own[1].lower()
    if parts.scheme or parts.user or parts.port or parts.is_ipv6:
        return f"Wrong {'tg' if protocol == 'tg' else 'ton'} URL"
    if not (_DOMAIN if protocol == "tonsite" else _NAME).fullmatch(parts.host):
        return "Unallowed characters in URL host"
    return ""


def _parse(url: str) -> _Url | str:
    """Split as TDLib does, or say what it says."""
    scheme = _SCHEME.match(url)
    if scheme and scheme[1].lower() not in ("http", "https"):
        return "Unsupported URL protocol"
    authority = re.split("[/?#]", url[scheme.end() :] if scheme else url, maxsplit=1)[0]
    rest, port = _port(authority)
    if not 0 <= port <= _MAX_PORT:
        return "Wrong port number specified in the URL"
    user, _, host = rest.rpartition("@")
    is_ipv6 = host.startswith("[") and host.endswith("]")
    if is_ipv6 and not _is_ipv6(host[1:-1]):
        return "Wrong IPv6 address specified in the URL"
    if not host:
        return "URL host is empty"
    if host == ".":
        return "Host is invalid"
    fault = ""
    if not is_ipv6:
        fault = _part_fault(host, _HOST, "host") or _part_fault(user, _USER, "userinfo")
    return fault or _Url(scheme[1].lower() if scheme else "", user, host, port, is_ipv6)


def _port(authority: str) -> tuple[str, int]:
    """What stands before the port, and the port: 0 without one, -1 for none that there can be."""
    colon = max(authority.rfind(mark) for mark in ":]@")
    if colon < 1 or authority[colon] != ":":
        return authority, 0
    digits = authority[colon + 1 :]
    is_number = re.fullmatch(r"-?[0-9]{1,64}", digits)
    return authority[:colon], (int(digits) or -1) if is_number else -1


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return "%" not in text


def _part_fault(text: str, allowed: re.Pattern[str], name: str) -> str:
    end = allowed.match(text).end()  # type: ignore[union-attr]  # it may be empty
    if end == len(text):
        return ""
    if text[end] == "%":
        return f"Wrong percent-encoded symbol in URL {name}"
    return f"Disallowed character in URL {name}"


def mentioned_user(url: str) -> int:
    """The person that a `tg://user?id=…` mentions; 0 for any other link.

    LinkManager::get_link_user_id: the first `id` decides, and only a plain number is one.
    """
    match = _USER_LINK.match(url)
    if match is None:
        return 0
    query = url[match.end() :].partition("#")[0]
    for parameter in query.split("&"):
        name, _, value = parameter.partition("=")
        if name.lower() == "id":
            number = int(value) if _NUMBER.fullmatch(value) else 0
            return number if number <= _MAX_USER else 0
    return 0
