"""CORS: pages of the origins that the operator names may call the API with a key, and no cookie."""

from collections.abc import Collection
from http import HTTPStatus
from typing import Final

from flask import Flask, Response, current_app, request

from app.config import current_settings

API: Final = "/api/"
#: For which a browser remembers that it may call.
PREFLIGHT_SECONDS: Final = 600


def register(app: Flask) -> None:
    """Answer the preflights of named origins, and let their pages read what the API answers."""
    app.before_request(_preflight)
    app.after_request(_allow)


def _preflight() -> Response | None:
    asks = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
    if not asks or not _origin():
        return None
    response = current_app.response_class(status=HTTPStatus.NO_CONTENT)
    response.headers["Access-Control-Allow-Methods"] = "GET, POST"
    response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
    response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
    return response


def _allow(response: Response) -> Response:
    origins, origin = current_settings().cors_origins, request.headers.get("Origin", "")
    for name, value in headers_for(request.path, origin, origins):
        if name == "Vary":
            response.vary.add(value)
        else:
            response.headers[name] = value
    return response


def headers_for(path: str, origin: str, origins: Collection[str]) -> list[tuple[str, str]]:
    """Return what an answer needs for pages of named `origins`; `origin` is who asks."""
    if not origins or not path.startswith(API):
        return []
    if origin not in origins:
        return [("Vary", "Origin")]
    return [
        ("Vary", "Origin"),
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Expose-Headers", "Content-Disposition, Retry-After"),
    ]


def _origin() -> str:
    """The origin of the page that calls the API, if the operator named it; else ""."""
    origin = request.headers.get("Origin", "")
    is_named = request.path.startswith(API) and origin in current_settings().cors_origins
    return origin if is_named else ""
