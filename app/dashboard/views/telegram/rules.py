"""The rules of a campaign's desk: their order, one of them, and what they would have done."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from flask import Blueprint, Response, g, render_template

from app.dashboard import answers, names, rule_form
from app.dashboard.access.guards import changes, limited, signed_in
from app.domain.join_requests.rules import Verdict
from app.errors import ApiError, NotFound
from app.models import RequestState
from app.services.campaigns import campaigns
from app.services.join_requests.owner import rule_edits, rule_list
from app.services.join_requests.owner.rule_list import TrialResult

blueprint = Blueprint("rules", __name__, url_prefix="/campaigns/<id:number>/rules")

STEPS: Final = {"up": -1, "down": 1}


@blueprint.get("")
@signed_in
def listed(number: int) -> str:
    """All rules, in their order."""
    return _list(number, None)


@blueprint.get("/try")
@signed_in
def try_out(number: int) -> str:
    """What the rules in force would have done with the last requests."""
    with limited("rules.try_out"):
        return _list(number, rule_list.try_out(g.account.id, number))


@blueprint.get("/new")
@signed_in
def new(number: int) -> Response:
    """The form of a new rule."""
    return _form(number, 0, rule_form.NEW)


@blueprint.post("")
@changes()
def add(number: int) -> Response:
    """Put a rule behind all others, or try what it would change."""
    return _save(number, 0)


@blueprint.get("/<id:rule>")
@signed_in
def one(number: int, rule: int) -> Response:
    """The form of one rule."""
    return _form(number, rule, rule_form.shown(_find(number, rule)))


@blueprint.post("/<id:rule>")
@changes()
def change(number: int, rule: int) -> Response:
    """Save, try, move or delete a rule."""
    do = g.form.get("do", "")
    if do in STEPS:
        rule_edits.move(g.account.id, number, rule, STEPS[do])
        return _redirect(number, f"?done=saved#rule-{rule}")
    if do == "delete":
        rule_edits.remove(g.account.id, number, rule)
        return _redirect(number, "?done=removed")
    return _save(number, rule)


def _save(number: int, rule: int) -> Response:
    """Save what was typed, or with the button for it only try it."""
    typed = rule_form.typed(g.form)
    try:
        values = rule_form.checked(typed)
        if g.form.get("do") == "try":
            rules = rule_edits.current(g.account.id, number)
            rules = rule_edits.with_rule(rules, values, rule)
            with limited("rules.try_out"):
                trial = rule_list.try_out(g.account.id, number, rules)
            return _form(number, rule, typed, trial=trial)
        rule_edits.put(g.account.id, number, values, rule)
    except NotFound:
        raise
    except ApiError as error:
        return _form(number, rule, typed, error=error)
    return _redirect(number, "?done=saved")


def _find(number: int, rule: int) -> Any:
    for row in rule_list.listed(g.account.id, number):
        if row.id == rule:
            return row
    raise NotFound


def _list(number: int, trial: Sequence[TrialResult] | None) -> str:
    campaign = campaigns.find(g.account.id, number)
    sources = names.sources(g.account.id)
    rows = rule_list.listed(g.account.id, number)
    return render_template(
        "campaigns/rules.html",
        rows=rows,
        words={row.id: rule_form.in_words(row.conditions, sources) for row in rows},
        **_around(campaign),
        **_tried(trial),
    )


def _form(
    number: int,
    rule: int,
    typed: Mapping[str, Any],
    *,
    error: ApiError | None = None,
    trial: Sequence[TrialResult] | None = None,
) -> Response:
    return answers.page(
        "campaigns/rule.html",
        error,
        rule=rule,
        typed=typed,
        titles=rule_form.titles(),
        sources=names.sources(g.account.id),
        weekdays=rule_form.weekdays(),
        ways=rule_form.ways(),
        flags=rule_form.FLAGS,
        **_around(campaigns.find(g.account.id, number)),
        **_tried(trial),
    )


def _around(campaign: Any) -> dict[str, Any]:
    """What stands around: the campaign's tabs, and words for actions."""
    return {
        "campaign": campaign,
        "tab": "desk",
        "actions": rule_form.actions(),
        "verdicts": {int(verdict): verdict.name.lower() for verdict in Verdict},
    }


def _tried(trial: Sequence[TrialResult] | None) -> dict[str, Any]:
    counts = Counter((row.position, row.action) for row in trial or ())
    open_ = {RequestState.WAITING, RequestState.SCHEDULED, RequestState.SENDING}
    return {"trial": trial, "counts": sorted(counts.items()), "open_states": open_}


def _redirect(number: int, rest: str) -> Response:
    return answers.redirect_to(f"/campaigns/{number}/rules{rest}")
