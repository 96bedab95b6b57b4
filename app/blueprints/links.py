"""The link in an ad: /c/<source>. Real HTTP statuses, and pages for people."""

from __future__ import annotations

import re
import time
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request

from app.config import current_settings
from app.domain.clicks.previews import is_preview, wants_no_tracking
from app.domain.storable_text import sanitize
from app.errors import NotFound, TooManyRequests
from app.services.clicks.open_link import Target, Visitor, open_link
from app.web.auth import caller_network, public

blueprint = Blueprint("links", __name__)

COOKIE: Final = "gp_v"
COOKIE_SECONDS: Final = 90 * 86_400
MAX_REFERRER: Final = 512
_MARK: Final = re.compile(r"[A-Za-z0-9]{22}")
#: Nothing may run or be loaded in our pages, and they need no style of their own.
POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@blueprint.get("/c/<code>")
@public
def visit(code: str) -> Response:
    """Record a click and lead on to Telegram. Who only looks at the link gets a page."""
    visitor = _visitor()
    try:
        target = open_link(code, request.query_string, visitor, time.time())
    except NotFound:
        return _page(None, HTTPStatus.NOT_FOUND)
    except TooManyRequests as error:
        response = _page(None, HTTPStatus.TOO_MANY_REQUESTS)
        response.headers["Retry-After"] = str(error.extra["retry_after"])
        return response
    if visitor.is_preview:
        return _page(target, HTTPStatus.OK)
    response = _private(make_response(redirect(target.link, HTTPStatus.FOUND)))
    response.set_data(b"")
    if target.mark:
        secure = current_settings().public_url.startswith("https:")
        response.set_cookie(
            COOKIE, target.mark, COOKIE_SECONDS, secure=secure, httponly=True, samesite="Lax"
        )
    return response


def _visitor() -> Visitor:
    headers = {name.lower(): value for name, value in request.headers.items()}
    anonymous = wants_no_tracking(headers)
    mark = request.cookies.get(COOKIE, "")
    return Visitor(
        caller_network(),
        mark if _MARK.fullmatch(mark) and not anonymous else "",
        _referrer(),
        is_anonymous=anonymous,
        is_preview=is_preview(request.method, headers),
    )


def _referrer() -> str:
    """Host and path of the page that the visitor comes from; its query may tell of a person."""
    try:
        parts = urlsplit(request.headers.get("Referer", ""))
        host = parts.hostname or ""
    except ValueError:
        return ""
    return sanitize(f"{host}{parts.path}", MAX_REFERRER) if host else ""


def _page(target: Target | None, status: HTTPStatus) -> Response:
    response = make_response(render_template("link.html", target=target), status)
    response.headers["Content-Security-Policy"] = POLICY
    return _private(response)


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
