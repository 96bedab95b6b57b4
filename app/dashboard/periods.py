"""Periods that a screen shows: chosen in the query, in days of the account's zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from flask import request

from app.dashboard.formatting import minutes_east, zone
from app.translations import gettext

DEFAULT: Final = "30"
#: What the day charts show at least.
CHART_DAYS: Final = 30
_STEP_MINUTES: Final = 15


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


def choices() -> list[tuple[str, str]]:
    """Return the names of the periods and what they are called."""
    return [
        ("today", gettext("Today")),
        ("yesterday", gettext("Yesterday")),
        ("7", gettext("7 days")),
        ("30", gettext("30 days")),
        ("month", gettext("This month")),
    ]


def chosen_period(now: int) -> Period:
    """Return the period that the query names, `?period=7`, or its `from` and `to` days."""
    today = datetime.fromtimestamp(now, zone()).replace(hour=0, minute=0, second=0, microsecond=0)
    own = _own_days()
    if own is not None:
        since, until = own
        return _period("own", since, until + timedelta(days=1))
    match request.args.get("period", DEFAULT):
        case "today":
            return _period("today", today, today + timedelta(days=1))
        case "yesterday":
            return _period("yesterday", today - timedelta(days=1), today)
        case "7":
            return _period("7", today - timedelta(days=6), today + timedelta(days=1))
        case "month":
            return _period("month", today.replace(day=1), today + timedelta(days=1))
        case _:
            return _period("30", today - timedelta(days=29), today + timedelta(days=1))


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
