"""Leads: people in campaigns, and one of them explained."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlencode

from flask import Blueprint, g, render_template, request

from app.dashboard import names
from app.dashboard.access import forms
from app.dashboard.access.guards import signed_in
from app.domain.lead import State
from app.models import JournalEntry, Postback
from app.schemas.leads import LeadsList
from app.services.leads import query as leads
from app.translations import gettext

blueprint = Blueprint("leads", __name__, url_prefix="/leads")

ROWS: int = 50


class Line(NamedTuple):
    """One line of a lead's story at `time`: an entry of the journal, or a postback."""

    time: float
    entry: JournalEntry | None = None
    postback: Postback | None = None


@blueprint.get("")
@signed_in
def listed() -> str:
    """Leads that match the filters, newest first."""
    query = {
        name: request.args[name]
        for name in ("status", "campaign", "from", "to")
        if request.args.get(name)
    }
    before = {"before": request.args["before"]} if request.args.get("before") else {}
    page = leads.listed(
        g.account.id, **forms.checked(LeadsList(), {**query, **before, "limit": ROWS})
    )
    older = urlencode({**query, "before": page.rows[-1].id}) if page.rows else ""
    return render_template(
        "leads/list.html",
        rows=page.rows,
        total=page.total,
        older=f"/leads?{older}",
        is_more=len(page.rows) == ROWS,
        query=query,
        campaigns=names.campaigns(g.account.id),
        states=states(),
    )


@blueprint.get("/<id:number>")
@signed_in
def one(number: int) -> str:
    """One lead: what happened, what was decided and why, and what was reported."""
    history = leads.explained(g.account.id, number)
    lines = [
        *(Line(float(entry.time), entry=entry) for entry in history.journal),
        *(Line(postback.created, postback=postback) for postback in history.postbacks),
    ]
    return render_template(
        "leads/lead.html",
        lead=history.lead,
        lines=sorted(lines, key=lambda line: line.time),
        campaigns=names.campaigns(g.account.id),
        trackers=names.trackers(g.account.id),
        states=states(),
        actions=actions(),
    )


def states() -> dict[int, tuple[str, str]]:
    """Return the kind of pill and the word for each state of a lead."""
    words: dict[State, Any] = {
        State.WAIT: ("calm", gettext("started")),
        State.HOLD: ("warn", gettext("asked to join")),
        State.APPROVE: ("good", gettext("joined")),
        State.CANCEL: ("bad", gettext("left")),
        State.TRASH: ("bad", gettext("removed")),
    }
    return {int(state): pill for state, pill in words.items()}


def actions() -> dict[int, str]:
    """Return a word for each thing that a person may do, as the journal numbers them."""
    return {
        1: gettext("joined"),
        2: gettext("left"),
        3: gettext("was removed"),
        4: gettext("asked to join"),
        5: gettext("started the bot"),
        6: gettext("stopped the bot"),
        7: gettext("resumed the bot"),
    }
