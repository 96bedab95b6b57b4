"""Statistics: days, who stays, and when the others left; each table also as CSV."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, g, render_template, request

from app.dashboard import answers, names
from app.dashboard.access import forms
from app.dashboard.access.guards import signed_in
from app.dashboard.periods import Period, chosen_period
from app.errors import NotFound
from app.schemas import Input, fields
from app.services.leads import stats

blueprint = Blueprint("stats", __name__, url_prefix="/statistics")

MILESTONES: Final = ("d0", "d1", "d3", "d7", "d14", "d30")


class Filter(Input):
    """Which campaign; none is all of them."""

    campaign = fields.Int(1)


@blueprint.get("")
@signed_in
def page() -> str:
    """The counters by day and by campaign, and who stays."""
    now = int(time.time())
    period, chosen = chosen_period(now), _chosen()
    common: dict[str, Any] = {"now": now, "since": period.since, "until": period.until, **chosen}
    titles = names.campaigns(g.account.id)
    return render_template(
        "stats/stats.html",
        period=period,
        query=urlencode({**_period_query(period), **chosen}),
        campaign=chosen.get("campaign", ""),
        campaigns=titles,
        summary=stats.summary(g.account.id, **common),
        days=_days(period, now, chosen),
        by_campaign=[] if chosen else _by_campaign(titles, period, now),
        retention=stats.retention(g.account.id, **common),
    )


@blueprint.get("/<table>.csv")
@signed_in
def export(table: str) -> Response:
    """One of the tables as CSV."""
    now = int(time.time())
    period, chosen = chosen_period(now), _chosen()
    common: dict[str, Any] = {"now": now, "since": period.since, "until": period.until, **chosen}
    head: tuple[str, ...]
    rows: Iterable[Sequence[object]]
    match table:
        case "days":
            head = ("date", "starts", "requests", "joined", "left")
            rows = [(_date(day.start), *_counts(day)) for day in _days(period, now, chosen)]
        case "campaigns":
            head = ("campaign", "starts", "requests", "joined", "left")
            titles = names.campaigns(g.account.id)
            rows = [
                (title, *_counts(counted))
                for _, title, counted in _by_campaign(titles, period, now)
            ]
        case "retention":
            head = ("date", "joined", *MILESTONES)
            cohorts = stats.retention(g.account.id, **common).cohorts
            rows = [
                (_date(item.start), item.joined, *(item.percent[name] for name in MILESTONES))
                for item in cohorts
            ]
        case "leaving":
            head = ("days", "left")
            rows = [
                (item.days, item.left) for item in stats.retention(g.account.id, **common).leaving
            ]
        case _:
            raise NotFound
    return answers.table_as_file(f"{table}.csv", [head, *rows])


def _chosen() -> dict[str, int]:
    typed = {name: value for name in ("campaign",) if (value := request.args.get(name))}
    chosen: dict[str, int] = forms.checked(Filter(), typed)
    return chosen


def _period_query(period: Period) -> dict[str, str]:
    if period.name == "own":
        return {"from": request.args["from"], "to": request.args["to"]}
    return {"period": period.name}


def _days(period: Period, now: int, chosen: dict[str, int]) -> Sequence[stats.Day]:
    return stats.daily(
        g.account.id,
        now=now,
        since=period.since,
        until=period.until,
        tz=period.minutes_east,
        **chosen,
    )


def _by_campaign(
    titles: dict[int, str], period: Period, now: int
) -> list[tuple[int, str, stats.RangeCounts]]:
    """Return the campaigns with their counters, those that brought most first."""
    rows = [
        (
            number,
            title,
            stats.summary(
                g.account.id, now=now, since=period.since, until=period.until, campaign=number
            ),
        )
        for number, title in list(titles.items())[:100]
    ]
    return sorted(rows, key=lambda row: -row[2].counts.confirms)


def _counts(row: Any) -> tuple[int, int, int, int]:
    counts = row.counts
    return counts.starts, counts.holds, counts.confirms, counts.unsubs


def _date(start: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(start))
