"""v1/*: AdTarget's API, for programs that were written for it. Real HTTP statuses.

Errors have AdTarget's shape, see `app.web.adtarget_errors`.
"""

import time
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import orjson
from flask import Blueprint, Response, current_app, g

from app.blueprints.visits import named, reporter
from app.crypto import cipher
from app.schemas.adtarget import Conversion, Fbp, Invite, LeadEvent, LeadGet, Value, Visit
from app.services.clicks import page_link, visits
from app.services.clicks.owner import scope
from app.services.conversions import adtarget, idempotency
from app.services.conversions.idempotency import Answered
from app.web.adtarget_errors import PREFIX
from app.web.auth import api_key, public
from app.web.decorators import Params, takes
from app.web.idempotency import REPLAY, answer_of, idempotency_key

blueprint = Blueprint("adtarget", __name__, url_prefix=PREFIX.rstrip("/"))

PREFLIGHT_SECONDS: Final = 600
ALLOWED_HEADERS: Final = (
    "Authorization, Content-Type, Idempotency-Key, X-Adtarget-Client-IP, "
    "X-Adtarget-Client-User-Agent"
)
TEMP_COOKIE: Final = {"name": "adtarget_temp_id", "maxAge": 31_536_000, "sameSite": "Lax"}
SESSION_COOKIE: Final = {"name": "adtarget_session_id", "maxAge": 1800, "sameSite": "Lax"}


@blueprint.post("/events/visit")
@api_key
@takes(Visit)
def visit(params: Params) -> Response:
    """Report a visitor of a page. Without `tempId` a new one is made.

    Address and browser are kept only where the site captures them.
    """
    site = scope.find_site(g.account.id, params)
    body = {**named(params), "source": scope.find_source(g.account.id, site, params)}
    replayed = _is_repeated("visit", params)
    body["tempId"] = params.get("temp_id") or _new_temp_id()
    ids = visits.report(g.account.id, site, body, reporter(params))
    answer = {
        "visitId": ids.visit,
        "sessionId": ids.session,
        "tempId": ids.temp,
        "clientSessionId": ids.session,
        "cookies": {
            "tempId": {**TEMP_COOKIE, "value": ids.temp},
            "session": {**SESSION_COOKIE, "value": ids.session},
        },
    }
    return _json(Answered(answer, replayed))


@blueprint.post("/events/update-fbp")
@api_key
@takes(Fbp)
def update_fbp(params: Params) -> Response:
    """Add the fbp that a pixel set late to the newest visit of a browser within a day."""
    replayed = _is_repeated("fbp", params)
    success = visits.add_fbp(None, g.account.id, params["temp_id"], params["fbp"])
    return _json(Answered({"success": success}, replayed))


@blueprint.post("/events/invite")
@api_key
@takes(Invite)
def invite(params: Params) -> Response:
    """Take the link of a visitor, which counts as a press. `channelId` names another channel."""
    site = scope.find_site(g.account.id, params)
    source = scope.find_source(g.account.id, site, params)
    replayed = _is_repeated("invite", params)
    temp_id = params.get("temp_id") or _new_temp_id()
    visitor = {"source": source, "tempId": temp_id, "consent": params.get("consent")}
    target = page_link.make(g.account.id, site, visitor, reporter(params))
    answer = {
        "inviteLink": target.link,
        "link": target.link,
        "kind": target.kind,
        "expiresAt": 1000 * target.expires or None,
        "tempId": temp_id,
    }
    return _json(Answered(answer, replayed))


@blueprint.post("/events/conversion")
@api_key
@takes(Conversion)
def conversion(params: Params) -> Response:
    """Report an event of a person. Who is not known yet is waited for, 30 days."""
    person, key = params.pop("telegram_user_id"), idempotency_key()
    return _json(adtarget.report(g.account.id, person, params, time.time(), key=key))


@blueprint.get("/leads/<int:telegram_user_id>")
@api_key
@takes(LeadGet)
def lead(params: Params, telegram_user_id: int) -> Response:
    """A person and the last 100 events."""
    channel = params.get("channel_id", "")
    return _json(Answered(adtarget.lead(g.account.id, _known(telegram_user_id), channel)))


@blueprint.post("/leads/<int:telegram_user_id>/events")
@api_key
@takes(LeadEvent)
def lead_event(params: Params, telegram_user_id: int) -> Response:
    """Report an event of a person who is known."""
    now, key, person = time.time(), idempotency_key(), _known(telegram_user_id)
    return _json(adtarget.report(g.account.id, person, params, now, key=key, must_be_known=True))


@blueprint.post("/leads/<int:telegram_user_id>/conversions/<conversion_id>/value")
@api_key
@takes(Value)
def value(params: Params, telegram_user_id: int, conversion_id: str) -> Response:
    """Set or correct the value of an event; its trackers hear of it under the same key."""
    now, key, person = time.time(), idempotency_key(), _known(telegram_user_id)
    return _json(adtarget.set_value(g.account.id, person, conversion_id, params, now, key=key))


@blueprint.route("/<path:path>", methods=["OPTIONS"])
@public
def preflight(path: str) -> Response:  # noqa: ARG001 - all paths are answered alike
    """Tell a browser that pages of any host may call, with a key."""
    response = current_app.response_class(status=HTTPStatus.NO_CONTENT)
    response.headers["Access-Control-Allow-Methods"] = "GET, POST"
    response.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
    response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
    return response


@blueprint.after_request
def let_pages_read(response: Response) -> Response:
    """Let a page of any host read the answer: no cookie of ours opens this API."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = f"{REPLAY}, Retry-After"
    return response


def _is_repeated(call: str, params: Mapping[str, Any]) -> bool:
    """Whether this call, which does no harm when it is done again, came under its key before."""
    request = {call: dict(params)}
    return idempotency.note(g.account.id, idempotency_key(), request, time.time())


def _new_temp_id() -> str:
    """A new UUID; of a call that is repeated under one key it is the same."""
    if not (key := idempotency_key()):
        return str(uuid.uuid4())
    number = cipher.visit_number(f"idempotency:{g.account.id}:{key}")
    return str(uuid.UUID(int=number, version=4))


def _known(telegram_user_id: int) -> int:
    """The id, or one that nobody has where the database could hold none so large."""
    return min(telegram_user_id, 2**63 - 1)


def _json(answered: Answered) -> Response:
    body = orjson.dumps(answer_of(answered))
    return current_app.response_class(body, mimetype="application/json")
