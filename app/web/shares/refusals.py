"""Answers `rate` to requests for which there is no room, without Flask.

Refusing must cost next to nothing: whoever is refused comes in hundreds at once, and each of
Telegram's updates waits behind all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

import orjson

from app.errors import TooManyRequests
from app.web import adtarget_errors, cross_origin

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

RETRY_SECONDS: Final = 1


class _Refusal(NamedTuple):
    status: str
    kind: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


_ERROR: Final = TooManyRequests(RETRY_SECONDS)
_LIMITED: Final = "429 TOO MANY REQUESTS"
_JSON: Final = "application/json"
#: What a path begins with, and what is answered below it: the first that fits.
_BY_BEGINNING: Final[tuple[tuple[str, _Refusal], ...]] = (
    # Whether the process lives may always be asked: without an answer it is ended.
    ("/healthz", _Refusal("200 OK", _JSON, orjson.dumps({"status": "ok"}))),
    (
        adtarget_errors.PREFIX,
        _Refusal(
            _LIMITED,
            _JSON,
            adtarget_errors.body_of(_ERROR, _ERROR.message),
            (("Access-Control-Allow-Origin", "*"),),
        ),
    ),
    # A payment gateway reads the status, and pushes again.
    ("/api/pay/acp", _Refusal(_LIMITED, _JSON, orjson.dumps(_ERROR.as_body(_ERROR.message)))),
    (cross_origin.API, _Refusal("200 OK", _JSON, orjson.dumps(_ERROR.as_body(_ERROR.message)))),
    ("", _Refusal(_LIMITED, "text/plain", f"{_ERROR.message}\n".encode())),
)


class Refusals:
    """A WSGI application that refuses every request. Pages of `origins` may read its answers."""

    def __init__(self, origins: Collection[str] = ()) -> None:
        self._origins = origins

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request, in the shape that errors have below its path."""
        path: str = environ.get("PATH_INFO", "")
        refusal = next(answer for beginning, answer in _BY_BEGINNING if path.startswith(beginning))
        headers = [
            ("Content-Type", refusal.kind),
            ("Content-Length", str(len(refusal.body))),
            ("Retry-After", str(RETRY_SECONDS)),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            *refusal.headers,
            *cross_origin.headers_for(path, environ.get("HTTP_ORIGIN", ""), self._origins),
        ]
        start_response(refusal.status, headers)
        return [refusal.body]
