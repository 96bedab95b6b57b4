"""Which pages may report visits: hosts of a site, and the Origin that a browser sends. Pure."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

MAX_DOMAINS: Final = 20
MAX_HOST: Final = 253
_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


def normalize_domain(text: str) -> str:
    """Return a domain of a site as it is compared: `host` or `*.host`, in lower case, ASCII.

    Takes also what people paste: an address, a port, a name in another script. Returns ""
    if it is no host. `*.host` needs a name with a dot, so that it names no whole top level.
    """
    text = text.strip().lower()
    wildcard = text.startswith("*.")
    host = _host_of(f"//{text.removeprefix('*.')}" if "//" not in text else text)
    if not host or (wildcard and "." not in host):
        return ""
    return f"*.{host}" if wildcard else host


def origin_host(origin: str) -> str:
    """Return the host of an Origin header; "" for `null` and for what no browser sends."""
    scheme, separator, rest = origin.partition("://")
    if scheme not in ("http", "https") or not separator or "/" in rest:
        return ""
    return _host_of(origin.lower())


def is_allowed(host: str, domains: Iterable[str]) -> bool:
    """Whether one of `domains` names `host`. `*.example.com` names no `example.com`."""
    return any(
        host.endswith(domain[1:]) if domain.startswith("*.") else host == domain
        for domain in domains
    )


def _host_of(address: str) -> str:
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").rstrip(".")
        _ = parts.port  # raises ValueError where it is no number
        if len(host) > MAX_HOST:  # to spell a long one in ASCII costs the square of its length
            return ""
        host = host.encode("idna").decode("ascii")
    except (ValueError, UnicodeError):
        return ""
    if parts.username is not None or len(host) > MAX_HOST or not _HOST.fullmatch(host):
        return ""
    return host
