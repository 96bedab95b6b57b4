"""What a view answers with: a page, perhaps with what was wrong, or the way to the next page."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response, make_response, redirect, render_template

from app.dashboard import errors
from app.errors import ApiError, BadParameter
from app.web.responses import message_of


def page(template: str, error: ApiError | None = None, **values: Any) -> Response:
    """Return a page; `message` and `field` in it say what was wrong, and so does its status."""
    text = render_template(
        template,
        message=message_of(error) if error else "",
        field=error.field if isinstance(error, BadParameter) else "",
        **values,
    )
    return make_response(text, errors.status_of(error) if error else HTTPStatus.OK)


def lead_to(path: str) -> Response:
    """Return the way to another page, after a form has done something."""
    return make_response(redirect(path, HTTPStatus.SEE_OTHER))
