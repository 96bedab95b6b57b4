"""Sources: links for ads, what they have counted, and how many joins are known by their click."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, g, render_template, request

from app.dashboard import answers, names
from app.dashboard.access import forms
from app.dashboard.access.guards import changes, signed_in
from app.dashboard.periods import Period, chosen_period, scope_of
from app.domain.time_ranges import DAY, HOUR
from app.errors import ApiError, NotFound
from app.models import SourceFallback, SourceMode, SourceStatus
from app.schemas import Input, fields
from app.schemas.sources import SourceAdd, SourceEdit, SourceOut
from app.services.clicks import source_modes, sources
from app.services.leads.stats import joins
from app.translations import gettext
from app.web.responses import message_of

blueprint = Blueprint("sources", __name__, url_prefix="/sources")

#: How the query names the period.
PERIOD: Final = ("period", "from", "to")
_TEXTS: Final = ("title", "click_param", "mode", "fallback")


class Spans(Input):
    """Spans as people type them: hours and days. The service has them in seconds."""

    link_ttl = fields.Int(1, 168)
    lookback = fields.Int(1, 90)


@blueprint.get("")
@signed_in
def listed() -> Response:
    """The links for ads, with what they have counted."""
    return _list()


@blueprint.post("")
@changes("sources.add")
def add() -> Response:
    """Make a link."""
    typed = {name: g.form.get(name, "") for name in ("campaign", "title", "mode")}
    try:
        source = sources.add(g.account.id, **forms.checked(SourceAdd(), {**typed, **_force()}))
    except ApiError as error:
        return _list(error)
    return answers.redirect_to(f"/sources/{source.id}?done=saved")


@blueprint.get("/attribution")
@signed_in
def attribution() -> str:
    """How many joins are known by their click, by chat and by source."""
    period, rows = _attributed()
    query = urlencode({name: request.args[name] for name in PERIOD if name in request.args})
    return render_template(
        "sources/attribution.html", rows=rows, period=period, tab="known", query=query
    )


@blueprint.get("/attribution.csv")
@signed_in
def export_attribution() -> Response:
    """The same as CSV: a line for each chat, with those of its sources behind it."""
    head = ("campaign", "chat", "source", "title", "clicks", "joins", "known", "share", "fallbacks")
    lines: list[Sequence[object]] = [head]
    for chat in _attributed()[1]:
        whose = (chat.campaign, chat.title)
        lines.append((*whose, "", "", *_counted(chat.counts)))
        lines += [
            (*whose, source.source, source.title, *_counted(source.counts))
            for source in chat.sources
        ]
    return answers.table_as_file("attribution.csv", lines)


@blueprint.get("/sources.csv")
@signed_in
def export() -> Response:
    """The links for ads, with what they have counted, as CSV."""
    schema = SourceOut(many=True, exclude=("sub_map",))
    return answers.rows_as_file("sources.csv", schema, [sources.listed(g.account.id)])


@blueprint.get("/<id:number>")
@signed_in
def one(number: int) -> Response:
    """One link: where it goes into an ad, and how it works."""
    return _one(number)


@blueprint.post("/<id:number>")
@changes()
def change(number: int) -> Response:
    """Save, pause, resume or delete a link."""
    try:
        match g.form.get("do", ""):
            case "pause" | "resume" as verb:
                sources.pause(g.account.id, number, paused=verb == "pause")
            case "delete":
                sources.remove(g.account.id, number)
                return answers.redirect_to("/sources?done=removed")
            case _:
                typed = forms.checked(SourceEdit(), {"id": number, **_settings(), **_force()})
                sources.edit(g.account.id, typed.pop("id"), **typed)
    except NotFound:
        raise
    except ApiError as error:
        return _one(number, error)
    return answers.redirect_to(f"/sources/{number}?done=saved")


def _attributed() -> tuple[Period, list[joins.CampaignJoins]]:
    """Return the chosen period, and the joins of it."""
    now = int(time.time())
    period = chosen_period(now)
    scope = scope_of(period._replace(until=min(period.until, now)), now)
    return period, joins.attribution(scope)


def _counted(counts: joins.JoinCounts) -> tuple[object, ...]:
    return counts.clicks, counts.joins, counts.with_click, counts.share, counts.fallbacks


def _settings() -> dict[str, Any]:
    """Return what was typed, in the units of the service. Raises BadParameter."""
    spans = {name: g.form[name].strip() for name in ("link_ttl", "lookback") if name in g.form}
    checked = forms.checked(Spans(), spans)
    units = {"link_ttl": HOUR, "lookback": DAY}
    return {
        **{name: g.form[name].strip() for name in _TEXTS if name in g.form},
        **{name: number * units[name] for name, number in checked.items()},
    }


def _force() -> dict[str, int]:
    return {"force": 1} if "force" in g.form else {}


def modes() -> dict[str, str]:
    """Return what each kind of link is, by its name in the API."""
    return {
        "auto": gettext("the best that the chat allows"),
        "start": gettext("the bot's start link"),
        "invite": gettext("an invite link for each click"),
        "request": gettext("a link to ask by, for each click"),
        "named": gettext("one invite link for all clicks"),
    }


def fallbacks() -> dict[str, str]:
    """Return what a click gets instead, by its name in the API."""
    return {
        "start": gettext("the bot's start link"),
        "named": gettext("one invite link for all clicks"),
        "none": gettext("the bot's start link, without the click"),
    }


def _list(error: ApiError | None = None) -> Response:
    return answers.page(
        "sources/list.html",
        error,
        tab="links",
        rows=sources.listed(g.account.id),
        campaigns=names.campaigns(g.account.id),
        modes=modes(),
        typed=g.form if error else {},
        paused=SourceStatus.PAUSED,
    )


def _one(number: int, error: ApiError | None = None) -> Response:
    source = sources.find(g.account.id, number)
    try:
        links = sources.make_links(g.account.id, number)
    except NotFound as without_address:
        links, fault = [], message_of(without_address)
    else:
        fault = ""
    return answers.page(
        "sources/source.html",
        error,
        source=source,
        links=links,
        fault=fault,
        warnings=source_modes.warnings(source.campaign, source.mode, source.fallback),
        values=_shown(source, g.form if error else {}),
        modes=modes(),
        fallbacks=fallbacks(),
        campaigns=names.campaigns(g.account.id),
        is_paused=source.status == SourceStatus.PAUSED,
    )


def _shown(source: Any, typed: Mapping[str, str]) -> dict[str, Any]:
    stored = {
        "title": source.title,
        "click_param": source.click_param,
        "mode": SourceMode(source.mode).name.lower(),
        "fallback": SourceFallback(source.fallback).name.lower(),
        "link_ttl": source.link_ttl // HOUR,
        "lookback": source.lookback // DAY,
    }
    return {name: typed.get(name, value) for name, value in stored.items()}
