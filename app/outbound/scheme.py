"""http or https for a host: http inside the networks that the operator has opened."""

import ipaddress
import socket
from collections.abc import Sequence
from typing import Final

from app.config import Opened
from app.outbound.addresses import is_allowed
from plugins.kit.url_spelling import Address, AddressRefused, check_host, split

HTTP: Final = "http"
HTTPS: Final = "https"


def scheme_for(authority: str, allow: Sequence[Opened]) -> str:
    """The scheme for `authority`: http if every address of it lies in `allow`.

    `authority` is a host or host:port. A name is only looked up if the operator
    has opened a network, so only then may this wait for a name server. Call it
    without holding a database connection. It opens no address: the guard checks
    again the address that is connected to.
    """
    if not allow:
        return HTTPS
    try:
        host, port = split(f"{HTTPS}://{authority}/")
        literal = check_host(host.lower(), port)
    except AddressRefused:
        return HTTPS
    addresses = [literal] if literal else _look_up(host, port)
    inside = bool(addresses) and all(is_allowed(address, allow, port) for address in addresses)
    return HTTP if inside else HTTPS


def _look_up(host: str, port: int) -> list[Address]:
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [ipaddress.ip_address(str(target[0]).partition("%")[0]) for *_, target in answers]
