"""Who stays, by day of joining, and how soon the others left."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select

from app.domain.retention import MILESTONES, Cohort, survival
from app.domain.time_ranges import DAY
from app.extensions import db
from app.services.leads.counters import COHORTS
from app.services.leads.stats.aggregates import by_day, campaigns_of
from app.services.lists.scope import Scope, check_days


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


def retention(scope: Scope) -> Retention:
    """Survival by UTC day of joining. Raises as `counts.daily`."""
    mine = campaigns_of(scope)
    since, until = scope.seconds()
    first, last = check_days(since // DAY, until // DAY)
    joined = {day: counts.confirms for day, counts in by_day(mine, first, last, 0).items()}
    left = _left(mine, first, last)
    cohorts = [Cohort(day, joined[day], left.get(day, {})) for day in sorted(joined) if joined[day]]
    ages: defaultdict[int, int] = defaultdict(int)
    for cohort in cohorts:
        for age, number in cohort.left.items():
            ages[age] += number
    return Retention(
        [_survivors(cohort.day * DAY, [cohort], scope.now) for cohort in cohorts],
        _survivors(first * DAY, cohorts, scope.now),
        [Leaving(age, number) for age, number in sorted(ages.items())],
    )


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
