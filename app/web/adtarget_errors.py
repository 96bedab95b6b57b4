"""Errors under /api/v1, in the shape and with the codes of AdTarget's API."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, NamedTuple

import orjson
from flask import Response, current_app

from app import errors
from app.errors import ApiError

PREFIX: Final = "/api/v1/"


class Fault(NamedTuple):
    """An HTTP status and the word that goes with it."""

    status: HTTPStatus
    code: str


_INTERNAL: Final = Fault(HTTPStatus.INTERNAL_SERVER_ERROR, "INTERNAL_ERROR")
#: The first class that an error belongs to decides. The last three words are ours: AdTarget's
#: pages name none for them.
_FAULTS: Final[Mapping[type[ApiError], Fault]] = {
    errors.MissingKey: Fault(HTTPStatus.UNAUTHORIZED, "AUTH_REQUIRED"),
    errors.BadKey: Fault(HTTPStatus.UNAUTHORIZED, "INVALID_KEY"),
    errors.Banned: Fault(HTTPStatus.UNAUTHORIZED, "REVOKED_KEY"),
    errors.Unpaid: Fault(HTTPStatus.PAYMENT_REQUIRED, "SUBSCRIPTION_INACTIVE"),
    errors.ChannelNotFound: Fault(HTTPStatus.NOT_FOUND, "CHANNEL_NOT_FOUND"),
    errors.LeadNotFound: Fault(HTTPStatus.NOT_FOUND, "LEAD_NOT_FOUND"),
    errors.ConversionNotFound: Fault(HTTPStatus.NOT_FOUND, "CONVERSION_NOT_FOUND"),
    errors.TooManyRequests: Fault(HTTPStatus.TOO_MANY_REQUESTS, "RATE_LIMITED"),
    errors.DatabaseDown: Fault(HTTPStatus.SERVICE_UNAVAILABLE, "INTERNAL_ERROR"),
    errors.KeyReused: Fault(HTTPStatus.CONFLICT, "IDEMPOTENCY_CONFLICT"),
    errors.TooLarge: Fault(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "PAYLOAD_TOO_LARGE"),
    errors.NoSuchFunction: Fault(HTTPStatus.NOT_FOUND, "NOT_FOUND"),
}


def fault_of(error: ApiError) -> Fault:
    """Return the status and the word of an error; a `param` is the sender's fault."""
    for kind, fault in _FAULTS.items():
        if isinstance(error, kind):
            return fault
    if error.code in ("param", "notfound"):
        return Fault(HTTPStatus.BAD_REQUEST, "INVALID_PAYLOAD")
    return _INTERNAL


def body_of(error: ApiError, message: str) -> bytes:
    """Return the body that says it, in a sentence for people too."""
    about: dict[str, object] = {"code": fault_of(error).code, "message": message}
    if request_id := error.extra.get("request_id"):
        about["requestId"] = request_id
    return orjson.dumps({"error": about})


def answer_of(error: ApiError, message: str) -> Response:
    """Return the answer with that body and the status of the error."""
    response = current_app.response_class(
        body_of(error, message), status=fault_of(error).status, mimetype="application/json"
    )
    response.headers["Access-Control-Allow-Origin"] = "*"
    return with_pause(response, error)


def with_pause(response: Response, error: ApiError) -> Response:
    """Return the answer with the seconds that an error says to wait."""
    if (seconds := error.extra.get("retry_after")) is not None:
        response.headers["Retry-After"] = str(seconds)
    return response
