"""Header lines: those of a request as they are sent, those of an answer as they are read."""

from __future__ import annotations

import re
from typing import Final

from app.outbound.result import Failure, Unsendable
from plugins.contract import Request, translatable

#: Ours to set: they frame the message or name the host.
FRAMING: Final = frozenset(
    "host content-length transfer-encoding connection keep-alive te trailer upgrade expect"
    " accept-encoding proxy-connection proxy-authorization http2-settings".split()
)

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e]*")


def to_send(request: Request) -> list[str]:
    """Return the header lines of `request`, and ours. Raises Unsendable."""
    lines = ["Accept-Encoding: identity"]
    seen = set()
    for name, value in request.headers.items():
        lower = name.lower()
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise Unsendable(
                Failure.INVALID,
                translatable("header %(name)s is not one HTTP can carry", name=f"{name!r:.40}"),
            )
        if lower in FRAMING:
            raise Unsendable(
                Failure.INVALID,
                translatable("header %(name)s is not the adapter's to set", name=f"{name:.40}"),
            )
        seen.add(lower)
        lines.append(f"{name}: {value}" if value.strip() else f"{name};")
    if request.body or request.method == "POST":
        lines.append("Expect:")
        if "content-type" not in seen:
            lines.append("Content-Type:")  # or libcurl would call any body a form
    if request.idempotency_key and "idempotency-key" not in seen:
        if not _VALUE.fullmatch(request.idempotency_key):
            raise Unsendable(
                Failure.INVALID, translatable("the idempotency key is not one HTTP can carry")
            )
        lines.append(f"Idempotency-Key: {request.idempotency_key}")
    return lines


def received(lines: list[bytes]) -> dict[str, str] | None:
    """Return names in lower case and values, without interim answers and trailers.

    None if the connection closed before the headers were complete: libcurl lets
    that pass.
    """
    headers: dict[str, str] = {}
    is_open = True
    for line in lines:
        if line.startswith(b"HTTP/"):
            headers, is_open = {}, True
        elif line in (b"\r\n", b"\n"):
            is_open = False
        elif is_open:
            name, _, value = line.decode("latin-1").partition(":")
            name, value = name.strip().lower(), value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return None if is_open else headers
