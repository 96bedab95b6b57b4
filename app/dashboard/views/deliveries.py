"""Deliveries: postbacks with their attempts, and sending them again."""

import re
import shlex
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, g, render_template, request

from app.dashboard import answers, names
from app.dashboard.access import forms
from app.dashboard.access.guards import changes, signed_in
from app.dashboard.navigation import state_name
from app.dashboard.periods import as_range
from app.models import PostbackState
from app.schemas.postbacks import PostbackFilter, PostbackOut, PostbacksList
from app.services.postbacks import answered, log
from plugins.contract import EventKind

blueprint = Blueprint("deliveries", __name__, url_prefix="/deliveries")

FILTERS: Final = ("state", "event", "dest", "campaign", "lead", "status", "period", "from", "to")
#: Trackers and events that are counted apart before a re-send: each costs a query.
MOST_PARTS: Final = 100
#: States in which a postback is on its way.
ON_THE_WAY: Final = (PostbackState.WAITING, PostbackState.SENDING)
_LIST: Final = PostbacksList()
_FILTER: Final = PostbackFilter()
_FIRST_LINE: Final = re.compile(r"([A-Z]{3,10}) (https?://\S+)")
#: A request is kept up to so many characters; one so long may end early.
_LONGEST_REQUEST: Final = 4096


@blueprint.get("")
@signed_in
def listed() -> str:
    """Postbacks that match the filters, newest first, and how many of each state there are."""
    query = _query(request.args)
    params = forms.checked(_LIST, {**as_range(query), **answers.page_params()})
    counts = _counts(query)
    matching = sum(counts.values()) if "state" not in params else counts[params["state"]]
    page = log.listed(g.account.id, total=matching, **params)
    campaigns, trackers = names.with_trackers(g.account.id)
    return render_template(
        "deliveries/list.html",
        **answers.rows_of(page, "/deliveries", query),
        **_figures(params, [row.id for row in page.rows], counts),
        query=query,
        filter_query=urlencode(query),
        counts=[(state_name(state), counts[state]) for state in PostbackState],
        matching=matching,
        searched=answered.SEARCHED,
        campaigns=campaigns,
        trackers=trackers,
        kinds=list(EventKind),
        waiting=int(PostbackState.WAITING),
    )


@blueprint.get("/deliveries.csv")
@signed_in
def export() -> Response:
    """All postbacks that match the filters, times in the account's zone."""
    parts = log.read_all(g.account.id, **chosen(request.args))
    return answers.rows_as_file("deliveries.csv", PostbackOut(many=True), parts)


@blueprint.get("/<id:number>")
@signed_in
def one(number: int) -> str:
    """One postback with every attempt: what was sent, what came back, what it meant."""
    explained = log.explained(g.account.id, number)
    campaigns, trackers = names.with_trackers(g.account.id)
    return render_template(
        "deliveries/delivery.html",
        row=explained.postback,
        attempts=explained.attempts,
        campaigns=campaigns,
        trackers=trackers,
        curl_of=curl_of,
    )


@blueprint.post("/<id:number>/resend")
@changes("postbacks.resend")
def resend_one(number: int) -> Response:
    """Send one postback once more."""
    log.resend(g.account.id, number)
    return answers.redirect_to(f"/deliveries/{number}?done=again")


@blueprint.get("/resend")
@signed_in
def ask() -> str:
    """How many postbacks the filters find, by tracker and event, before they are sent again."""
    query = _query(request.args)
    trackers = names.with_trackers(g.account.id).trackers
    parts = _parts(query, trackers)
    total = _total(query)
    return render_template(
        "deliveries/resend.html",
        query=query,
        parts=parts,
        total=min(total, log.RESEND_CAP),
        is_cut=total > log.RESEND_CAP,
        most=log.RESEND_CAP,
        searched=answered.SEARCHED if "status" in query else None,
        trackers=trackers,
    )


