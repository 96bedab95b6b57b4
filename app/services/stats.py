"""Counters of campaigns: kept in the transaction that moves the lead, read by time.

Everything here reads aggregates only, so its cost grows with days and
campaigns, never with leads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Connection, Select, Table, func, select, text
from sqlalchemy.dialects import postgresql, sqlite

from app.database import rows_table, with_rows
from app.domain.lead import Counts, Tally
from app.domain.retention import MILESTONES, OLDEST_AGE, Cohort, survival
from app.errors import BadParameter, NotFound
from app.extensions import db
from app.models import Bot, Campaign, CampaignCohort, CampaignDay, CampaignQuarter, table_of

DAY: Final = 86_400
QUARTER: Final = 900  # seconds; the offset of every time zone is a multiple of it

QUARTERS: Final = DAY // QUARTER
USUAL_DAYS: Final = 30
MOST_DAYS: Final = 366
LAST_MOMENT: Final = 253_402_300_799

_COUNTERS: Final = ("starts", "holds", "confirms", "unsubs")
_QUARTERS: Final = table_of(CampaignQuarter)
_DAYS: Final = table_of(CampaignDay)
_COHORTS: Final = table_of(CampaignCohort)


@dataclass(frozen=True, slots=True)
class Summary:
    """The counters of a range (Unix seconds, both ends inside) and of the one before it."""

    since: int
    until: int
    counts: Counts
    before: Counts

    @property
    def itself(self) -> Summary:
        """What the nested half of the answer is read from."""
        return self


@dataclass(frozen=True, slots=True)
class Day:
    """The counters of one day; `start` is 00:00 of that day as if it were UTC."""

    start: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class Survivors:
    """A cohort by its day, or all of them; percent by milestone (`d0`…), None while unknown."""

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
    """Who stays how long: by day of joining, in all, and how old those were who left."""

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
    """The counters of a range and of the range before it. Ends fall on quarters of an hour.

    Raises NotFound for a foreign campaign or bot, BadParameter for an empty range.
    """
    mine = _campaigns(account_id, campaign, bot)
    since, until = _range(since, until, now)
    first, last = since // QUARTER, until // QUARTER + 1
    before = max(0, first - (last - first))
    return Summary(
        first * QUARTER,
        last * QUARTER - 1,
        _sum(mine, first, last),
        _sum(mine, before, first),
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
    """Each day of a range, also the empty ones; `tz` is in minutes east of UTC.

    Raises as `summary`, and BadParameter for a range of more than 366 days.
    """
    mine = _campaigns(account_id, campaign, bot)
    shift = tz * 60
    since, until = _range(since, until, now)
    first, last = _days(since + shift, until + shift)
    found = _by_day(mine, first, last, shift // QUARTER)
    return [Day(day * DAY, found.get(day, Counts())) for day in range(first, last + 1)]


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
    joined = {day: one.confirms for day, one in _by_day(mine, first, last, 0).items()}
    left = _left(mine, first, last)
    cohorts = [Cohort(day, joined[day], left.get(day, {})) for day in sorted(joined) if joined[day]]
    ages: defaultdict[int, int] = defaultdict(int)
    for cohort in cohorts:
        for age, count_ in cohort.left.items():
            ages[age] += count_
    return Retention(
        [_survivors(cohort.day * DAY, [cohort], now) for cohort in cohorts],
        _survivors(first * DAY, cohorts, now),
        [Leaving(age, number) for age, number in sorted(ages.items())],
    )


def count(connection: Connection, tallies: Iterable[tuple[int, Tally]]) -> None:
    """Add what was counted, each with its campaign id. No commit."""
    days: defaultdict[tuple[int, int], Counts] = defaultdict(Counts)
    quarters: defaultdict[tuple[int, int], Counts] = defaultdict(Counts)
    cohorts: defaultdict[tuple[int, int, int], int] = defaultdict(int)
    for campaign, tally in tallies:
        days[campaign, tally.date // DAY] += tally.counts
        quarters[campaign, tally.date // QUARTER] += tally.counts
        if tally.joined is not None:
            cohorts[campaign, tally.joined // DAY, _age(tally.joined, tally.date)] += 1
    _add(connection, _DAYS, ("campaign_id", "day"), _COUNTERS, _rows(days))
    _add(connection, _QUARTERS, ("campaign_id", "quarter"), _COUNTERS, _rows(quarters))
    left = [(*place, number) for place, number in sorted(cohorts.items())]
    keys = ("campaign_id", "join_day", "age_day")
    _add(connection, _COHORTS, keys, ("left",), left)


def _age(joined: int, left: int) -> int:
    return min(max(left - joined, 0) // DAY, OLDEST_AGE)


def _rows(counts: Mapping[tuple[int, int], Counts]) -> list[tuple[int, ...]]:
    return [
        (*place, one.starts, one.holds, one.confirms, one.unsubs)
        for place, one in sorted(counts.items())
    ]


def _add(
    connection: Connection,
    table: Table,
    keys: Sequence[str],
    counters: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
) -> None:
    """Add to the rows of these keys, or make them."""
    if not rows:
        return
    ways = table, tuple(keys), tuple(counters)
    with_rows(connection, lambda flag: _addition(flag, *ways), [*keys, *counters], rows)


@lru_cache(maxsize=8)
def _addition(
    postgresql_: bool, table: Table, keys: tuple[str, ...], counters: tuple[str, ...]
) -> Any:
    names = [*keys, *counters]
    given = rows_table(postgresql_, {name: table.c[name].type for name in names})
    source = select(*(given.c[name] for name in names)).where(text("true"))
    maker = postgresql.insert if postgresql_ else sqlite.insert
    statement = maker(table).from_select(names, source)
    return statement.on_conflict_do_update(
        index_elements=list(keys),
        set_={name: table.c[name] + statement.excluded[name] for name in counters},
    )


def _campaigns(account_id: int, campaign: int | None, bot: int | None) -> Select[Any]:
    """Ids of the account's campaigns that are meant, deleted ones too."""
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
    until = min(now if until is None else until, LAST_MOMENT)
    since = max(0, until - (USUAL_DAYS - 1) * DAY if since is None else since)
    if until < since:
        raise BadParameter("from", "from: must not be after to")
    return since, until


