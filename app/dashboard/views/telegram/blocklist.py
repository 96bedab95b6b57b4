"""The blocklist: whom no desk of the account lets in by itself; in and out as CSV."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, Response, g, make_response, redirect, render_template, request

from app.dashboard import errors
from app.dashboard.access import forms
from app.dashboard.access.guards import changes, signed_in
from app.errors import ApiError, BadParameter, NotFound
from app.schemas.blocked import BlockedAdd, BlockedCsv, BlockedImport, BlockedList
from app.services.join_requests.owner import blocklist
from app.web.csv_answers import csv_answer
from app.web.responses import message_of

blueprint = Blueprint("blocklist", __name__, url_prefix="/requests/blocked")

ROWS: int = 50
FIELDS: Final = ("person", "reason", "csv")


@blueprint.get("")
@signed_in
def listed() -> Response:
    """Blocked people, newest first, and the forms of new ones."""
    return _page()


@blueprint.get("/blocked.csv")
@signed_in
def export() -> Response:
    """All of them, as the API exports them and the form below takes them."""
    return csv_answer("blocked.csv", BlockedCsv(many=True), blocklist.everyone(g.account.id))


@blueprint.post("")
@changes()
def add() -> Response:
    """Block one person."""
    return _add(BlockedAdd(), "person", "reason")


@blueprint.post("/import")
@changes()
def add_all() -> Response:
    """Block all people of a list."""
    return _add(BlockedImport(), "csv")


@blueprint.post("/<id:number>")
@changes()
def remove(number: int) -> Response:
    """Block a person no longer."""
    blocklist.remove(g.account.id, number)
    return _redirect()


def _add(schema: Any, *names: str) -> Response:
    typed = {name: g.form.get(name, "") for name in names}
    try:
        values = forms.checked(schema, typed)
        if "csv" in values:
            count = blocklist.add_all(g.account.id, values["csv"])
        else:
            count = blocklist.add(g.account.id, values["person"], values["reason"])
    except NotFound:
        raise
    except ApiError as error:
        return _page(typed, error)
    return _redirect(f"?added={count}")


def _page(typed: dict[str, str] | None = None, error: ApiError | None = None) -> Response:
    before = {"before": request.args["before"]} if request.args.get("before") else {}
    page = blocklist.listed(g.account.id, **forms.checked(BlockedList(), {**before, "limit": ROWS}))
    added = request.args.get("added", "")
    text = render_template(
        "requests/blocked.html",
        rows=page.rows,
        total=page.total,
        older=f"/requests/blocked?before={page.rows[-1].id}" if page.rows else "",
        is_more=len(page.rows) == ROWS,
        added=int(added) if added.isascii() and added.isdigit() and len(added) < 8 else None,
        typed=dict.fromkeys(FIELDS, "") | (typed or {}),
        message=message_of(error) if error else "",
        field=error.field if isinstance(error, BadParameter) else "",
    )
    return make_response(text, errors.status_of(error) if error else HTTPStatus.OK)


def _redirect(query: str = "?done=saved") -> Response:
    return make_response(redirect(f"/requests/blocked{query}", HTTPStatus.SEE_OTHER))
