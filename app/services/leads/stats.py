"""Statistics of campaigns: the counters of a range, of its days, and retention.

All of them read aggregates, so their cost grows with days and campaigns, never
with leads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, Table, func, select, text

from app.domain.lead import Counts
from app.domain.retention import MILESTONES, Cohort, survival
from app.domain.time_ranges import DAY, YEAR_10000
from app.errors import BadParameter, NotFound, translatable
from app.extensions import db
from app.models import Bot, Campaign
from app.services.leads.counters import COHORTS, COUNTERS, DAYS, QUARTER, QUARTERS

PER_DAY: Final = DAY // QUARTER
DEFAULT_DAYS: Final = 30
MAX_DAYS: Final = 366


@dataclass(frozen=True, slots=True)
class RangeCounts:
    """The counters of a range in Unix seconds, which includes both ends."""

    since: int
    until: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class Summary(RangeCounts):
    """The counters of a range, and of the range of the same length before it."""

    before: RangeCounts


@dataclass(frozen=True, slots=True)
class Day:
    """The counters of one day; `start` is 00:00 of that day as if it were UTC."""

    start: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class Survivors:
    """A cohort that joined on the day `start`, or all of them.

    `percent` by milestone (`d0`…) says how many stayed; None while it is unknown.
    """

    start: int
    joined: int
    percent: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Leaving:
    """How many left so many whole days after their join."""

    days: int
    left: int


@dataclass(frozen=True, slots=True)
class Retention:
    """Survivors by day of joining and in all, and how many left after how many days."""

    cohorts: Sequence[Survivors]
    total: Survivors
    leaving: Sequence[Leaving]


def summary(
    account_id: int,
    *,
    now: int,
    since: int | None = None,
    until: int | None = None,
    campaign: int | None = None,
    bot: int | None = None,
) -> Summary:
    """The counters of a range and of the range before it, rounded to quarters of an hour.

    Times are Unix seconds. Raises NotFound for a campaign or bot of another
    account, BadParameter for an empty range.
    """
    mine = _campaigns(account_id, campaign, bot)
    since, until = _range(since, until, now)
    first, last = since // QUARTER, until // QUARTER + 1
    before = max(0, first - (last - first))
    return Summary(
        first * QUARTER,
        last * QUARTER - 1,
        _sum(mine, first, last),
        RangeCounts(before * QUARTER, first * QUARTER - 1, _sum(mine, before, first)),
    )


def daily(
    account_id: int,
    *,
    now: int,
    since: int | None = None,
    until: int | None = None,
    campaign: int | None = None,
    bot: int | None = None,
    tz: int = 0,
) -> Sequence[Day]:
    """The counters of each day of a range, also of empty ones. `tz` is in minutes east of UTC.

    Raises as `summary`, and BadParameter for a range of more than 366 days.
    """
    mine = _campaigns(account_id, campaign, bot)
    shift = tz * 60
    since, until = _range(since, until, now)
    first, last = _days(since + shift, until + shift)
    counts = _by_day(mine, first, last, shift // QUARTER)
    return [Day(day * DAY, counts.get(day, Counts())) for day in range(first, last + 1)]


def retention(
    account_id: int,
    *,
    now: int,
    since: int | None = None,
    until: int | None = None,
    campaign: int | None = None,
    bot: int | None = None,
) -> Retention:
    """Survival by UTC day of joining. Raises as `daily`."""
    mine = _campaigns(account_id, campaign, bot)
    first, last = _days(*_range(since, until, now))
    joined = {day: counts.confirms for day, counts in _by_day(mine, first, last, 0).items()}
    left = _left(mine, first, last)
    cohorts = [Cohort(day, joined[day], left.get(day, {})) for day in sorted(joined) if joined[day]]
    ages: defaultdict[int, int] = defaultdict(int)
    for cohort in cohorts:
        for age, number in cohort.left.items():
            ages[age] += number
    return Retention(
        [_survivors(cohort.day * DAY, [cohort], now) for cohort in cohorts],
        _survivors(first * DAY, cohorts, now),
        [Leaving(age, number) for age, number in sorted(ages.items())],
    )


def _campaigns(account_id: int, campaign: int | None, bot: int | None) -> Select[Any]:
    """Select the ids of the campaigns that the filters name, deleted ones too. Raises NotFound."""
    mine = select(Campaign.id).where(Campaign.account_id == account_id)
    if campaign is not None:
        mine = mine.where(Campaign.id == campaign)
        if db.session.scalar(mine) is None:
            raise NotFound
    if bot is not None:
        owned = select(Bot.id).where(Bot.id == bot, Bot.account_id == account_id)
        if db.session.scalar(owned) is None:
            raise NotFound
        mine = mine.where(Campaign.bot_id == bot)
    return mine


def _range(since: int | None, until: int | None, now: int) -> tuple[int, int]:
    until = min(now if until is None else until, YEAR_10000 - 1)
    since = max(0, until - (DEFAULT_DAYS - 1) * DAY if since is None else since)
    if until < since:
        raise BadParameter("from", translatable("must not be after to"))
    return since, until


def _days(since: int, until: int) -> tuple[int, int]:
    first, last = since // DAY, until // DAY
    if last - first >= MAX_DAYS:
        raise BadParameter("from", translatable("at most %(most)d days at a time", most=MAX_DAYS))
    return first, last


def _sum(mine: Select[Any], first: int, last: int) -> Counts:
    """The counters of quarters with first ≤ quarter < last; whole days are read from day rows."""
    day, end_day = -(-first // PER_DAY), last // PER_DAY
    if day >= end_day:
        return _total(QUARTERS, QUARTERS.c.quarter, mine, first, last)
    return (
        _total(QUARTERS, QUARTERS.c.quarter, mine, first, day * PER_DAY)
        + _total(DAYS, DAYS.c.day, mine, day, end_day)
        + _total(QUARTERS, QUARTERS.c.quarter, mine, end_day * PER_DAY, last)
    )


def _total(table: Table, key: Any, mine: Select[Any], first: int, last: int) -> Counts:
    if first >= last:
        return Counts()
    row = db.session.execute(
        select(*_sums(table)).where(table.c.campaign_id.in_(mine), key >= first, key < last)
    ).one()
    return Counts(*(int(value or 0) for value in row))


def _by_day(mine: Select[Any], first: int, last: int, shift: int) -> dict[int, Counts]:
    """Counters by day from `first` to `last`, in a time zone `shift` quarters east of UTC."""
    if shift:
        table, key = QUARTERS, QUARTERS.c.quarter
        day: Any = (key + shift) // PER_DAY
        bounds = key >= first * PER_DAY - shift, key < (last + 1) * PER_DAY - shift
    else:
        table, key = DAYS, DAYS.c.day
        day, bounds = key, (key >= first, key <= last)
    rows = db.session.execute(
        select(day.label("day"), *_sums(table))
        .where(table.c.campaign_id.in_(mine), *bounds)
        .group_by(text("1"))
    )
    return {int(row[0]): Counts(*(int(value) for value in row[1:])) for row in rows}


def _sums(table: Table) -> list[Any]:
    return [func.sum(table.c[name]) for name in COUNTERS]


def _left(mine: Select[Any], first: int, last: int) -> dict[int, dict[int, int]]:
    row = COHORTS.c
    rows = db.session.execute(
        select(row.join_day, row.age_day, func.sum(row.left))
        .where(row.campaign_id.in_(mine), row.join_day >= first, row.join_day <= last)
        .group_by(row.join_day, row.age_day)
    )
    left: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for day, age, number in rows:
        left[day][age] = int(number)
    return left


def _survivors(start: int, cohorts: list[Cohort], now: int) -> Survivors:
    joined = sum(cohort.joined for cohort in cohorts)
    return Survivors(start, joined, {f"d{age}": survival(cohorts, age, now) for age in MILESTONES})
