"""Periods that a screen shows: chosen in the query, in days of the account's zone."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import urlencode

from flask import g, request

from app.dashboard.access import forms
from app.dashboard.formatting import minutes_east, zone
from app.schemas import Input, fields
from app.services.lists.scope import Scope
from app.translations import gettext

DEFAULT: Final = "30"
#: What a page may be filtered by beside its period.
BESIDE: Final = ("campaign", "source", "by", "sort", "compare", "days")
#: What the day charts show at least.
CHART_DAYS: Final = 30
_STEP_MINUTES: Final = 15
#: At which day a period begins and before which it ends, counted from today.
_DAYS: Final = {"today": (0, 1), "yesterday": (-1, 0), "7": (-6, 1), DEFAULT: (-29, 1)}


class CampaignForm(Input):
    """Which campaign; none is all of them."""

    campaign = fields.Int(1)


class Period(NamedTuple):
    """A period in Unix seconds, with both ends.

    `minutes_east` is the zone's offset at its end, in which its days are counted, and
    `day_since` where the chart of days begins.
    """

    name: str
    since: int
    until: int
    day_since: int
    minutes_east: int


def choices() -> list[tuple[str, str, str]]:
    """Return the names of the periods, what they are called, and the query that chooses each.

    The other filters of the page stay.
    """
    others = kept_filters()
    return [(name, title, urlencode({**others, "period": name})) for name, title in titles()]


def titles() -> list[tuple[str, str]]:
    """Return the names of the periods and what they are called."""
    return [
        ("today", gettext("Today")),
        ("yesterday", gettext("Yesterday")),
        ("7", gettext("7 days")),
        ("30", gettext("30 days")),
        ("month", gettext("This month")),
    ]


def kept_filters() -> dict[str, str]:
    """Return the filters of the page beside its period."""
    return {name: value for name in BESIDE if (value := request.args.get(name))}


def period_fields(period: Period) -> dict[str, str]:
    """Return the query that chooses a period, for the forms beside it."""
    if period.name == "own":
        return {name: request.args[name] for name in ("from", "to")}
    return {"period": period.name}


def chosen_period(now: int) -> Period:
    """Return the period that the query names, `?period=7`, or its `from` and `to` days."""
    today = _midnight(now)
    own = _own_days()
    if own is not None:
        since, until = own
        return _period("own", since, until + timedelta(days=1))
    return _named(request.args.get("period", DEFAULT), today)


def as_range(query: Mapping[str, str]) -> dict[str, str]:
    """Return the filters of a list with `from` and `to`, Unix seconds, in the place of a period."""
    rest = {name: value for name, value in query.items() if name != "period"}
    if not query.get("period"):
        return rest
    period = _named(query["period"], _midnight(time.time()))
    return {**rest, "from": str(period.since), "to": str(period.until)}


def scope_of(period: Period, now: int, **filters: int) -> Scope:
    """Return a period of the account as statistics take it; `filters` are those of a Scope."""
    since, until = period.since, period.until
    return Scope(account_id=g.account.id, now=now, since=since, until=until, **filters)


def _midnight(now: float) -> datetime:
    today = datetime.fromtimestamp(now, zone())
    return today.replace(hour=0, minute=0, second=0, microsecond=0)


def _named(name: str, today: datetime) -> Period:
    if name == "month":
        return _period(name, today.replace(day=1), today + timedelta(days=1))
    name = name if name in _DAYS else DEFAULT
    first, end = _DAYS[name]
    return _period(name, today + timedelta(days=first), today + timedelta(days=end))


def chosen_campaign() -> dict[str, int]:
    """Return `campaign` if the query names one. Raises BadParameter for what is no number."""
    return forms.checked(CampaignForm(), forms.non_empty(request.args, ["campaign"]))


def _period(name: str, since: datetime, until: datetime) -> Period:
    first, last = int(since.timestamp()), int(until.timestamp()) - 1
    east = minutes_east(last)
    east -= east % _STEP_MINUTES
    chart = min(first, last + 1 - CHART_DAYS * 86_400)
    return Period(name, max(0, first), max(0, last), max(0, chart), east)


def _own_days() -> tuple[datetime, datetime] | None:
    """Return the days of `?from=2026-01-01&to=2026-01-31`; None if they are no days."""
    try:
        since, until = (
            datetime.strptime(request.args[name], "%Y-%m-%d").replace(tzinfo=UTC)
            for name in ("from", "to")
        )
    except (KeyError, ValueError):
        return None
    since, until = since.replace(tzinfo=zone()), until.replace(tzinfo=zone())
    is_usable = since.year >= 2000 and since <= until and (until - since).days < 366
    return (since, until) if is_usable and until.year < 2100 else None
