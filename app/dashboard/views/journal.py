"""The journal: everything that happened in a tracked chat, organic people too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, g, render_template, request

from app.dashboard import names
from app.dashboard.access import forms
from app.dashboard.access.guards import signed_in
from app.dashboard.views.leads import actions
from app.models import JournalEntry
from app.schemas import Input, fields
from app.schemas.journal import JournalList
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
    query = {name: request.args[name] for name in ("campaign", "action") if request.args.get(name)}
    only = {"campaign": query["campaign"]} if "campaign" in query else {}
    number = forms.checked(Chosen(), only).get("campaign") or next(iter(titles), None)
    rows: Sequence[JournalEntry] = ()
    total = 0
    if number is not None:
        campaign: Any = campaigns.find(g.account.id, number)
        params = {"bot": campaign["bot"], "chat": campaign["chat"], "limit": ROWS}
        for name in ("action", "before"):
            if request.args.get(name):
                params[name] = request.args[name]
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
    )
