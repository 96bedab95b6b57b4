"""What a person sees when something went wrong: the same message as the API's, as a page."""

import contextlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from flask import Response, g, make_response, redirect, render_template, request

from app.dashboard.access import forms, headers
from app.dashboard.access.guards import here
from app.database.faults import DATABASE_FAULTS
from app.errors import (
    ApiError,
    BadKey,
    BadParameter,
    Banned,
    DatabaseDown,
    NoSuchFunction,
    NotFound,
    TooLarge,
    TooManyRequests,
    Unpaid,
)
from app.extensions import db
from app.web.responses import as_api_error, handle_error, message_of

STATUSES: Final[Mapping[type[ApiError], HTTPStatus]] = {
    BadKey: HTTPStatus.UNAUTHORIZED,
    Banned: HTTPStatus.FORBIDDEN,
    forms.FormTooOld: HTTPStatus.FORBIDDEN,
    Unpaid: HTTPStatus.PAYMENT_REQUIRED,
    NotFound: HTTPStatus.NOT_FOUND,
    NoSuchFunction: HTTPStatus.NOT_FOUND,
    BadParameter: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    DatabaseDown: HTTPStatus.SERVICE_UNAVAILABLE,
}


class NoSuchPage(NoSuchFunction):
    """No such path, asked for by a browser."""

    default = "there is no such page"


def show_missing(error: Exception) -> Response:
    """Answer where no path of ours is: with a page for a browser, as the API for all others."""
    is_for_person = "text/html" in request.headers.get("Accept", "")
    if request.path.startswith("/api/") or not is_for_person:
        return handle_error(error)
    return headers.protect(show_error(NoSuchPage()))


def show_error(error: Exception) -> Response:
    """Turn an exception into a page, and roll the transaction back.

    Whoever is not logged in is led to the login page; a fetch of our script gets 401, as it
    cannot follow there.
    """
    with contextlib.suppress(*DATABASE_FAULTS):
        db.session.rollback()
    api_error = as_api_error(error)
    if isinstance(api_error, BadKey) and not _is_fetch():
        target = f"/login?{urlencode({'next': here()})}" if request.method == "GET" else "/login"
        response = redirect(target, HTTPStatus.SEE_OTHER)
        return make_response(response)
    status = status_of(api_error)
    page = render_template("errors/error.html", error=api_error, message=message_of(api_error))
    response = make_response(page, status)
    if isinstance(api_error, TooManyRequests):
        response.headers["Retry-After"] = str(api_error.extra["retry_after"])
    return response


def status_of(error: ApiError) -> HTTPStatus:
    """Return the HTTP status of an error; 422 for a refusal that has none of its own."""
    if type(error) is ApiError:  # a fault of ours
        return HTTPStatus.INTERNAL_SERVER_ERROR
    statuses = (STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
    return next(statuses, HTTPStatus.UNPROCESSABLE_ENTITY)


def _is_fetch() -> bool:
    return request.headers.get("X-Requested-With") == "gatepost" or "account" in g
