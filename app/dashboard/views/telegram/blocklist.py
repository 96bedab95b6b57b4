"""The blocklist: whom no desk of the account lets in by itself; in and out as CSV."""

from typing import Any, Final

from flask import Blueprint, Response, g, request

from app.dashboard import answers
from app.dashboard.access import forms
from app.dashboard.access.guards import changes, signed_in
from app.errors import ApiError, NotFound
from app.schemas.blocked import BlockedAdd, BlockedCsv, BlockedImport, BlockedList
from app.services.join_requests.owner import blocklist
from app.web.csv_answers import csv_answer

blueprint = Blueprint("blocklist", __name__, url_prefix="/requests/blocked")

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
    return csv_answer("blocked.csv", BlockedCsv(many=True), blocklist.read_all(g.account.id))


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
    part = blocklist.listed(g.account.id, **forms.checked(BlockedList(), answers.page_params()))
    added = request.args.get("added", "")
    return answers.page(
        "requests/blocked.html",
        error,
        **answers.rows_of(part, "/requests/blocked", {}),
        added=int(added) if added.isascii() and added.isdigit() and len(added) < 8 else None,
        typed=dict.fromkeys(FIELDS, "") | (typed or {}),
    )


def _redirect(query: str = "?done=saved") -> Response:
    return answers.redirect_to(f"/requests/blocked{query}")
