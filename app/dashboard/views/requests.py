"""Join requests: who waits, who is scheduled, who was decided; and deciding them."""

import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, g, render_template, request

from app.dashboard import answers, names, rule_form
from app.dashboard.access import forms
from app.dashboard.access.guards import changes, limited, signed_in
from app.domain.join_requests.facts import Came
from app.domain.join_requests.rules import Verdict
from app.errors import NotFound
from app.models import RequestState
from app.schemas.requests import RequestOut, RequestsFilter, RequestsList, WithMessage
from app.services.join_requests import query as requests
from app.services.join_requests.owner import decisions, measures
from app.translations import gettext

blueprint = Blueprint("requests", __name__, url_prefix="/requests")

#: For so long after the request Telegram lets the bot write, in seconds.
WINDOW: Final = 300
FILTERS: Final = ("campaign", "source", "how", "premium", "language", "state")
#: The states of each tab.
TABS: Final[Mapping[str, tuple[RequestState, ...]]] = {
    "waiting": (RequestState.WAITING,),
    "scheduled": (RequestState.SCHEDULED, RequestState.SENDING),
    "decided": (
        RequestState.APPROVED,
        RequestState.DECLINED,
        RequestState.JOINED,
        RequestState.GONE,
    ),
    "failed": (RequestState.FAILED,),
}
_VERDICTS: Final = {
    "approve": Verdict.APPROVE,
    "decline": Verdict.DECLINE,
    "hold": Verdict.HOLD,
}


@blueprint.get("")
@signed_in
def listed() -> str:
    """Requests of one tab that match the filters, newest first."""
    tab, query = _tab(request.args), _query(request.args)
    batch = request.args.get("batch", "")[:16]
    params = forms.checked(RequestsList(), {**query, **answers.page_params()})
    page = requests.listed(g.account.id, states=TABS[tab], **params)
    counts = requests.counts(g.account.id, params.get("campaign"))
    now = time.time()
    return render_template(
        "requests/list.html",
        **answers.rows_of(page, "/requests", {**query, "tab": tab}),
        tab=tab,
        tabs=[(name, title, sum(counts[s] for s in TABS[name])) for name, title in _titles()],
        query=query,
        filter_query=urlencode({name: query[name] for name in query if name != "state"}),
        campaigns=names.campaigns(g.account.id),
        sources=names.sources(g.account.id),
        ways=_ways(),
        states=states(),
        state_choices=[(state.name.lower(), states()[state][1]) for state in TABS["decided"]],
        left_of_batch=decisions.on_their_way(g.account.id, batch),
        measures=measures.measure(g.account.id, now, params.get("campaign")),
        left={row.id: _left(row, now) for row in page.rows},
        now=now,
    )


@blueprint.get("/requests.csv")
@signed_in
def export() -> Response:
    """All requests of one tab that match the filters."""
    parts = requests.read_all(g.account.id, **chosen(request.args))
    return answers.rows_as_file("requests.csv", RequestOut(many=True), parts)


@blueprint.get("/<id:number>")
@signed_in
def one(number: int) -> str:
    """One request, with what the person says of themselves."""
    detail = requests.find(g.account.id, number)
    return render_template(
        "requests/request.html",
        row=detail.request,
        bio=detail.bio,
        campaigns=names.campaigns(g.account.id),
        ways=_ways(),
        states=states(),
    )


@blueprint.post("")
@changes("requests.decide")
def decide() -> Response:
    """Decide the requests that are marked, or the one whose button was pressed."""
    verb, _, number = g.form.get("do", "").partition("-")
    marked = [number] if number else g.form.all("ids")
    ids = [int(text) for text in marked if text.isascii() and text.isdigit() and len(text) < 19]
    if verb not in _VERDICTS:
        raise NotFound
    made = decisions.decide(g.account.id, _VERDICTS[verb], time.time(), ids=ids, message=_message())
    return _redirect(made.batch if made.count else "")


