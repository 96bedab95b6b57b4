"""Counters of ranges, days and campaigns are read from aggregates."""

from collections.abc import Callable
from typing import Any

import pytest

from app.domain.lead import CounterDelta, Counts
from app.errors import BadParameter, NotFound
from app.extensions import db
from app.services.leads import counters
from app.services.leads.stats import counts
from app.services.lists.scope import Scope

DAY = 86_400
QUARTER = 900
MIDNIGHT = 20_000 * DAY


def test_a_summary_has_the_range_and_the_one_of_the_same_length_before(
    account: Any, count: Callable[..., None]
) -> None:
    count(MIDNIGHT, starts=5)
    count(MIDNIGHT + 3 * QUARTER, starts=2)
    count(MIDNIGHT - 1, starts=1)
    since, until = MIDNIGHT, MIDNIGHT + QUARTER - 1
    summary = counts.summary(
        Scope(account_id=account.id, now=MIDNIGHT + DAY, since=since, until=until)
    )
    assert (summary.since, summary.until, summary.counts) == (since, until, Counts(starts=5))
    assert summary.before == counts.RangeCounts(MIDNIGHT - QUARTER, since - 1, Counts(starts=1))


def test_a_range_of_days_and_quarters_adds_up(account: Any, count: Callable[..., None]) -> None:
    for at in (-QUARTER, 0, 5 * DAY, 8 * DAY, 8 * DAY + QUARTER):
        count(MIDNIGHT + at, confirms=1)
    since, until = MIDNIGHT - QUARTER, MIDNIGHT + 8 * DAY
    summary = counts.summary(Scope(account_id=account.id, now=until, since=since, until=until))
    assert summary.counts == Counts(confirms=4)


def test_days_without_counters_are_there_and_time_zones_shift_them(
    account: Any, count: Callable[..., None]
) -> None:
    count(MIDNIGHT + DAY - QUARTER, starts=1)
    days = counts.daily(
        Scope(account_id=account.id, now=MIDNIGHT + 2 * DAY, since=MIDNIGHT, until=MIDNIGHT + DAY)
    )
    assert [(day.start, day.counts.starts) for day in days] == [(MIDNIGHT, 1), (MIDNIGHT + DAY, 0)]
    east = counts.daily(
        Scope(account_id=account.id, now=MIDNIGHT + 2 * DAY, since=MIDNIGHT, until=MIDNIGHT + DAY),
        tz=60,
    )
    assert [day.counts.starts for day in east] == [0, 1]


def test_what_another_account_has_is_not_found(account: Any, others_world: Any) -> None:
    campaign, bot = others_world.campaign(), others_world.bot()
    for filters in ({"campaign": campaign}, {"bot": bot}):
        with pytest.raises(NotFound):
            counts.summary(Scope(account_id=account.id, now=MIDNIGHT, **filters))


def test_a_range_must_not_be_empty_nor_longer_than_a_year(account: Any) -> None:
    with pytest.raises(BadParameter, match="must not be after to"):
        counts.summary(
            Scope(account_id=account.id, now=MIDNIGHT, since=MIDNIGHT + 1, until=MIDNIGHT)
        )
    with pytest.raises(BadParameter, match="at most 366 days"):
        counts.daily(
            Scope(account_id=account.id, now=MIDNIGHT, since=MIDNIGHT - 366 * DAY, until=MIDNIGHT)
        )


def test_kicks_are_of_those_who_left_and_joins_without_a_lead_stand_beside(
    account: Any, count: Callable[..., None]
) -> None:
    count(MIDNIGHT, unsubs=3, kicks=1, organic=4)
    count(MIDNIGHT + DAY, organic=2)
    count(MIDNIGHT + DAY, organic=-1)
    until = MIDNIGHT + DAY + QUARTER
    summary = counts.summary(Scope(account_id=account.id, now=until, since=MIDNIGHT, until=until))
    assert summary.counts == Counts(unsubs=3, kicks=1, organic=5)
    assert summary.counts.leaves == 2
    days = counts.daily(Scope(account_id=account.id, now=until, since=MIDNIGHT, until=until))
    assert [day.counts.organic for day in days] == [4, 1]


def test_campaigns_are_told_with_all_that_they_counted(
    account: Any, world: Any, others_world: Any, count: Callable[..., None], campaign: int
) -> None:
    idle, busy = world.campaign(chat_title="Idle"), world.campaign(chat_title="Busy")
    for at in (-QUARTER, 0, 3 * DAY, 8 * DAY):
        count(MIDNIGHT + at, confirms=1, organic=1)
    delta = CounterDelta(MIDNIGHT + DAY, Counts(confirms=9))
    others = others_world.campaign()
    gone = world.campaign(status=2)
    counters.BatchCounts([(busy, delta), (others, delta), (gone, delta)]).save(
        db.session.connection()
    )
    range_ = {"now": MIDNIGHT, "since": MIDNIGHT - QUARTER, "until": MIDNIGHT + 8 * DAY}
    rows = counts.by_campaign(Scope(account_id=account.id, **range_))
    assert [row.campaign for row in rows] == [busy, campaign, idle]
    assert [row.title for row in rows][::2] == ["Busy", "Idle"]
    found = [Counts(confirms=9), Counts(confirms=4, organic=4), Counts()]
    assert [row.counts for row in rows] == found
    for row in rows:
        whole = counts.summary(Scope(account_id=account.id, campaign=row.campaign, **range_))
        assert whole.counts == row.counts
    (only,) = counts.by_campaign(Scope(account_id=account.id, campaign=campaign, **range_))
    assert only == rows[1]
