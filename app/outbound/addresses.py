"""Which addresses belong to the public internet: one table, asked for every connection.

`ipaddress.is_global` is not used: its answer changes with the Python version,
and it lets 6to4, NAT64 and other wrappings of private addresses through.

Sources: the IANA special-purpose registries for IPv4 and IPv6
(https://www.iana.org/assignments/iana-ipv4-special-registry and
https://www.iana.org/assignments/iana-ipv6-special-registry), RFC 5771 and
RFC 4291 for multicast, and the vendors' pages for metadata services.
"""

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.config import Network, NetworkPort, Opened
from plugins.contract import translatable
from plugins.kit.url_spelling import Address


@dataclass(frozen=True, slots=True)
class Special:
    """A range that is not the public internet, and its name for people."""

    network: Network
    name: str


def _table(rows: dict[str, str]) -> tuple[Special, ...]:
    return tuple(Special(ipaddress.ip_network(text), name) for text, name in rows.items())


#: Answer to anyone who can make a server of that cloud ask. Never opened by an allow list.
METADATA: Final = _table(
    {
        "169.254.169.254/32": translatable("cloud metadata"),  # AWS, Azure, Google, Hetzner, ...
        "169.254.169.253/32": translatable("cloud metadata (AWS name server)"),
        "169.254.169.123/32": translatable("cloud metadata (AWS time)"),
        "169.254.170.2/32": translatable("cloud metadata (AWS containers)"),
        "169.254.170.23/32": translatable("cloud metadata (AWS pods)"),
        "169.254.0.23/32": translatable("cloud metadata (Tencent)"),
        "169.254.10.10/32": translatable("cloud metadata (Tencent name server)"),
        "169.254.42.42/32": translatable("cloud metadata (Scaleway)"),
        "100.100.100.200/32": translatable("cloud metadata (Alibaba)"),
        "168.63.129.16/32": translatable("cloud metadata (Azure host)"),  # looks public
        "192.0.0.192/32": translatable("cloud metadata (Oracle)"),
        "fd00:ec2::254/128": translatable("cloud metadata (AWS)"),
        "fd00:ec2::253/128": translatable("cloud metadata (AWS name server)"),
        "fd00:ec2::123/128": translatable("cloud metadata (AWS time)"),
        "fd00:ec2::23/128": translatable("cloud metadata (AWS pods)"),
        "fd20:ce::254/128": translatable("cloud metadata (Google)"),
        "fd00:42::42/128": translatable("cloud metadata (Scaleway)"),
        "fd00:c1::a9fe:a9fe/128": translatable("cloud metadata (Oracle)"),
        "fe80::a9fe:a9fe/128": translatable("cloud metadata"),
    }
)

