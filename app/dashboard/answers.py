"""What a view answers with: a page, perhaps with what was wrong, a file, or the next page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

from flask import Response, make_response, redirect, render_template

from app.dashboard import errors
from app.dashboard.formatting import zone
from app.errors import ApiError, BadParameter
from app.schemas.base import Output
from app.schemas.csv_export import as_text, in_zone
from app.web.csv_answers import csv_answer
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


def rows_as_file(name: str, schema: Output, parts: Iterable[Sequence[Any]]) -> Response:
    """Return a long list as the CSV file `name`, its times in the account's zone."""
    return csv_answer(name, in_zone(schema, zone()), parts)


def table_as_file(name: str, rows: Iterable[Sequence[Any]]) -> Response:
    """Return a short table, whose first row is its head, as the CSV file `name`."""
    response = Response(as_text(rows), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def lead_to(path: str) -> Response:
    """Return the way to another page, after a form has done something."""
    return make_response(redirect(path, HTTPStatus.SEE_OTHER))
