"""Who calls, for counting: the peer, or whom a proxy that the operator names tells of."""

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from app.config import Network

#: Of X-Forwarded-For so much is read, from its end: what came before was written by strangers.
LONGEST: Final = 1000


def network_of(address: str) -> str:
    """By what strangers are counted: of IPv6 the /64, which one caller has whole."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def address_of(environ: Mapping[str, Any], proxies: tuple[Network, ...]) -> str:
    """Return the address of the client that sent this request, as `_address_behind` judges it."""
    forwarded: str = environ.get("HTTP_X_FORWARDED_FOR") or ""
    return _address_behind(environ.get("REMOTE_ADDR") or "", forwarded[-LONGEST:], proxies)


def sharer_behind(peer: str, forwarded: str, proxies: tuple[Network, ...]) -> str:
    """Return by what the client is counted: of IPv6 the network, which one client has whole."""
    return _sharer_behind(peer, forwarded[-LONGEST:], proxies)


@lru_cache(maxsize=4096)
def _sharer_behind(peer: str, forwarded: str, proxies: tuple[Network, ...]) -> str:
    """As `sharer_behind`. It keeps what it is asked, so it is asked nothing long."""
    return network_of(_address_behind(peer, forwarded, proxies))


def _address_behind(peer: str, forwarded: str, proxies: tuple[Network, ...]) -> str:
    """Return who is behind the `peer` of a connection.

    Every proxy appends the address that it saw to X-Forwarded-For. So the list is read from
    its end for as long as the address that wrote an entry is a named proxy; what stands
    further to the left was written by the caller.
    """
    address = peer
    for entry in reversed(forwarded.split(",")):
        try:
            if not any(ipaddress.ip_address(address) in network for network in proxies):
                break
            address = str(ipaddress.ip_address(entry.strip()))
        except ValueError:
            break
    return address