#: First match names an address. An allow list opens what it covers.
SPECIAL: Final = _table(
    {
        "0.0.0.0/8": translatable("this network"),
        "10.0.0.0/8": translatable("private network"),
        "100.64.0.0/10": translatable("carrier's shared network"),
        "127.0.0.0/8": translatable("this machine"),
        "169.254.0.0/16": translatable("link-local"),
        "172.16.0.0/12": translatable("private network"),
        "192.0.0.0/24": translatable("IETF protocol assignments"),
        "192.0.2.0/24": translatable("documentation"),
        "192.31.196.0/24": translatable("AS112 name service"),
        "192.52.193.0/24": translatable("multicast tunnel relay"),
        "192.88.99.0/24": translatable("6to4 relay"),
        "192.168.0.0/16": translatable("private network"),
        "192.175.48.0/24": translatable("AS112 name service"),
        "198.18.0.0/15": translatable("benchmarks"),
        "198.51.100.0/24": translatable("documentation"),
        "203.0.113.0/24": translatable("documentation"),
        "224.0.0.0/4": translatable("multicast"),
        "255.255.255.255/32": translatable("broadcast"),
        "240.0.0.0/4": translatable("reserved"),
        "::/128": translatable("unspecified"),
        "::1/128": translatable("this machine"),
        "::/96": translatable("IPv4-compatible"),
        "::ffff:0:0:0/96": translatable("IPv4-translated"),
        "64:ff9b:1::/48": translatable("local NAT64"),
        "100::/64": translatable("discard-only"),
        "100:0:0:1::/64": translatable("dummy prefix"),
        "2001::/32": translatable("Teredo"),
        "2001:2::/48": translatable("benchmarks"),
        "2001:3::/32": translatable("multicast tunnel relay"),
        "2001:4:112::/48": translatable("AS112 name service"),
        "2001:10::/28": translatable("ORCHID"),
        "2001:20::/28": translatable("ORCHIDv2"),
        "2001:30::/28": translatable("drone identities"),
        "2001::/23": translatable("IETF protocol assignments"),
        "2001:db8::/32": translatable("documentation"),
        "2002::/16": translatable("6to4"),
        "2620:4f:8000::/48": translatable("AS112 name service"),
        "3ffe::/16": translatable("6bone"),
        "3fff::/20": translatable("documentation"),
        "5f00::/16": translatable("segment routing"),
        "fc00::/7": translatable("private network"),
        "fe80::/10": translatable("link-local"),
        "fec0::/10": translatable("site-local"),
        "ff00::/8": translatable("multicast"),
        # Only 2000::/3 is handed out as global unicast; the rest is nobody's.
        "::/3": translatable("reserved"),
        "4000::/2": translatable("reserved"),
        "8000::/1": translatable("reserved"),
    }
)

_MAPPED: Final = ipaddress.IPv6Network("::ffff:0:0/96")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_TEREDO: Final = ipaddress.IPv6Network("2001::/32")
_SIX_TO_FOUR: Final = ipaddress.IPv6Network("2002::/16")
_LOCAL_NAT64: Final = ipaddress.IPv6Network("64:ff9b:1::/48")
_TAIL: Final = tuple(
    ipaddress.IPv6Network(text) for text in ("::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48")
)
_ISATAP: Final = (0x00005EFE, 0x02005EFE)  # RFC 5214 §6.1
_LOW: Final = 0xFFFFFFFF


def refusal(address: Address, allow: Sequence[Opened] = (), port: int = 0) -> str | None:
    """Name the special range that forbids connecting to `address` at `port`, or None.

    An IPv6 address that wraps an IPv4 address is as good as the worse of the
    two. `allow` opens special ranges, but never a metadata service.
    """
    for spelling in _meanings(address):
        for row in METADATA:
            if spelling in row.network:
                return row.name
        if not is_allowed(spelling, allow, port):
            for row in SPECIAL:
                if spelling in row.network:
                    return row.name
    return None


def is_allowed(address: Address, allow: Sequence[Opened], port: int = 0) -> bool:
    """Whether the operator's list covers `address`, as it is written, at `port`."""
    return any(
        address in opened.network and port == opened.port
        if isinstance(opened, NetworkPort)
        else address in opened
        for opened in allow
    )


def _meanings(address: Address) -> Iterator[Address]:
    """Every address a packet to `address` may end at."""
    if isinstance(address, ipaddress.IPv4Address):
        yield address
        return
    if address in _MAPPED or address in _NAT64:
        yield ipaddress.IPv4Address(int(address) & _LOW)
        return
    yield address
    yield from map(ipaddress.IPv4Address, _wrapped(address))


def _wrapped(address: ipaddress.IPv6Address) -> Iterator[int]:
    number = int(address)
    if address.is_loopback:  # RFC 4291 §2.5.3: no IPv4 address stands in it
        return
    if any(address in network for network in _TAIL):
        yield number & _LOW
    if address in _LOCAL_NAT64:  # RFC 6052 §2.2: bits 64 to 71 are left out
        yield (number >> 64 & 0xFFFF) << 16 | number >> 40 & 0xFFFF
    if address in _SIX_TO_FOUR:
        yield number >> 80 & _LOW
    if address in _TEREDO:  # RFC 4380 §4: the server, and the client inverted
        yield number >> 64 & _LOW
        yield ~number & _LOW
    if number >> 32 & _LOW in _ISATAP:
        yield number & _LOW
