"""Header lines: those of a request as they are sent, those of an answer as they are read."""

from app.outbound.result import Failure, Unsendable
from plugins.contract import Request, translatable
from plugins.kit.http_headers import is_framing, is_name, is_value


def to_send(request: Request) -> list[str]:
    """Return the header lines of `request`, and ours. Raises Unsendable."""
    lines = ["Accept-Encoding: identity"]
    seen = set()
    for name, value in request.headers.items():
        if not is_name(name) or not is_value(value):
            raise Unsendable(
                Failure.INVALID,
                translatable("header %(name)s is not one HTTP can carry", name=f"{name!r:.40}"),
            )
        if is_framing(name):
            raise Unsendable(
                Failure.INVALID,
                translatable("header %(name)s is not the adapter's to set", name=f"{name:.40}"),
            )
        seen.add(name.lower())
        lines.append(f"{name}: {value}" if value.strip() else f"{name};")
    if request.body or request.method == "POST":
        lines.append("Expect:")
        if "content-type" not in seen:
            lines.append("Content-Type:")  # or libcurl would call any body a form
    if request.idempotency_key and "idempotency-key" not in seen:
        if not is_value(request.idempotency_key):
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
