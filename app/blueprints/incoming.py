"""/in/<key>: other servers tell of conversions. Real HTTP statuses, and text."""

import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, Response, make_response, request

from app.domain.conversions import dialects
from app.domain.conversions.report import InvalidReport
from app.errors import ApiError, NotFound, TooManyRequests
from app.schemas.parsing import parse_object, parse_pairs
from app.services.accounts import rate_limits
from app.services.conversions import keys
from app.services.conversions.keys import ActiveKey
from app.services.conversions.people import Sender
from app.services.conversions.reception import CALLS_OF_ACCOUNT, CALLS_OF_ADDRESS, CALLS_OF_KEY
from app.services.conversions.record import record
from app.web.auth import caller_address, caller_network, public

blueprint = Blueprint("incoming", __name__)

MAX_BODY: Final = 16 * 1024
#: Whole numbers below are exact as floats.
EXACT: Final = 2**53
#: Names of ids that tell two events, or two people, apart.
IDS: Final = frozenset(dialects.NAMES["tid"] + dialects.NAMES["click"])
SIGNATURE: Final = "X-Gatepost-Signature"


class Refused(Exception):
    """A call is not taken: `status` and a text for whoever reads their log."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


@blueprint.route("/in/<key>", methods=["GET", "POST"])
@public
def take(key: str) -> Response:
    """Record a conversion. Its names are those of `events/add`, or a common sender's."""
    try:
        return _text(HTTPStatus.OK, _take(key))
    except Refused as refused:
        return _text(refused.status, refused.reason)
    except TooManyRequests as error:
        response = _text(HTTPStatus.TOO_MANY_REQUESTS, "too many calls; try again")
        response.headers["Retry-After"] = str(error.extra["retry_after"])
        return response


def _take(key: str) -> str:
    """The text of a success. Raises Refused or TooManyRequests."""
    CALLS_OF_ADDRESS.hit(caller_network())
    now = time.time()
    event_key = _find(key, now)
    params = _params(event_key)
    CALLS_OF_KEY.hit(str(event_key.id))  # whoever may not use it does not use it up
    CALLS_OF_ACCOUNT.hit(str(event_key.account_id))
    if request.method == "HEAD":  # somebody looks whether the address is there
        return "ok"
    try:
        report = dialects.read(params, event_key.currency)
    except InvalidReport as error:
        raise Refused(HTTPStatus.BAD_REQUEST, str(error)) from error
    sender = Sender(event_key.account_id, event_key.id, event_key.campaign_id)
    try:
        recorded = record(sender, report, now)
    except NotFound as error:
        raise Refused(HTTPStatus.NOT_FOUND, "no such lead") from error
    notes = [] if recorded.is_new else ["it was there already"]
    if report.lacks_tid:
        notes.append("it has no tid, so an equal event would count once")
    return f"ok: {'; '.join(notes)}" if notes else "ok"


def _find(key: str, now: float) -> ActiveKey:
    """The key, if this caller may use it. Nothing of the body has been read."""
    try:
        event_key = keys.find(key, now)
    except NotFound as error:
        rate_limits.ANONYMOUS.hit(caller_network())
        raise Refused(HTTPStatus.NOT_FOUND, "no such key") from error
    if not event_key.lets_in(caller_address()):
        raise Refused(HTTPStatus.FORBIDDEN, "this address may not use the key")
    if event_key.is_suspended:
        raise Refused(HTTPStatus.FORBIDDEN, "the account is suspended")
    return event_key


def _params(event_key: ActiveKey) -> Mapping[str, str]:
    """The parameters of the query and of the body, which wins; signed where that is asked for."""
    body = _body() if request.method == "POST" else b""
    message = body or request.query_string
    if not event_key.is_signed(message, request.headers.get(SIGNATURE, "")):
        raise Refused(HTTPStatus.FORBIDDEN, f"{SIGNATURE} is missing or wrong")
    params = dict(reversed(parse_pairs(request.query_string[:MAX_BODY])))
    if not body:
        return params
    if event_key.secret:  # only the body is signed
        params = {}
    if body.lstrip().startswith(b"{"):
        try:
            return params | _flat(parse_object(body))
        except ApiError as error:
            raise Refused(HTTPStatus.BAD_REQUEST, "the body is no JSON object") from error
    return params | dict(reversed(parse_pairs(body)))


def _body() -> bytes:
    length = request.content_length
    if length is None and request.headers.get("Transfer-Encoding"):
        raise Refused(HTTPStatus.LENGTH_REQUIRED, "say how long the body is, by Content-Length")
    if (length or 0) > MAX_BODY:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {MAX_BODY} bytes")
    return request.get_data(cache=False) if length else b""


def _flat(parsed: Mapping[str, Any]) -> dict[str, str]:
    """Texts and numbers by name; those of an object inside as `object.name`."""
    texts: dict[str, str] = {}
    for name, value in parsed.items():
        inside = value.items() if isinstance(value, dict) else ()
        for path, item in [(name, value), *((f"{name}.{part}", item) for part, item in inside)]:
            if isinstance(item, str):
                texts[path] = item
            elif isinstance(item, int | float) and not isinstance(item, bool):
                texts[path] = _number(path, item)
    return texts


def _number(path: str, number: float) -> str:
    """The text of a number. An id that is a long one has lost digits, and may be another's now."""
    if isinstance(number, float) and abs(number) >= EXACT and path in IDS:
        raise Refused(HTTPStatus.BAD_REQUEST, f"{path}: is too long for a number; send it as text")
    return format(number, "f").rstrip("0").rstrip(".") if number % 1 else str(int(number))


def _text(status: HTTPStatus, text: str) -> Response:
    response = make_response(f"{text}\n", status)
    response.mimetype = "text/plain"
    return response
