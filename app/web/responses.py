"""Builds the API's responses: `success`, `page`, and `handle_error` for everything raised.

Under /api/ every response is HTTP 200 with a `status` field, as the clients of AlterCPA TOP
expect, and under /api/v1/ what those of AdTarget expect. Elsewhere, and where a payment gateway
pushes, the status code says it as well, and the body is the same.
"""

import contextlib
import secrets
from collections.abc import Mapping
from typing import Final

import orjson
import structlog
from flask import Flask, Response, current_app, request
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from app.crypto import CannotDecrypt
from app.database.faults import DATABASE_FAULTS, database_fault_of
from app.errors import (
    ApiError,
    BadParameter,
    DatabaseDown,
    NoGateway,
    NoSuchFunction,
    TooLarge,
)
from app.extensions import db
from app.schemas.base import unknown_parameters
from app.translations import translated, use_language
from app.web import adtarget_errors, cross_origin

log = structlog.get_logger()

#: Seconds after which it is worth asking again; a call waits for a free connection itself.
DATABASE_PAUSE: Final = 1
#: Who pushes there reads the status, and pushes what was refused again. Where there is no gateway
#: nobody pushes, and it is a function like all others.
PUSHED: Final = frozenset({"tariffs.confirm"})
HTTP_ERRORS: Final[Mapping[int, type[ApiError]]] = {
    404: NoSuchFunction,
    405: NoSuchFunction,
    413: TooLarge,
}


def success(data: object = None, **top: object) -> Response:
    """Return a successful response. `data` is left out when None; `top` stands beside it.

    `warnings` begin with the parameters that nobody knows.
    """
    body: dict[str, object] = {"status": "ok"}
    if data is not None:
        body["data"] = data
    unknown = [translated(sentence) for sentence in unknown_parameters()]
    if warnings := [*unknown, *(top.pop("warnings", ()) or ())]:  # type: ignore[misc]
        top["warnings"] = warnings
    return _response(body | top)


def page(rows: object, total: int) -> Response:
    """Return one page of a list; `total` counts the rows without `limit`."""
    return success(rows, total=total)


class ReadableResponse(Response):
    """A response whose text may repeat what a caller wrote, whatever that is.

    Half of a surrogate pair is no UTF-8: "?" stands in its place.
    """

    def set_data(self, value: bytes | str) -> None:
        """Take the body."""
        super().set_data(value.encode("utf-8", "replace") if isinstance(value, str) else value)


def register(app: Flask) -> None:
    """Install the error handler, and stop Flask from answering in HTML before it."""
    app.response_class = ReadableResponse
    app.url_map.merge_slashes = False  # a doubled slash would be an HTML redirect
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    cross_origin.register(app)
    app.register_error_handler(Exception, handle_error)
    app.after_request(_protect)


def _protect(response: Response) -> Response:
    """Let nobody keep an answer that does not say so itself, or guess what kind it is."""
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    return response


def handle_error(error: Exception) -> Response:
    """Turn an exception into a response, and roll the transaction back."""
    with contextlib.suppress(*DATABASE_FAULTS):
        db.session.rollback()
    api_error = as_api_error(error)
    if request.path.startswith(adtarget_errors.PREFIX):
        return adtarget_errors.answer_of(api_error, message_of(api_error))
    body = api_error.as_body(message_of(api_error))
    if request.endpoint in PUSHED and not isinstance(api_error, NoGateway):
        response = _response(body, adtarget_errors.fault_of(api_error).status)
        return adtarget_errors.with_pause(response, api_error)
    return _response(body, 200 if request.path.startswith("/api/") else _http_status(error))


def as_api_error(error: Exception) -> ApiError:
    """Return what an exception means to the caller; one that nobody expected is logged."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, ValidationError):
        return invalid(error)
    if isinstance(error, HTTPException) and (error.code or 500) < 500:
        return HTTP_ERRORS.get(error.code or 400, _Malformed)()
    if database_fault_of(error):
        log.error("request.failed", code="db", path=request.path, exc_info=error)
        return DatabaseDown(retry_after=DATABASE_PAUSE)
    return _unexpected(error)


def message_of(api_error: ApiError) -> str:
    """Return the message in the caller's language, after the name of its field."""
    with use_language(api_error.lang) if api_error.lang else contextlib.nullcontext():
        message = translated(api_error.message)
    field = api_error.field if isinstance(api_error, BadParameter) else ""
    return f"{field}: {message}" if field else message


def _unexpected(error: Exception) -> ApiError:
    request_id = secrets.token_hex(8)
    hint = "SECRET_KEY is not the one this database was written with; restore it"
    log.error(
        "request.failed",
        code="server",
        request_id=request_id,
        method=request.method,
        path=request.path,
        **({"hint": hint} if isinstance(error, CannotDecrypt) else {}),
        exc_info=error,
    )
    return ApiError(request_id=request_id)


def invalid(error: ValidationError) -> BadParameter:
    """Return the first error that a schema found, with the dotted path of its field."""
    messages: object = error.messages
    path: list[str] = []
    while isinstance(messages, dict | list) and messages:
        if isinstance(messages, dict):
            name, messages = next(iter(messages.items()))
            path.append(str(name))
        else:
            messages = messages[0]
    # marshmallow puts `value` behind the key of a mapping whose value it means.
    named = [*path[:1], *(part for part in path[1:] if part != "value")]
    field = ".".join(part for part in named if part != "_schema")
    return BadParameter(field, messages if isinstance(messages, str) else str(messages))


class _Malformed(ApiError):
    code = "param"
    default = "the request is malformed"


def _http_status(error: Exception) -> int:
    if isinstance(error, HTTPException):
        return error.code or 500
    if database_fault_of(error):
        return 503
    return 400 if isinstance(error, ApiError | ValidationError) else 500


def _response(body: Mapping[str, object], status: int = 200) -> Response:
    return current_app.response_class(
        orjson.dumps(body), status=status, mimetype="application/json"
    )
