"""Leads: people in campaigns, and one of them explained."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlencode

from flask import Blueprint, Response, g, make_response, redirect, render_template, request

from app.dashboard import answers, errors, names
from app.dashboard.access import forms
from app.dashboard.access.guards import changes, signed_in
from app.dashboard.views.requests import states as request_states
from app.domain.lead import State
from app.errors import BadParameter, translatable
from app.models import JournalEntry, Lead, Postback
from app.schemas.leads import LeadOut, LeadsExport, LeadsList
from app.services.leads import erasure
from app.services.leads import query as leads
from app.translations import gettext
from app.web.responses import message_of

blueprint = Blueprint("leads", __name__, url_prefix="/leads")

ROWS: int = 50
FILTERS = ("search", "status", "campaign", "from", "to")
#: A click id has up to 256 characters.
LONGEST_SEARCH: int = 256


class Line(NamedTuple):
    """One line of a lead's story at `time`: an entry of the journal, or a postback."""

    time: float
    entry: JournalEntry | None = None
    postback: Postback | None = None


@blueprint.get("")
@signed_in
def listed() -> str:
    """Leads that match the filters, newest first."""
    query = _query()
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
        exported=urlencode(query),
        campaigns=names.campaigns(g.account.id),
        states=states(),
    )


@blueprint.get("/leads.csv")
@signed_in
def export() -> Response:
    """All leads that match the filters, times in the account's zone."""
    chosen = forms.checked(LeadsExport(), _query())
    parts = leads.everyone(g.account.id, **chosen)
    return answers.rows_as_file("leads.csv", LeadOut(many=True), parts)


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
        requests=history.requests,
        request_states=request_states(),
    )


@blueprint.get("/<id:number>/erase")
@signed_in
def confirm(number: int) -> Response:
    """Ask for the person's Telegram id before what tells of them is erased."""
    return _confirm(leads.explained(g.account.id, number).lead)


@blueprint.post("/<id:number>/erase")
@changes("leads.erase")
def erase(number: int) -> Response:
    """Erase, in the whole account, what tells who the person is whose id was typed."""
    lead = leads.explained(g.account.id, number).lead
    if g.form.get("subscriber", "").strip() != str(lead.subscriber) or lead.subscriber <= 0:
        error = BadParameter("subscriber", translatable("is not the Telegram id of this person"))
        return _confirm(lead, error)
    erasure.erase(g.account.id, lead.subscriber)
    return make_response(redirect("/leads?done=erased", HTTPStatus.SEE_OTHER))


def _confirm(lead: Lead, error: BadParameter | None = None) -> Response:
    message = message_of(error) if error else ""
    page = render_template("leads/erase.html", lead=lead, message=message)
    return make_response(page, errors.status_of(error) if error else HTTPStatus.OK)


def _query() -> dict[str, str]:
    """Return the filters of the query that are set."""
    typed = {name: request.args.get(name, "").strip()[:LONGEST_SEARCH] for name in FILTERS}
    return {name: text for name, text in typed.items() if text}


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
        8: gettext("was approved by the desk"),
        9: gettext("was declined by the desk"),
    }
