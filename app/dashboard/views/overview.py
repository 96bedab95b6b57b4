"""The first screen: how it goes, and what needs attention."""

import time
from dataclasses import replace
from typing import Final

from flask import Blueprint, Response, g, render_template

from app.dashboard import answers, attention, names
from app.dashboard.access.guards import changes, signed_in
from app.dashboard.periods import chosen_campaign, chosen_period, scope_of
from app.errors import NotFound
from app.services import first_steps
from app.services.accounts import hidden_items
from app.services.campaigns import links
from app.services.leads.stats import counts

blueprint = Blueprint("overview", __name__)

#: The click id of the first test person.
TEST_CLICK: Final = "test1"


@blueprint.get("/")
@signed_in
def page() -> str:
    """Counters of a period beside those of the one before, its days, and what is wrong.

    An account whose first postback was not delivered yet sees the steps that lead there.
    """
    now = int(time.time())
    steps = first_steps.progress(g.account.id, now)
    period = chosen_period(now)
    scope = scope_of(period, now, **chosen_campaign())
    items, hidden = attention.items(g.account, now), hidden_items.hidden(g.account.id, now)
    return render_template(
        "overview/overview.html",
        period=period,
        summary=counts.summary(scope),
        days=counts.daily(replace(scope, since=period.day_since), tz=period.minutes_east),
        campaigns=names.campaigns(g.account.id),
        items=[item for item in items if item.name not in hidden],
        hidden=sum(item.name in hidden for item in items),
        steps=steps,
        test_link="" if steps.has_delivered else _test_link(steps.campaign),
        has_numbers=steps.campaign is not None or steps.lead is not None,
    )


@blueprint.post("/attention")
@changes()
def hide() -> Response:
    """Hide one thing that needs attention for a week, or show all again."""
    now = time.time()
    if g.form.get("do") == "show":
        hidden_items.show_all(g.account.id)
        return answers.redirect_to("/")
    name = g.form.get("item", "")
    if name not in {item.name for item in attention.items(g.account, int(now))}:
        raise NotFound
    hidden_items.hide(g.account.id, name, now)
    return answers.redirect_to("/?done=hidden")


def _test_link(campaign: int | None) -> str:
    """Return the start link of a campaign for a person who tries it; "" without a campaign."""
    return links.make(g.account.id, campaign, TEST_CLICK).link if campaign else ""
