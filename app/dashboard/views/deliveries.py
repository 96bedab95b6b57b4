"""Deliveries: postbacks with their attempts, and sending them again."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, render_template, request

from app.dashboard import answers, names
from app.dashboard.access import forms
from app.dashboard.access.guards import changes, signed_in
from app.models import PostbackState
from app.schemas.postbacks import PostbackFilter, PostbackOut, PostbacksList
from app.services.postbacks import log
from plugins.contract import EventKind

blueprint = Blueprint("deliveries", __name__, url_prefix="/deliveries")

ROWS: int = 50
FILTERS = ("state", "event", "dest", "campaign", "lead", "from", "to")
#: Trackers and events that are counted apart before a re-send: each costs a query.
MOST_PARTS: int = 100
#: States in which a postback is on its way.
ON_THE_WAY = (PostbackState.WAITING, PostbackState.SENDING)


@blueprint.get("")
@signed_in
def listed() -> str:
    """Postbacks that match the filters, newest first, and how many of each state there are."""
    query = _query(request.args.to_dict())
    params = forms.checked(PostbacksList(), {**query, "limit": ROWS, **_before()})
    page = log.listed(g.account.id, **params)
    older = urlencode({**query, "before": page.rows[-1].id}) if page.rows else ""
    return render_template(
        "deliveries/list.html",
        rows=page.rows,
        total=page.total,
        older=f"/deliveries?{older}",
        is_more=len(page.rows) == ROWS,
        query=query,
        filter_query=urlencode(query),
        counts=_counts(query),
        campaigns=names.campaigns(g.account.id),
        trackers=names.trackers(g.account.id),
        kinds=list(EventKind),
    )


@blueprint.get("/deliveries.csv")
@signed_in
def export() -> Response:
    """All postbacks that match the filters, times in the account's zone."""
    chosen = forms.checked(PostbackFilter(), _query(request.args.to_dict()))
    parts = log.everyone(g.account.id, **chosen)
    return answers.rows_as_file("deliveries.csv", PostbackOut(many=True), parts)


@blueprint.get("/<id:number>")
@signed_in
def one(number: int) -> str:
    """One postback with every attempt: what was sent, what came back, what it meant."""
    explained = log.explained(g.account.id, number)
    return render_template(
        "deliveries/delivery.html",
        row=explained.postback,
        attempts=explained.attempts,
        campaigns=names.campaigns(g.account.id),
        trackers=names.trackers(g.account.id),
    )


@blueprint.post("/<id:number>/resend")
@changes("postbacks.resend")
def resend_one(number: int) -> Response:
    """Send one postback once more."""
    log.resend(g.account.id, number)
    return answers.lead_to(f"/deliveries/{number}?done=again")


@blueprint.get("/resend")
@signed_in
def ask() -> str:
    """How many postbacks the filters find, by tracker and event, before they are sent again."""
    query = _query(request.args.to_dict())
    trackers = names.trackers(g.account.id)
    asked_for = [
        (tracker, kind.value)
        for tracker in trackers
        for kind in EventKind
        if query.get("dest") in (None, str(tracker)) and query.get("event") in (None, kind.value)
    ]
    parts = [
        (tracker, kind, _total({**query, "dest": str(tracker), "event": kind}))
        for tracker, kind in asked_for[:MOST_PARTS]
    ]
    total = _total(query)
    return render_template(
        "deliveries/resend.html",
        query=query,
        parts=[part for part in parts if part[2]],
        total=min(total, log.RESEND_CAP),
        is_cut=total > log.RESEND_CAP,
        most=log.RESEND_CAP,
        trackers=trackers,
    )


@blueprint.post("/resend")
@changes("postbacks.resend")
def resend() -> Response:
    """Send what the filters find once more, and lead to the page that shows how it goes."""
    query = _query(dict(g.form))
    params = forms.checked(PostbacksList(), query)
    filters = {name: value for name, value in params.items() if name not in ("limit", "offset")}
    count = log.resend(g.account.id, **filters)
    rest = {name: value for name, value in query.items() if name != "state"}
    sent = {**rest, "count": count, "at": int(time.time())}
    return answers.lead_to(f"/deliveries/sent?{urlencode(sent)}")


@blueprint.get("/sent")
@signed_in
def progress() -> str:
    """How far a re-send has come. Its address holds everything: it can be left and found again."""
    query = _query(request.args.to_dict())
    query.pop("state", None)
    count = _number(request.args.get("count", ""))
    left = min(count, sum(_total({**query, "state": state.name.lower()}) for state in ON_THE_WAY))
    return render_template(
        "deliveries/sent.html",
        count=count,
        left=left,
        gone=count - left,
        at=_number(request.args.get("at", "")),
        filter_query=urlencode(query),
    )


def _query(values: dict[str, str]) -> dict[str, str]:
    """Return the filters that are set."""
    return {name: values[name] for name in FILTERS if values.get(name)}


def _before() -> dict[str, str]:
    before = request.args.get("before", "")
    return {"before": before} if before else {}


def _counts(query: dict[str, str]) -> list[tuple[str, int]]:
    return [
        (state.name.lower(), _total({**query, "state": state.name.lower()}))
        for state in PostbackState
    ]


def _total(query: dict[str, str]) -> int:
    params: dict[str, Any] = forms.checked(PostbacksList(), {**query, "limit": 1})
    return log.listed(g.account.id, **params).total


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
