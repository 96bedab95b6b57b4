"""Which methods and header lines an adapter may send: one rule for the border and the transport."""

import re
from typing import Final

METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
#: Headers that frame the message or name the host. The transport sets them.
FRAMING: Final = frozenset(
    "host content-length transfer-encoding connection keep-alive te trailer upgrade expect"
    " accept-encoding proxy-connection proxy-authorization http2-settings".split()
)

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e]*")


def is_name(text: str) -> bool:
    """Whether HTTP allows `text` as the name of a header."""
    return _NAME.fullmatch(text) is not None


def is_value(text: str) -> bool:
    """Whether `text` can be sent as the value of a header."""
    return _VALUE.fullmatch(text) is not None


def is_framing(name: str) -> bool:
    """Whether the transport sets the header `name`, in any case of letters."""
    return name.lower() in FRAMING
