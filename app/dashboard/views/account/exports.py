"""Prepared files: long lists that a worker writes as CSV, and how far each has come."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Response, g

from app.dashboard import answers, formatting
from app.dashboard.access.guards import changes, signed_in
from app.dashboard.views import deliveries, journal, leads, requests
from app.errors import ApiError, NotFound
from app.models import Export, ExportKind, ExportState
from app.schemas import exported_lists
from app.schemas.csv_export import unless_broken_off
from app.services.exports import prepared
from app.translations import gettext
from app.web.csv_answers import text_answer

blueprint = Blueprint("exports", __name__, url_prefix="/exports")


@dataclass(frozen=True, slots=True)
class _ListView:
    """The screen of a list: the names of its filters, and what they mean to its service."""

    filters: tuple[str, ...]
    chosen: Callable[[Mapping[str, str]], dict[str, Any]]


#: By the path of the screen, which is also what its file is called.
_LIST_VIEWS: Final[Mapping[ExportKind, _ListView]] = {
    ExportKind.LEADS: _ListView(leads.FILTERS, leads.chosen),
    ExportKind.DELIVERIES: _ListView(deliveries.FILTERS, deliveries.chosen),
    ExportKind.JOURNAL: _ListView(journal.FILTERS, journal.chosen),
    ExportKind.REQUESTS: _ListView(("tab", *requests.FILTERS), requests.chosen),
}


@blueprint.get("")
@signed_in
def listed() -> Response:
    """All files of the account, newest first. Those that are being written show how far."""
    return _page()


@blueprint.post("")
@changes("exports.add", even_unpaid=True)
def prepare() -> Response:
    """Ask for a list as a file, and lead to the page that shows how it goes."""
    kind = _kind(g.form.get("kind", ""))
    view = _LIST_VIEWS[kind]
    query = {name: g.form[name] for name in view.filters if g.form.get(name)}
    chosen = view.chosen(query)
    try:
        prepared.add(
            g.account.id,
            kind,
            chosen,
            query=urlencode(query),
            zone=g.account.zone,
            estimate=exported_lists.estimate(g.account.id, kind, chosen),
            now=time.time(),
        )
    except ApiError as error:
        return _page(error)
    return answers.redirect_to("/exports")


@blueprint.get("/<id:number>/file")
@signed_in
def download(number: int) -> Response:
    """One that is ready."""
    row = prepared.find(g.account.id, number)
    day = datetime.fromtimestamp(row.created, formatting.zone()).date()
    name = f"{ExportKind(row.kind).name.lower()}-{day}.csv"
    return text_answer(name, unless_broken_off(prepared.text(row.id, row.parts)))


@blueprint.post("/<id:number>/delete")
@changes(even_unpaid=True)
def delete(number: int) -> Response:
    """Delete one, or give it up."""
    prepared.remove(g.account.id, number)
    return answers.redirect_to("/exports?done=removed")


def _page(error: ApiError | None = None) -> Response:
    rows = prepared.listed(g.account.id)
    return answers.page(
        "exports/list.html",
        error,
        rows=rows,
        is_writing=any(row.state == ExportState.WRITING for row in rows),
        states=_states(),
        titles=_titles(),
        state_of=ExportState,
        path_of=_path,
        filters_of=_filters,
        kept=prepared.KEPT_SECONDS,
    )


def _kind(word: str) -> ExportKind:
    names = {kind.name.lower(): kind for kind in ExportKind}
    if word not in names:
        raise NotFound
    return names[word]


def _path(row: Export) -> str:
    """Where the same list is shown; "" if the API was asked for what no screen shows."""
    kind = ExportKind(row.kind)
    if any(name not in _LIST_VIEWS[kind].filters for name, _ in parse_qsl(row.query)):
        return ""
    path = f"/{kind.name.lower()}"
    return f"{path}?{row.query}" if row.query else path


def _filters(row: Export) -> str:
    """By which files of one list are told apart."""
    return ", ".join(f"{name} {value}" for name, value in parse_qsl(row.query))


def _titles() -> dict[int, str]:
    return {
        ExportKind.LEADS: gettext("Leads"),
        ExportKind.DELIVERIES: gettext("Deliveries"),
        ExportKind.JOURNAL: gettext("Journal"),
        ExportKind.REQUESTS: gettext("Join requests"),
    }


def _states() -> dict[int, tuple[str, str]]:
    return {
        ExportState.WRITING: ("calm", gettext("is being written")),
        ExportState.READY: ("good", gettext("is ready")),
        ExportState.FAILED: ("bad", gettext("could not be written")),
    }
