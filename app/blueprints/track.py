"""/t.js and /track/*: what a customer's pages load and tell. Real HTTP statuses, no key.

A page may only write, and only from a host that its site names: the browser says by Origin
where it is. Nothing here tells anything about anyone.
"""

import gzip
import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson
from flask import Blueprint, Response, current_app, request

from app.blueprints.links import caller_reporter
from app.domain.clicks.origins import is_allowed, origin_host
from app.errors import BadParameter, NotFound, TooManyRequests
from app.schemas.parsing import UnreadableBody, parse_object
from app.services.clicks import lookup, page_link, visits
from app.services.clicks.lookup import KnownSite
from app.services.clicks.open_link import Target
from app.web.auth import caller_network, public

blueprint = Blueprint("track", __name__)

MAX_BODY: Final = 8192
SCRIPT: Final = Path(__file__).parents[1] / "templates" / "t.js"
SCRIPT_SECONDS: Final = 3600
PREFLIGHT_SECONDS: Final = 600
#: What only a server with a key may say of somebody else; of a browser we see it ourselves.
_SERVERS_WORD: Final = ("clientIp", "userAgent", "country", "city")
TEMP_COOKIE: Final = {"name": "gp_v", "maxAge": 90 * 86_400, "sameSite": "Lax"}
SESSION_COOKIE: Final = {"name": "gp_s", "maxAge": 1800, "sameSite": "Lax"}


class _Refused(Exception):
    """The request is answered with this status and the error `code`."""

    def __init__(self, status: HTTPStatus, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


class _Script(NamedTuple):
    plain: bytes
    packed: bytes
    tag: str


@blueprint.get("/t.js")
@public
def script() -> Response:
    """The script of landing pages. It is the same for all of them."""
    source = _script()
    is_packed = "gzip" in request.headers.get("Accept-Encoding", "")
    response = current_app.response_class(
        source.packed if is_packed else source.plain, mimetype="text/javascript"
    )
    response.headers["Cache-Control"] = f"public, max-age={SCRIPT_SECONDS}"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if is_packed:
        response.headers["Content-Encoding"] = "gzip"
    response.set_etag(f"{source.tag}-{'gz' if is_packed else 'js'}")
    response.make_conditional(request)
    return response


@blueprint.route("/track/visit", methods=["POST", "OPTIONS"])
@public
def visit() -> Response:
    """A page reports a visitor."""
    return _answer(_visit)


@blueprint.route("/track/fbp", methods=["POST", "OPTIONS"])
@public
def fbp() -> Response:
    """A page reports the fbp that its pixel has set late."""
    return _answer(_fbp)


@blueprint.route("/track/invite", methods=["GET", "OPTIONS"])
@public
def invite() -> Response:
    """A page asks for the link of its visitor, which counts as a press."""
    return _answer(_invite)


def _visit() -> Mapping[str, object]:
    body, site = _told()
    visits.BY_SITE.hit(str(site.id))
    body = {name: value for name, value in body.items() if name not in _SERVERS_WORD}
    ids = visits.report(site.account_id, site, body, caller_reporter())
    return visit_answer(ids)


def visit_answer(ids: visits.VisitIds) -> Mapping[str, object]:
    """Return the ids of a visit in the shape of AdTarget's API."""
    return {
        "visitId": ids.visit,
        "tempId": ids.temp,
        "sessionId": ids.session,
        "clientSessionId": ids.session,
        "cookies": {
            "tempId": {"value": ids.temp, **TEMP_COOKIE},
            "session": {"value": ids.session, **SESSION_COOKIE},
        },
        "names": ids.names,
    }


def _fbp() -> Mapping[str, object]:
    body, site = _told()
    visits.BY_SITE.hit(str(site.id))
    temp, value = body.get("tempId"), body.get("fbp")
    is_text = isinstance(temp, str) and isinstance(value, str)
    return {"success": is_text and visits.add_fbp(site, site.account_id, str(temp), str(value))}


def _invite() -> Mapping[str, object]:
    visits.BY_ADDRESS.hit(caller_network())
    site = _allowed_site(request.args.get("site", ""))
    visits.BY_SITE.hit(str(site.id))
    consent = {"1": True, "0": False}.get(request.args.get("consent", ""))
    names = {name: request.args.get(name, "") for name in ("source", "tempId")}
    return invite_answer(
        page_link.make(site.account_id, site, {**names, "consent": consent}, caller_reporter())
    )


def invite_answer(target: Target) -> Mapping[str, object]:
    """Return a link as `track/invite` tells it; a link that starts the bot does not expire."""
    return {"link": target.link, "expires": target.expires or None, "kind": target.kind}


def _told() -> tuple[dict[str, Any], KnownSite]:
    """Return the body and the site that it is about. Raises _Refused or what parsing raises.

    A body is judged before it is read: by its length, the address and the Origin, and by the
    site where the query names it, as our script does.
    """
    visits.BY_ADDRESS.hit(caller_network())
    if not origin_host(request.headers.get("Origin", "")):
        raise _Refused(HTTPStatus.FORBIDDEN, "origin")
    if request.content_length is None:
        raise _Refused(HTTPStatus.LENGTH_REQUIRED, "size")
    if request.content_length > MAX_BODY:
        raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "size")
    named = request.args.get("site", "")
    site = _allowed_site(named) if named else None
    body = parse_object(request.get_data())
    return body, site or _allowed_site(str(body.get("site", "")))