def _days(since: int, until: int) -> tuple[int, int]:
    first, last = since // DAY, until // DAY
    if last - first >= MOST_DAYS:
        raise BadParameter("from", f"from: at most {MOST_DAYS} days at a time")
    return first, last


def _sum(mine: Select[Any], first: int, last: int) -> Counts:
    """Of the quarters from `first` up to, not including, `last`: whole days by day."""
    day, end_day = -(-first // QUARTERS), last // QUARTERS
    if day >= end_day:
        return _total(_QUARTERS, _QUARTERS.c.quarter, mine, first, last)
    return (
        _total(_QUARTERS, _QUARTERS.c.quarter, mine, first, day * QUARTERS)
        + _total(_DAYS, _DAYS.c.day, mine, day, end_day)
        + _total(_QUARTERS, _QUARTERS.c.quarter, mine, end_day * QUARTERS, last)
    )


def _total(table: Table, key: Any, mine: Select[Any], first: int, last: int) -> Counts:
    if first >= last:
        return Counts()
    row = db.session.execute(
        select(*_sums(table)).where(table.c.campaign_id.in_(mine), key >= first, key < last)
    ).one()
    return Counts(*(int(value or 0) for value in row))


def _by_day(mine: Select[Any], first: int, last: int, shift: int) -> dict[int, Counts]:
    """By day from `first` to `last`, in a zone `shift` quarters east of UTC."""
    if shift:
        table, key = _QUARTERS, _QUARTERS.c.quarter
        day: Any = (key + shift) // QUARTERS
        bounds = key >= first * QUARTERS - shift, key < (last + 1) * QUARTERS - shift
    else:
        table, key = _DAYS, _DAYS.c.day
        day, bounds = key, (key >= first, key <= last)
    rows = db.session.execute(
        select(day.label("day"), *_sums(table))
        .where(table.c.campaign_id.in_(mine), *bounds)
        .group_by(text("1"))
    )
    return {int(row[0]): Counts(*(int(value) for value in row[1:])) for row in rows}


def _sums(table: Table) -> list[Any]:
    return [func.sum(table.c[name]) for name in _COUNTERS]


def _left(mine: Select[Any], first: int, last: int) -> dict[int, dict[int, int]]:
    row = _COHORTS.c
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
