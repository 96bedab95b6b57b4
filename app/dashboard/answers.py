"""What a view answers with: a page, perhaps with what was wrong, a file, or the next page."""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from flask import Response, make_response, redirect, render_template, request

from app.dashboard import errors
from app.dashboard.access import forms
from app.dashboard.formatting import zone
from app.errors import ApiError, BadParameter
from app.schemas.base import Output
from app.schemas.csv_export import as_text, in_zone
from app.services.lists.pages import Page
from app.web.csv_answers import csv_answer
from app.web.responses import message_of

#: Rows of a list that a page shows.
ROWS: Final = 50
#: A list of so many rows is not sent at once, but prepared as a file.
LONG: Final = 10_000


def page(template: str, error: ApiError | None = None, **values: Any) -> Response:
    """Return a page; `message` and `field` in it say what was wrong, and so does its status."""
    text = render_template(
        template,
        message=message_of(error) if error else "",
        field=error.field if isinstance(error, BadParameter) else "",
        **values,
    )
    return make_response(text, errors.status_of(error) if error else HTTPStatus.OK)


def page_params() -> dict[str, Any]:
    """Return `limit`, and `before` if the query has it, as the schemas of lists take them."""
    return {"limit": ROWS, **forms.non_empty(request.args, ["before"])}


def rows_of(part: Page[Any], path: str, filters: Mapping[str, str]) -> dict[str, Any]:
    """Return what the page of a list shows of `part`; the link to older rows keeps `filters`."""
    older = {**filters, "before": part.rows[-1].id} if part.rows else filters
    return {
        "rows": part.rows,
        "total": part.total,
        "older": f"{path}?{urlencode(older)}",
        "is_more": len(part.rows) == ROWS,
    }


def rows_as_file(name: str, schema: Output, parts: Iterable[Sequence[Any]]) -> Response:
    """Return a long list as the CSV file `name`, its times in the account's zone."""
    return csv_answer(name, in_zone(schema, zone()), parts)


def table_as_file(name: str, rows: Iterable[Sequence[Any]]) -> Response:
    """Return a short table, whose first row is its head, as the CSV file `name`."""
    response = Response(as_text(rows), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def redirect_to(path: str) -> Response:
    """Redirect to another page, after a form has done something."""
    return make_response(redirect(path, HTTPStatus.SEE_OTHER))