@blueprint.post("/resend")
@changes("postbacks.resend")
def resend() -> Response:
    """Send what the filters find once more, and lead to the page that shows how it goes."""
    query = _query(g.form)
    params = forms.checked(_LIST, as_range(query))
    filters = {name: value for name, value in params.items() if name not in ("limit", "offset")}
    count = log.resend(g.account.id, **filters)
    rest = _without_ends(query)
    sent = {**rest, "count": count, "at": int(time.time())}
    return answers.redirect_to(f"/deliveries/sent?{urlencode(sent)}")


@blueprint.get("/sent")
@signed_in
def progress() -> str:
    """How far a re-send has come. Its address holds everything: it can be left and found again."""
    query = _without_ends(_query(request.args))
    count = _number(request.args.get("count", ""))
    counts = _counts(query)
    left = min(count, sum(counts[state] for state in ON_THE_WAY))
    return render_template(
        "deliveries/sent.html",
        count=count,
        left=left,
        gone=count - left,
        at=_number(request.args.get("at", "")),
        filter_query=urlencode(query),
    )


def chosen(values: Mapping[str, str]) -> dict[str, Any]:
    """Return the filters of a query as `log.read_all` takes them. Raises BadParameter."""
    return forms.checked(_FILTER, as_range(_query(values)))


def curl_of(text: str) -> str:
    """Return a request that was noted down as a line for a shell, secrets masked as they are.

    Empty for what is no whole request: one that was erased, or that may have been cut.
    """
    head, _, body = text.partition("\n\n")
    first, *headers = head.split("\n")
    request_line = _FIRST_LINE.fullmatch(first)
    if not request_line or len(text) >= _LONGEST_REQUEST:
        return ""
    words = ["curl", "--globoff", "-X", request_line[1], request_line[2]]
    for header in headers:
        words += ["-H", header]
    return shlex.join([*words, *(["--data-raw", body] if body else [])])


def _figures(
    params: dict[str, Any], shown: Sequence[int], counts: Mapping[int, int]
) -> dict[str, Any]:
    """Return last attempts, how fast trackers answer, and since when the oldest has been due."""
    place = ("limit", "before", "offset", "status")
    filters = {name: value for name, value in params.items() if name not in place}
    is_filtered = any(name != "state" for name in filters)
    # Most of the time nothing waits, and then nothing is due.
    may_be_due = is_filtered or counts[PostbackState.WAITING]
    return {
        **answered.figures(g.account.id, shown, **filters)._asdict(),
        "latency_of": answered.MEASURED,
        "oldest_due": log.oldest_due(g.account.id, time.time()) if may_be_due else None,
    }


def _query(values: Mapping[str, str]) -> dict[str, str]:
    """Return the filters that are set."""
    return forms.non_empty(values, FILTERS)


def _without_ends(query: Mapping[str, str]) -> dict[str, str]:
    """Return the filters without `state` and `status`, which another try changes."""
    return {name: value for name, value in query.items() if name not in ("state", "status")}


def _counts(query: dict[str, str]) -> Mapping[int, int]:
    """How many postbacks match the filters in each state, whatever state and code are chosen."""
    rest = _without_ends(query)
    return log.counts(g.account.id, **forms.checked(_FILTER, as_range(rest)))


def _total(query: dict[str, str]) -> int:
    params: dict[str, Any] = forms.checked(_LIST, {**as_range(query), "limit": 1})
    return log.listed(g.account.id, **params).total


def _parts(query: dict[str, str], trackers: Mapping[int, str]) -> list[tuple[int, str, int]]:
    """How many postbacks the filters find of each tracker and event, where there are any."""
    if "status" in query:
        filters = forms.checked(_FILTER, as_range(query))
        counts = log.by_tracker_and_event(g.account.id, **filters)
        return [(*part, count) for part, count in counts.most_common() if part[0] in trackers]
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
    return [part for part in parts if part[2]]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
