"""Statistics: days, who stays, and when the others left; each table also as CSV."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, Response, g, render_template, request

from app.dashboard import names
from app.dashboard.access.guards import signed_in
from app.dashboard.navigation import rate
from app.dashboard.periods import (
    Period,
    chosen_campaign,
    chosen_period,
    kept_filters,
    period_fields,
    scope_of,
)
from app.domain.lead import Counts
from app.errors import NotFound
from app.schemas.stats import TABLES
from app.services.leads.stats import counts, retention, tables
from app.services.leads.stats.counts import CampaignCounts, Day
from app.services.lists.scope import Scope
from app.web.csv_answers import csv_answer

blueprint = Blueprint("stats", __name__, url_prefix="/statistics")

#: Campaigns on the page; the file has all.
SHOWN: Final = 100
#: By what days and campaigns are sorted; what is not counted comes last.
_SORTS: Final[Mapping[str, Callable[[Counts], float]]] = {
    "starts": lambda counts: counts.starts,
    "holds": lambda counts: counts.holds,
    "confirms": lambda counts: counts.confirms,
    "unsubs": lambda counts: counts.unsubs,
    "kicks": lambda counts: -1 if counts.kicks is None else counts.kicks,
    "rate": rate,
    "net": lambda counts: counts.confirms - counts.unsubs,
    "organic": lambda counts: -1 if counts.organic is None else counts.organic,
}
#: The parameters of the query that sort days and campaigns, and by what else.
_DEFAULTS: Final = {"days": "first", "sort": "confirms"}


@blueprint.get("")
@signed_in
def page() -> str:
    """The counters by day and by campaign, and who stays."""
    period, chosen, scope = _asked()
    query = {**period_fields(period), **chosen}
    days = counts.daily(scope, tz=period.minutes_east)
    return render_template(
        "stats/stats.html",
        period=period,
        query=urlencode(query),
        sort_links=_sort_links(query),
        campaigns=names.campaigns(g.account.id),
        summary=counts.summary(scope),
        days=days,
        sorted_days=_sorted_days(days),
        by_campaign=[] if chosen else _sorted(counts.by_campaign(scope))[:SHOWN],
        sorts={table: _sort(table) for table in _DEFAULTS},
        retention=retention.retention(scope),
    )


@blueprint.get("/<table>.csv")
@signed_in
def export(table: str) -> Response:
    """One of the tables as CSV."""
    if table not in TABLES:
        raise NotFound
    period, _, scope = _asked()
    rows = tables.rows(scope, table, tz=period.minutes_east)
    # Dates are days of the zone already.
    return csv_answer(f"{table}.csv", TABLES[table](many=True), [rows])


def _sort(table: str) -> str:
    """Return the column by which days or campaigns are sorted; "first" is that of their names."""
    sort = request.args.get(table, "")
    return sort if sort in _SORTS or sort == "first" else _DEFAULTS[table]


def _sort_links(query: Mapping[str, object]) -> dict[str, str]:
    """Return, for each table, the query of this page without the column that sorts it."""
    others = kept_filters()
    return {
        table: urlencode({**query, **{name: others[name] for name in others if name != table}})
        for table in _DEFAULTS
    }


def _sorted_days(days: Sequence[Day]) -> list[Day]:
    """Return the days with the largest number of the chosen column first, else the newest."""
    newest_first = list(reversed(days))
    if (sort := _sort("days")) == "first":
        return newest_first
    return sorted(newest_first, key=lambda day: _SORTS[sort](day.counts), reverse=True)


def _sorted(rows: Sequence[CampaignCounts]) -> list[CampaignCounts]:
    """Return the campaigns with the largest number of the chosen column first, or from A."""
    if (sort := _sort("sort")) == "first":
        return sorted(rows, key=lambda row: row.title.casefold())
    return sorted(rows, key=lambda row: _SORTS[sort](row.counts), reverse=True)


def _asked() -> tuple[Period, dict[str, int], Scope]:
    """Return the period, the chosen campaign, and both as statistics take them."""
    now = int(time.time())
    chosen = chosen_campaign()
    period = chosen_period(now)
    return period, chosen, scope_of(period, now, **chosen)
