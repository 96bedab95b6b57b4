"""Leads: people in campaigns, and one of them explained."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from flask import Blueprint, Response, g, render_template, request
from markupsafe import Markup

from app.dashboard import answers, names
from app.dashboard.access import forms
from app.dashboard.access.guards import changes, signed_in
from app.dashboard.formatting import pill
from app.dashboard.periods import as_range
from app.dashboard.views.requests import states as request_states
from app.domain.attribution import How
from app.domain.lead import State
from app.errors import BadParameter, NotFound, translatable
from app.models import Action, Conversion, JournalEntry, Lead, Postback
from app.schemas.clicks import ClickDetail
from app.schemas.leads import LeadOut, LeadsExport, LeadsList
from app.services.clicks import query as clicks
from app.services.clicks import sources as source_service
from app.services.leads import erasure
from app.services.leads import query as leads
from app.services.postbacks import newest
from app.translations import gettext

blueprint = Blueprint("leads", __name__, url_prefix="/leads")

FILTERS: Final = (
    "search", "status", "campaign", "source", "how", "premium", "language", "period", "from", "to",
)  # fmt: skip
#: A click id has up to 256 characters.
LONGEST_SEARCH: Final = 256
_LIST: Final = LeadsList()
_EXPORT: Final = LeadsExport()


class Line(NamedTuple):
    """One line of a lead's story at `time`: an entry of the journal, a postback or an event."""

    time: float
    entry: JournalEntry | None = None
    postback: Postback | None = None
    conversion: Conversion | None = None


@blueprint.get("")
@signed_in
def listed() -> str:
    """Leads that match the filters, newest first."""
    query = _query(request.args)
    params = forms.checked(_LIST, {**as_range(query), **answers.page_params()})
    page = leads.listed(g.account.id, **params)
    campaigns, sources = names.with_sources(g.account.id)
    return render_template(
        "leads/list.html",
        **answers.rows_of(page, "/leads", query),
        query=query,
        campaigns=campaigns,
        sources=sources,
        ways={way.name.lower(): text for way, text in ways().items()},
        badges=badges(),
        deliveries=newest.of_leads(g.account.id, [lead.id for lead in page.rows]),
        searched=leads.SEARCHED,
        states=states(),
    )


@blueprint.get("/leads.csv")
@signed_in
def export() -> Response:
    """All leads that match the filters, times in the account's zone."""
    parts = leads.read_all(g.account.id, **chosen(request.args))
    return answers.rows_as_file("leads.csv", LeadOut(many=True), parts)


@blueprint.get("/<id:number>")
@signed_in
def one(number: int) -> str:
    """One lead: what happened, what was decided and why, and what was reported."""
    history = leads.explained(g.account.id, number)
    campaigns, trackers = names.with_trackers(g.account.id)
    lines = [
        *(Line(float(entry.time), entry=entry) for entry in history.journal),
        *(Line(postback.created, postback=postback) for postback in history.postbacks),
        *(Line(float(event.time), conversion=event) for event in history.conversions),
    ]
    return render_template(
        "leads/lead.html",
        lead=history.lead,
        source=_source(history.lead),
        click=_click(history.lead),
        ways=ways(),
        lines=sorted(lines, key=lambda line: line.time),
        campaigns=campaigns,
        trackers=trackers,
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
    return answers.redirect_to("/leads?done=erased")


def _confirm(lead: Lead, error: BadParameter | None = None) -> Response:
    return answers.page("leads/erase.html", error, lead=lead)


def _source(lead: Lead) -> str:
    """Return what the source is called by which the person came; "" without one that is left."""
    if not lead.source_id:
        return ""
    try:
        return str(source_service.find(g.account.id, lead.source_id).title)
    except NotFound:
        return ""


def _click(lead: Lead) -> dict[str, str]:
    """Return what is kept of the click that the lead came from; clicks are deleted in time."""
    if not lead.click_id:
        return {}
    try:
        click = clicks.find(g.account.id, lead.click_id)
    except NotFound:
        return {}
    shown: dict[str, Any] = ClickDetail(only=("landing", "referrer", "country", "city")).dump(click)
    for values in ClickDetail(only=("utm", "ad", "subs", "ids")).dump(click).values():
        shown |= values
    return {name: str(value) for name, value in shown.items() if value}


def chosen(values: Mapping[str, str]) -> dict[str, Any]:
    """Return the filters of a query as `leads.read_all` takes them. Raises BadParameter."""
    return forms.checked(_EXPORT, as_range(_query(values)))


def _query(values: Mapping[str, str]) -> dict[str, str]:
    """Return the filters of a query that are set."""
    typed = {name: values.get(name, "").strip()[:LONGEST_SEARCH] for name in FILTERS}
    return {name: text for name, text in typed.items() if text}


def states() -> dict[int, tuple[str, str]]:
    """Return the kind of pill and the word for each state of a lead."""
    return {
        State.WAIT: ("calm", gettext("started")),
        State.HOLD: ("warn", gettext("asked to join")),
        State.APPROVE: ("good", gettext("joined")),
        State.CANCEL: ("bad", gettext("left")),
        State.TRASH: ("bad", gettext("removed")),
    }


def ways() -> dict[How, str]:
    """Return by which evidence the click or the source of a lead is known."""
    return {
        How.ORGANIC: gettext("nothing tells"),
        How.START: gettext("a start of the bot by the link"),
        How.LINK: gettext("an invite link made for this click"),
        How.REQUEST: gettext("a request by a link made for this click"),
        How.FORWARDED: gettext("a link made for a click, passed on"),
        How.NAMED: gettext("the link that all of the source share"),
        How.OTHER: gettext("a link of somebody else"),
    }


def badges() -> dict[int, Markup]:
    """Return a pill for each How; its sign tells whether the click is known."""
    return {
        How.ORGANIC: pill("calm", gettext("organic")),
        How.START: pill("good", gettext("start")),
        How.LINK: pill("good", gettext("link")),
        How.REQUEST: pill("good", gettext("request")),
        How.FORWARDED: pill("warn", gettext("link, forwarded")),
        How.NAMED: pill("warn", gettext("shared link")),
        How.OTHER: pill("calm", gettext("other link")),
    }


def actions() -> dict[int, str]:
    """Return a word for each Action of the journal."""
    return {
        Action.JOIN: gettext("joined"),
        Action.LEAVE: gettext("left"),
        Action.KICK: gettext("was removed"),
        Action.REQUEST: gettext("asked to join"),
        Action.START: gettext("started the bot"),
        Action.BOT_STOPPED: gettext("stopped the bot"),
        Action.BOT_RESUMED: gettext("resumed the bot"),
        Action.APPROVED: gettext("was approved by the desk"),
        Action.DECLINED: gettext("was declined by the desk"),
    }