def _allowed_site(public_id: str) -> KnownSite:
    """Return the site if the page that calls is one of its own; raises _Refused alike if not."""
    site = lookup.find_site(public_id)
    host = origin_host(request.headers.get("Origin", ""))
    if site is None or not host or not is_allowed(host, site.domains):
        raise _Refused(HTTPStatus.FORBIDDEN, "origin")
    return site


def _answer(view: Callable[[], Mapping[str, object]]) -> Response:
    """Answer a page of another host: preflights, faults as HTTP statuses, and CORS."""
    status, body, wait = HTTPStatus.OK, {}, 0
    if request.method == "OPTIONS":
        return _crossed(current_app.response_class(status=HTTPStatus.NO_CONTENT), preflight=True)
    try:
        body = dict(view())
    except _Refused as refused:
        status, body = refused.status, {"error": refused.code}
    except TooManyRequests as error:
        wait = int(str(error.extra["retry_after"]))
        status, body = HTTPStatus.TOO_MANY_REQUESTS, {"error": error.code}
    except NotFound:
        status, body = HTTPStatus.NOT_FOUND, {"error": "source"}
    except BadParameter as error:
        status, body = HTTPStatus.BAD_REQUEST, {"error": error.field or error.code}
    except UnreadableBody as error:
        status, body = HTTPStatus.BAD_REQUEST, {"error": error.code}
    response = current_app.response_class(
        orjson.dumps(body), status=status, mimetype="application/json"
    )
    if wait:
        response.headers["Retry-After"] = str(wait)
    return _crossed(response)


def _crossed(response: Response, *, preflight: bool = False) -> Response:
    """Let the page that called read the answer, unless it may not call."""
    response.headers["Vary"] = "Origin"
    origin = request.headers.get("Origin", "")
    if response.status_code == HTTPStatus.FORBIDDEN or not origin_host(origin):
        return response
    response.headers["Access-Control-Allow-Origin"] = origin
    if preflight:
        response.headers["Access-Control-Allow-Methods"] = "GET, POST"
        response.headers["Access-Control-Allow-Headers"] = "Content-Type"
        response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
    return response


@cache
def _script() -> _Script:
    plain = SCRIPT.read_bytes()
    return _Script(plain, gzip.compress(plain, 9, mtime=0), hashlib.sha256(plain).hexdigest()[:16])
