"""Which addresses the outside world is: one table, asked for every connection.

`ipaddress.is_global` is not used: its answer changes with the Python version,
and it lets 6to4, NAT64 and other wrappings of private addresses through.

Sources: the IANA special-purpose registries for IPv4 and IPv6
(https://www.iana.org/assignments/iana-ipv4-special-registry and
https://www.iana.org/assignments/iana-ipv6-special-registry), RFC 5771 and
RFC 4291 for multicast, and the vendors' pages for metadata services.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.config import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


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
        "169.254.169.254/32": "cloud metadata",  # AWS, Azure, Google, DigitalOcean, Hetzner, ...
        "169.254.169.253/32": "cloud metadata (AWS name server)",
        "169.254.169.123/32": "cloud metadata (AWS time)",
        "169.254.170.2/32": "cloud metadata (AWS containers)",
        "169.254.170.23/32": "cloud metadata (AWS pods)",
        "169.254.0.23/32": "cloud metadata (Tencent)",
        "169.254.10.10/32": "cloud metadata (Tencent name server)",
        "169.254.42.42/32": "cloud metadata (Scaleway)",
        "100.100.100.200/32": "cloud metadata (Alibaba)",
        "168.63.129.16/32": "cloud metadata (Azure host)",  # a public address, by its looks
        "192.0.0.192/32": "cloud metadata (Oracle)",
        "fd00:ec2::254/128": "cloud metadata (AWS)",
        "fd00:ec2::253/128": "cloud metadata (AWS name server)",
        "fd00:ec2::123/128": "cloud metadata (AWS time)",
        "fd00:ec2::23/128": "cloud metadata (AWS pods)",
        "fd20:ce::254/128": "cloud metadata (Google)",
        "fd00:42::42/128": "cloud metadata (Scaleway)",
        "fd00:c1::a9fe:a9fe/128": "cloud metadata (Oracle)",
        "fe80::a9fe:a9fe/128": "cloud metadata",
    }
)

#: First match names an address. An allow list opens what it covers.
SPECIAL: Final = _table(
    {
        "0.0.0.0/8": "this network",
        "10.0.0.0/8": "private network",
        "100.64.0.0/10": "carrier's shared network",
        "127.0.0.0/8": "this machine",
        "169.254.0.0/16": "link-local",
        "172.16.0.0/12": "private network",
        "192.0.0.0/24": "IETF protocol assignments",
        "192.0.2.0/24": "documentation",
        "192.31.196.0/24": "AS112 name service",
        "192.52.193.0/24": "multicast tunnel relay",
        "192.88.99.0/24": "6to4 relay",
        "192.168.0.0/16": "private network",
        "192.175.48.0/24": "AS112 name service",
        "198.18.0.0/15": "benchmarks",
        "198.51.100.0/24": "documentation",
        "203.0.113.0/24": "documentation",
        "224.0.0.0/4": "multicast",
        "255.255.255.255/32": "broadcast",
        "240.0.0.0/4": "reserved",
        "::/128": "unspecified",
        "::1/128": "this machine",
        "::/96": "IPv4-compatible",
        "::ffff:0:0:0/96": "IPv4-translated",
        "64:ff9b:1::/48": "local NAT64",
        "100::/64": "discard-only",
        "100:0:0:1::/64": "dummy prefix",
        "2001::/32": "Teredo",
        "2001:2::/48": "benchmarks",
        "2001:3::/32": "multicast tunnel relay",
        "2001:4:112::/48": "AS112 name service",
        "2001:10::/28": "ORCHID",
        "2001:20::/28": "ORCHIDv2",
        "2001:30::/28": "drone identities",
        "2001::/23": "IETF protocol assignments",
        "2001:db8::/32": "documentation",
        "2002::/16": "6to4",
        "2620:4f:8000::/48": "AS112 name service",
        "3ffe::/16": "6bone",
        "3fff::/20": "documentation",
        "5f00::/16": "segment routing",
        "fc00::/7": "private network",
        "fe80::/10": "link-local",
        "fec0::/10": "site-local",
        "ff00::/8": "multicast",
        # Only 2000::/3 is handed out as global unicast; the rest is nobody's.
        "::/3": "reserved",
        "4000::/2": "reserved",
        "8000::/1": "reserved",
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


def is_public(address: Address) -> bool:
    """Whether `address` belongs to the public internet."""
    return refusal(address) is None


def refusal(address: Address, allow: Sequence[Network] = ()) -> str | None:
    """Name the special range that forbids connecting to `address`, or None.

    An IPv6 address that wraps an IPv4 address is as good as the worse of the
    two. `allow` opens special ranges, but never a metadata service.
    """
    for spelling in _meanings(address):
        for row in METADATA:
            if spelling in row.network:
                return row.name
        if not is_allowed(spelling, allow):
            for row in SPECIAL:
                if spelling in row.network:
                    return row.name
    return None


def is_allowed(address: Address, allow: Sequence[Network]) -> bool:
    """Whether the operator's list covers `address` as it is written."""
    return any(address in network for network in allow)


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
