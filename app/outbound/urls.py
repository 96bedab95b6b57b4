"""Which URLs may be called: their spelling, then the operator's list; before any network.

The spelling is judged by the rule that settings and the adapters' border have as well.
"""

import functools
from collections.abc import Sequence

from app.config import Opened
from app.outbound.addresses import is_allowed, refusal
from plugins.contract import translatable
from plugins.kit.url_spelling import AddressRefused, check_host, check_port, split


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


@functools.lru_cache(maxsize=4096)
def _reason(host: str, port: int, allow: tuple[Opened, ...]) -> str:
    """Why `host` and `port` are refused, or "". Remembered: it is asked for every request."""
    try:
        address = check_host(host, port)
        if address and (forbidden := refusal(address, allow, port)):
            return translatable(
                "%(host)s is not on the public internet (%(forbidden)s)",
                host=host,
                forbidden=forbidden,
            )
        if not (address and is_allowed(address, allow, port)):
            check_port(port)
    except AddressRefused as error:
        return error.reason
    return ""
