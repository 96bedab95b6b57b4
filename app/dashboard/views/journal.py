"""The journal: everything that happened in a tracked chat, organic people too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, render_template, request

from app.dashboard import answers, names
from app.dashboard.access import forms
from app.dashboard.access.guards import signed_in
from app.dashboard.views.leads import actions
from app.errors import NotFound
from app.models import JournalEntry
from app.schemas import Input, fields
from app.schemas.journal import JournalList, LeadJournalOut
from app.services.campaigns import campaigns
from app.services.leads import journal

blueprint = Blueprint("journal", __name__, url_prefix="/journal")

ROWS: int = 50


class Chosen(Input):
    """Whose chat."""

    campaign = fields.Int(1)


@blueprint.get("")
@signed_in
def page() -> str:
    """The entries of one campaign's chat, newest first."""
    titles = names.campaigns(g.account.id)
    query = _query()
    number = _campaign(query) or next(iter(titles), None)
    rows: Sequence[JournalEntry] = ()
    total = 0
    if number is not None:
        params = {**_of_chat(number, query), "limit": ROWS}
        if before := request.args.get("before"):
            params["before"] = before
        rows, total = journal.listed(g.account.id, **forms.checked(JournalList(), params))
    older = urlencode({**query, "before": rows[-1].id}) if rows else ""
    return render_template(
        "journal/journal.html",
        rows=rows,
        total=total,
        older=f"/journal?{older}",
        is_more=len(rows) == ROWS,
        campaign=number,
        campaigns=titles,
        action=query.get("action", ""),
        actions=actions(),
        exported=urlencode({**query, "campaign": number}),
    )


@blueprint.get("/journal.csv")
@signed_in
def export() -> Response:
    """All entries of one campaign's chat that match the filter."""
    query = _query()
    number = _campaign(query)
    if number is None:
        raise NotFound
    params = forms.checked(JournalList(), _of_chat(number, query))
    chosen = {name: params[name] for name in ("bot", "chat", "action") if name in params}
    parts = journal.everyone(g.account.id, **chosen)
    return answers.rows_as_file("journal.csv", LeadJournalOut(many=True), parts)


def _query() -> dict[str, str]:
    """Return the filters of the query that are set."""
    return {name: request.args[name] for name in ("campaign", "action") if request.args.get(name)}


def _campaign(query: dict[str, str]) -> int | None:
    """Return the campaign that the query names, if it names one."""
    only = {"campaign": query["campaign"]} if "campaign" in query else {}
    number: int | None = forms.checked(Chosen(), only).get("campaign")
    return number


def _of_chat(number: int, query: dict[str, str]) -> dict[str, Any]:
    """Return the parameters of the journal of a campaign's chat. Raises NotFound."""
    campaign: Any = campaigns.find(g.account.id, number)
    chosen = {"action": query["action"]} if "action" in query else {}
    return {"bot": campaign["bot"], "chat": campaign["chat"], **chosen}
