"""The first screen: how it goes, and what needs attention."""

from __future__ import annotations

import time

from flask import Blueprint, g, render_template

from app.dashboard import attention
from app.dashboard.access.guards import signed_in
from app.dashboard.periods import chosen_period
from app.services.leads import stats

blueprint = Blueprint("overview", __name__)


@blueprint.get("/")
@signed_in
def page() -> str:
    """Counters of a period beside those of the one before, its days, and what is wrong."""
    now = int(time.time())
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
    )
