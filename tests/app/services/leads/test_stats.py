"""Statistics are read from aggregates: ranges, days and retention."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.domain.lead import CounterDelta, Counts
from app.errors import BadParameter, NotFound
from app.extensions import db
from app.services.leads import counters, stats

DAY = 86_400
QUARTER = 900
MIDNIGHT = 20_000 * DAY


@pytest.fixture
def campaign(world: Any) -> int:
    return int(world.campaign())


@pytest.fixture
def count(campaign: int) -> Callable[..., None]:
    """`count(at, starts=1)` adds to the counters of `campaign`."""

    def count_(at: int, joined: int | None = None, **numbers: int) -> None:
        delta = CounterDelta(at, Counts(**numbers), joined)
        counters.count(db.session.connection(), [(campaign, delta)])
        db.session.commit()

    return count_


def test_a_summary_has_the_range_and_the_one_of_the_same_length_before(
    account: Any, count: Callable[..., None]
) -> None:
    count(MIDNIGHT, starts=5)
    count(MIDNIGHT + 3 * QUARTER, starts=2)
    count(MIDNIGHT - 1, starts=1)
    since, until = MIDNIGHT, MIDNIGHT + QUARTER - 1
    summary = stats.summary(account.id, now=MIDNIGHT + DAY, since=since, until=until)
    assert (summary.since, summary.until, summary.counts) == (since, until, Counts(starts=5))
    assert summary.before == stats.RangeCounts(MIDNIGHT - QUARTER, since - 1, Counts(starts=1))


def test_a_range_of_days_and_quarters_adds_up(account: Any, count: Callable[..., None]) -> None:
    for at in (-QUARTER, 0, 5 * DAY, 8 * DAY, 8 * DAY + QUARTER):
        count(MIDNIGHT + at, confirms=1)
    since, until = MIDNIGHT - QUARTER, MIDNIGHT + 8 * DAY
    summary = stats.summary(account.id, now=until, since=since, until=until)
    assert summary.counts == Counts(confirms=4)


def test_days_without_counters_are_there_and_time_zones_shift_them(
    account: Any, count: Callable[..., None]
) -> None:
    count(MIDNIGHT + DAY - QUARTER, starts=1)
    days = stats.daily(account.id, now=MIDNIGHT + 2 * DAY, since=MIDNIGHT, until=MIDNIGHT + DAY)
    assert [(day.start, day.counts.starts) for day in days] == [(MIDNIGHT, 1), (MIDNIGHT + DAY, 0)]
    east = stats.daily(
        account.id, now=MIDNIGHT + 2 * DAY, since=MIDNIGHT, until=MIDNIGHT + DAY, tz=60
    )
    assert [day.counts.starts for day in east] == [0, 1]


def test_retention_follows_each_day_of_joining(account: Any, count: Callable[..., None]) -> None:
    count(MIDNIGHT, confirms=4)
    count(MIDNIGHT + DAY, joined=MIDNIGHT, unsubs=1)
    result = stats.retention(
        account.id, now=MIDNIGHT + 60 * DAY, since=MIDNIGHT, until=MIDNIGHT + DAY
    )
    (cohort,) = result.cohorts
    assert (cohort.start, cohort.joined) == (MIDNIGHT, 4)
    assert (cohort.percent["d0"], cohort.percent["d1"]) == (100.0, 75.0)
    assert result.total.percent == cohort.percent
    assert [(row.days, row.left) for row in result.leaving] == [(1, 1)]


def test_what_another_account_has_is_not_found(account: Any, others_world: Any) -> None:
    campaign, bot = others_world.campaign(), others_world.bot()
    for filters in ({"campaign": campaign}, {"bot": bot}):
        with pytest.raises(NotFound):
            stats.summary(account.id, now=MIDNIGHT, **filters)


def test_a_range_must_not_be_empty_nor_longer_than_a_year(account: Any) -> None:
    with pytest.raises(BadParameter, match="must not be after to"):
        stats.summary(account.id, now=MIDNIGHT, since=MIDNIGHT + 1, until=MIDNIGHT)
    with pytest.raises(BadParameter, match="at most 366 days"):
        stats.daily(account.id, now=MIDNIGHT, since=MIDNIGHT - 366 * DAY, until=MIDNIGHT)
