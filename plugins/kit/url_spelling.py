"""What the text of an http or https URL may be: one rule for settings, border and transport.

Strict on purpose. Two parsers that disagree about a host are a hole, so a
spelling that any parser could read in two ways is refused.
"""

import functools
import ipaddress
import re
from typing import Final

from plugins.contract import translatable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Characters of a whole URL.
LONGEST: Final = 8192

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

_STRANGE: Final = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ud800-\udfff]")
_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[^\[\]/?#@]*\]|[^\[\]/?#@:]*)(?::(?P<port>[0-9]{1,5}))?(?=[/?#]|\Z)",
    re.IGNORECASE,
)
_LABEL: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_NUMBER: Final = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")  # the last label of an odd IPv4
#: Endings that the public name service never answers: RFC 6761, 6762 and 8375, `.internal` and
#: `.alt` by ICANN and RFC 9476, and those that ICANN keeps back because private networks use them.
_INTERNAL: Final = frozenset(
    "alt corp domain home internal intranet invalid lan local localdomain localhost mail "
    "private test workgroup".split()
)
_LOOPBACK: Final = ipaddress.IPv4Address("127.0.0.1")


class AddressRefused(ValueError):
    """A URL that we will not call; `reason` is one sentence for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def check_url(url: str) -> None:
    """Raise AddressRefused for a URL that no operator's settings open.

    A name needs a port of a web server. The operator may open any port of a literal
    address, so that is not judged here.
    """
    host, port = split(url)
    if check_host(host.lower(), port) is None:
        check_port(port)


def split(url: str) -> tuple[str, int]:
    """Return host (a literal IPv6 address in its brackets) and port of an absolute URL.

    Raises AddressRefused where it is not beyond doubt which they are.
    """
    if len(url) > LONGEST:
        raise AddressRefused(
            translatable("the address is longer than %(longest)s characters", longest=LONGEST)
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


def check_host(host: str, port: int) -> Address | None:
    """Return the literal address that `host` is, in lower case, or None for a name.

    Raises AddressRefused for a host that is neither, or a port that no host has.
    """
    reason, address = _judge(host)
    if reason:
        raise AddressRefused(reason)
    if not 0 < port < 65536:
        raise AddressRefused(_closed(port))
    return address


def check_port(port: int) -> None:
    """Raise AddressRefused for a port at which no web server is to be expected."""
    if port in REFUSED_PORTS:
        raise AddressRefused(
            translatable(
                "port %(port)s belongs to %(refused_ports)s, not to a web server",
                port=port,
                refused_ports=REFUSED_PORTS[port],
            )
        )
    if port not in (80, 443) and not 1024 <= port <= 65535:
        raise AddressRefused(_closed(port))


def is_internal_name(host: str) -> bool:
    """Whether `host` is a name that no public name server knows. False for literal addresses."""
    name = host.lower()
    if name.startswith("[") or _NUMBER.fullmatch(name.rpartition(".")[2]):
        return False
    return "." not in name or name.rpartition(".")[2] in _INTERNAL or name.endswith(".home.arpa")


@functools.lru_cache(maxsize=4096)
def _judge(host: str) -> tuple[str, Address | None]:
    """Why `host` is refused, or "", and its address. Remembered: it is asked for every request."""
    try:
        address = _literal(host)
        if address is None:
            _check_name(host)
    except AddressRefused as error:
        return error.reason, None
    return "", address


def _literal(host: str) -> Address | None:
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761 §6.3
        _check_name(host)
        return _LOOPBACK
    if host.startswith("["):
        if "%" in host:
            raise AddressRefused(translatable("the address names a network interface"))
        try:
            return ipaddress.IPv6Address(host[1:-1])
        except ValueError:
            raise AddressRefused(
                translatable("what stands in brackets is not an IPv6 address")
            ) from None
    if _NUMBER.fullmatch(host.rpartition(".")[2]):  # what a browser takes for IPv4
        try:
            return ipaddress.IPv4Address(host)
        except ValueError:
            raise AddressRefused(
                translatable("write a numeric address as four decimal numbers")
            ) from None
    return None


def _check_name(host: str) -> None:
    if not host:
        raise AddressRefused(translatable("the address has no domain"))
    if not host.isascii():
        raise AddressRefused(
            translatable("write the host in its ASCII form, which begins with xn--")
        )
    if host.endswith("."):
        raise AddressRefused(translatable("leave out the full stop at the end of the host"))
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise AddressRefused(translatable("the host is not a proper name"))


def _closed(port: int) -> str:
    return translatable(
        "port %(port)s is not open to us: use 80, 443 or one from 1024 to 65535", port=port
    )


def _malformed(url: str) -> str:
    if not re.match(r"https?://", url, re.IGNORECASE):
        return translatable("the address must begin with http:// or https://")
    if "@" in re.split(r"[/?#]", url, maxsplit=3)[2]:
        return translatable("the address must not carry a user name or password")
    return translatable("the address has no proper host and port")