@blueprint.get("/all")
@signed_in
def ask() -> str:
    """How many requests the filters find, by source and language, before all are decided."""
    decision = request.args.get("decision", "")
    if decision not in _VERDICTS:
        raise NotFound
    query = _query(request.args)
    params = _waiting(query)
    with limited("requests.decide"):
        counted = decisions.decide(
            g.account.id, _VERDICTS[decision], time.time(), dry=True, **params
        )
    return render_template(
        "requests/all.html",
        counted=counted,
        decision=decision,
        query=query,
        sources=names.sources(g.account.id),
        back=f"/requests?{urlencode(query)}",
    )


@blueprint.post("/all")
@changes("requests.decide")
def decide_all() -> Response:
    """Decide all that wait and match the filters."""
    decision = g.form.get("decision", "")
    if decision not in _VERDICTS:
        raise NotFound
    params = _waiting(_query(g.form))
    made = decisions.decide(
        g.account.id, _VERDICTS[decision], time.time(), message=_message(), **params
    )
    return _redirect(made.batch if made.count else "")


@blueprint.post("/undo")
@changes("requests.undo")
def undo() -> Response:
    """Let those of the last decision wait again of whom Telegram was not told yet."""
    decisions.undo(g.account.id, g.form.get("batch", "")[:16])
    return _redirect("")


def _message() -> str:
    """What is said with the decision."""
    text = g.form.get("message", "").replace("\r\n", "\n")
    return str(forms.checked(WithMessage(), {"message": text})["message"])


def _waiting(query: Mapping[str, str]) -> dict[str, Any]:
    params = forms.checked(RequestsFilter(), query)
    return {**params, "state": RequestState.WAITING}


def chosen(values: Mapping[str, str]) -> dict[str, Any]:
    """Return the filters of a query as `requests.read_all` takes them.

    Raises NotFound for a tab that is none, or BadParameter.
    """
    return {**forms.checked(RequestsFilter(), _query(values)), "states": TABS[_tab(values)]}


def _query(values: Mapping[str, str]) -> dict[str, str]:
    return forms.non_empty(values, FILTERS)


def _tab(values: Mapping[str, str]) -> str:
    tab = values.get("tab", "waiting")
    if tab not in TABS:
        raise NotFound
    return tab


def _redirect(batch: str) -> Response:
    """Lead back to the list; `batch` can be undone there."""
    where = "/requests?" + urlencode({"batch": batch, "done": "saved"} if batch else {})
    return answers.redirect_to(where.rstrip("?"))


def _left(row: Any, now: float) -> str:
    """For how long the bot may still write to the person, as minutes and seconds."""
    left = int(row.asked + WINDOW - now)
    is_open = row.state <= RequestState.SENDING and 0 < left <= WINDOW
    return f"{left // 60}:{left % 60:02}" if is_open else ""


def _titles() -> list[tuple[str, str]]:
    return [
        ("waiting", gettext("Waiting")),
        ("scheduled", gettext("Scheduled")),
        ("decided", gettext("Decided")),
        ("failed", gettext("Failed")),
    ]


def _ways() -> dict[int, str]:
    words = rule_form.ways()
    return {way: words[way.word] for way in Came}


def states() -> dict[int, tuple[str, str]]:
    """Return kind and word of a pill for each state."""
    return {
        RequestState.WAITING: ("warn", gettext("waits")),
        RequestState.SCHEDULED: ("calm", gettext("is scheduled")),
        RequestState.SENDING: ("calm", gettext("is being told")),
        RequestState.APPROVED: ("good", gettext("approved, not joined yet")),
        RequestState.DECLINED: ("bad", gettext("was declined")),
        RequestState.JOINED: ("good", gettext("has joined")),
        RequestState.GONE: ("calm", gettext("has gone")),
        RequestState.FAILED: ("bad", gettext("cannot be decided")),
    }
