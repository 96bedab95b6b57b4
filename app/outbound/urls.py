"""Which URLs may be called, judged by their spelling, before any network.

Strict on purpose. Two parsers that disagree about a host are a hole, so a
spelling that any parser could read in two ways is refused.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Sequence
from typing import Final

from app.config import Opened
from app.outbound.addresses import Address, is_allowed, refusal
from plugins.contract import translatable

#: Ports from 1024 up at which no tracker lives, but something that may take an
#: HTTP request for a command, or that acts on HTTP without asking who calls.
REFUSED_PORTS: Final = {
    1080: "SOCKS",
    1433: "SQL Server",
    1521: "Oracle",
    1723: "PPTP",
    1883: "MQTT",
    2049: "NFS",
    2181: "ZooKeeper",
    2375: "Docker",
    2376: "Docker",
    2379: translatable("etcd"),
    2380: translatable("etcd"),
    3128: translatable("a proxy"),
    3306: "MySQL",
    3389: translatable("remote desktop"),
    4369: "Erlang",
    5060: "SIP",
    5432: "PostgreSQL",
    5672: "AMQP",
    5900: "VNC",
    5984: "CouchDB",
    6000: "X11",
    6379: "Redis",
    6443: "Kubernetes",
    6667: "IRC",
    8500: "Consul",
    9042: "Cassandra",
    9092: "Kafka",
    9200: "Elasticsearch",
    9300: "Elasticsearch",
    10250: "Kubernetes",
    11211: translatable("memcached"),
    26379: "Redis",
    27017: "MongoDB",
}

_LONGEST: Final = 8192
_STRANGE: Final = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ud800-\udfff]")
_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[^\[\]/?#@]*\]|[^\[\]/?#@:]*)(?::(?P<port>[0-9]{1,5}))?(?=[/?#]|\Z)",
    re.IGNORECASE,
)
_LABEL: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_NUMBER: Final = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")  # the last label of an odd IPv4
_LOOPBACK: Final = ipaddress.IPv4Address("127.0.0.1")


class AddressRefused(Exception):
    """A URL that we will not call; `reason` is one sentence for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def check_url(url: str, allow: Sequence[Opened] = ()) -> None:
    """Raise AddressRefused unless `url` may be called, as far as its text tells.

    `allow` is the operator's list: a literal address inside it may use any
    port, or the one that the list names. What a name resolves to is judged when
    the connection is made.
    """
    host, port = split(url)
    reason = _reason(host.lower(), port, tuple(allow))
    if reason:
        raise AddressRefused(reason)


def split(url: str) -> tuple[str, int]:
    """Return host (a literal IPv6 address in its brackets) and port of an absolute URL.

    Raises AddressRefused where the spelling is not beyond doubt.
    """
    if len(url) > _LONGEST:
        raise AddressRefused(
            translatable("the address is longer than %(longest)s characters", longest=_LONGEST)
        )
    if _STRANGE.search(url):
        raise AddressRefused(
            translatable("the address has spaces, backslashes or control characters in it")
        )
    match = _URL.match(url)
    if not match:
        raise AddressRefused(_malformed(url))
    scheme, host, port = match.group("scheme", "host", "port")
    number = int(port) if port else (443 if scheme.lower() == "https" else 80)
    return host, number


def literal(host: str) -> Address | None:
    """The address that `host` is, or None if it is a name. Raises AddressRefused for odd ones."""
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761 §6.3
        return _LOOPBACK
    try:
        if host.startswith("["):
            if "%" in host:
                raise AddressRefused(translatable("the address names a network interface"))
            return ipaddress.IPv6Address(host[1:-1])
        if _NUMBER.fullmatch(host.rpartition(".")[2]):  # what a browser takes for IPv4
            return ipaddress.IPv4Address(host)
    except ValueError:
        raise AddressRefused(
            translatable("write a numeric address as four decimal numbers")
        ) from None
    return None


@functools.lru_cache(maxsize=4096)
def _reason(host: str, port: int, allow: tuple[Opened, ...]) -> str | None:
    """Why `host` and `port` are refused, or None. Remembered: it is asked for every request."""
    try:
        address = literal(host)
    except AddressRefused as error:
        return error.reason
    if address is None:
        return _bad_name(host) or _bad_port(port)
    forbidden = refusal(address, allow, port)
    if forbidden:
        return translatable(
            "%(host)s is not on the public internet (%(forbidden)s)", host=host, forbidden=forbidden
        )
    return None if is_allowed(address, allow, port) else _bad_port(port)


def _bad_name(host: str) -> str | None:
    if not host.isascii():
        return translatable("write the host in its ASCII form, which begins with xn--")
    if host.endswith("."):
        return translatable("leave out the full stop at the end of the host")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        return translatable("the host is not a proper name")
    return None


def _bad_port(port: int) -> str | None:
    if port in REFUSED_PORTS:
        return translatable(
            "port %(port)s belongs to %(refused_ports)s, not to a web server",
            port=port,
            refused_ports=REFUSED_PORTS[port],
        )
    if port in (80, 443) or 1024 <= port <= 65535:
        return None
    return translatable(
        "port %(port)s is not open to us: use 80, 443 or one from 1024 to 65535", port=port
    )


def _malformed(url: str) -> str:
    if not re.match(r"https?://", url, re.IGNORECASE):
        return translatable("the address must begin with http:// or https://")
    if "@" in re.split(r"[/?#]", url, maxsplit=3)[2]:
        return translatable("the address must not carry a user name or password")
    return translatable("the address has no proper host and port")
