"""The first screen: how it goes, and what needs attention."""

from __future__ import annotations

import time
from typing import Final

from flask import Blueprint, g, render_template

from app.dashboard import attention
from app.dashboard.access.guards import signed_in
from app.dashboard.periods import chosen_period
from app.services import first_steps
from app.services.campaigns import links
from app.services.leads import stats

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
    summary = stats.summary(g.account.id, now=now, since=period.since, until=period.until)
    days = stats.daily(
        g.account.id, now=now, since=period.day_since, until=period.until, tz=period.minutes_east
    )
    return render_template(
        "overview/overview.html",
        period=period,
        summary=summary,
        days=days,
        items=attention.items(g.account, now),
        steps=steps,
        test_link="" if steps.has_delivered else _test_link(steps.campaign),
        has_numbers=steps.campaign is not None or steps.lead is not None,
    )


def _test_link(campaign: int | None) -> str:
    """Return the start link of a campaign for a person who tries it; "" without a campaign."""
    return links.make(g.account.id, campaign, TEST_CLICK).link if campaign else ""
