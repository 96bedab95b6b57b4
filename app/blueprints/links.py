"""The link in an ad: /c/<source>. Real HTTP statuses, and pages for people."""

import secrets
import time
from http import HTTPStatus
from typing import Final

from flask import Blueprint, Response, make_response, redirect, render_template, request

from app.config import current_settings
from app.domain.clicks import telegram_addresses
from app.domain.clicks.marks import read_mark
from app.domain.clicks.page_visit import MAX_AGENT, MAX_REFERRER, host_and_path
from app.domain.clicks.previews import is_preview, wants_no_tracking
from app.domain.storable_text import sanitize
from app.errors import NotFound, TooManyRequests
from app.services.clicks.open_link import PageLink, Target, Visitor, open_link
from app.services.clicks.visits import Reporter
from app.web.auth import caller_address, public
from app.web.country import caller_country
from app.web.shares.addresses import network_of

blueprint = Blueprint("links", __name__)

COOKIE: Final = "gp_v"
COOKIE_SECONDS: Final = 90 * 86_400
#: Nothing may run or be loaded in our pages, and they need no style of their own.
POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@blueprint.get("/c/<code>", strict_slashes=False)  # some ad systems close an address
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
    if target.bridge or request.args.get("bridge") == "1":
        response = _bridge(target)
    else:
        response = _private(make_response(redirect(target.link, HTTPStatus.FOUND)))
        response.set_data(b"")
    if target.mark:
        secure = current_settings().public_url.startswith("https:")
        response.set_cookie(
            COOKIE, target.mark, COOKIE_SECONDS, secure=secure, httponly=True, samesite="Lax"
        )
    return response


def _visitor() -> Visitor:
    reporter = caller_reporter()
    return Visitor(
        network_of(reporter.address),
        "" if reporter.is_anonymous else read_mark(request.cookies.get(COOKIE, "")),
        sanitize(host_and_path(request.headers.get("Referer", "")), MAX_REFERRER),
        is_anonymous=reporter.is_anonymous,
        is_preview=is_preview(request.method, _headers()),
        country=reporter.country,
        page=_page_link(reporter),
    )


def caller_reporter() -> Reporter:
    """Return what this request tells of its browser."""
    return Reporter(
        caller_address(),
        sanitize(request.headers.get("User-Agent", ""), MAX_AGENT),
        caller_country(),
        wants_no_tracking(_headers()),
    )


def _headers() -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _page_link(reporter: Reporter) -> PageLink | None:
    """Return what our script put into the query of the link, or None."""
    mark = read_mark(request.args.get("v", ""))
    if not mark:
        return None
    consent = {"1": True, "0": False}.get(request.args.get("consent", ""))
    return PageLink(mark, request.args.get("site", ""), consent, reporter)


def _page(target: Target | None, status: HTTPStatus) -> Response:
    response = make_response(render_template("link.html", target=target), status)
    response.headers["Content-Security-Policy"] = POLICY
    return _private(response)


def _bridge(target: Target) -> Response:
    """A page with a button, for apps that follow no redirect to Telegram.

    The one script in it is known by its nonce.
    """
    nonce = secrets.token_urlsafe(16)
    addresses = telegram_addresses.of_link(target.link)
    page = render_template("bridge.html", target=target, addresses=addresses, nonce=nonce)
    response = make_response(page)
    response.headers["Content-Security-Policy"] = f"{POLICY}; script-src 'nonce-{nonce}'"
    return _private(response)


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
