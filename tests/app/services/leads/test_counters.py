"""Deltas are added to days, quarters of an hour and cohorts."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from app.domain.lead import CounterDelta, Counts
from app.domain.retention import OLDEST_AGE
from app.extensions import db
from app.models import CampaignCohort, CampaignDay, CampaignQuarter
from app.services.leads import counters

DAY = 86_400
MIDNIGHT = 20_000 * DAY


@pytest.fixture
def count(world: Any) -> Callable[..., None]:
    """`count(delta, …)` of one campaign."""
    campaign = world.campaign()

    def count_(*deltas: CounterDelta) -> None:
        counters.BatchCounts([(campaign, delta) for delta in deltas]).save(db.session.connection())
        db.session.commit()
        db.session.expire_all()

    return count_


def days() -> dict[int, tuple[int, int, int, int]]:
    rows = db.session.scalars(select(CampaignDay))
    return {row.day: (row.starts, row.holds, row.confirms, row.unsubs) for row in rows}


def test_deltas_of_one_day_are_added_up(
    count: Callable[..., None],
) -> None:
    count(CounterDelta(MIDNIGHT, Counts(starts=1)), CounterDelta(MIDNIGHT + 5, Counts(holds=2)))
    count(CounterDelta(MIDNIGHT + DAY - 1, Counts(starts=3)))
    assert days() == {20_000: (4, 2, 0, 0)}


def test_each_day_and_quarter_has_its_own_row(count: Callable[..., None]) -> None:
    count(
        CounterDelta(MIDNIGHT - 1, Counts(confirms=1)),
        CounterDelta(MIDNIGHT, Counts(confirms=1)),
        CounterDelta(MIDNIGHT + 900, Counts(confirms=1)),
    )
    assert days() == {19_999: (0, 0, 1, 0), 20_000: (0, 0, 2, 0)}
    quarters = db.session.execute(
        select(CampaignQuarter.quarter, CampaignQuarter.confirms).order_by(CampaignQuarter.quarter)
    ).all()
    first = MIDNIGHT // 900
    assert [tuple(row) for row in quarters] == [(first - 1, 1), (first, 1), (first + 1, 1)]


def test_the_end_of_a_stay_is_counted_by_its_day_and_age(count: Callable[..., None]) -> None:
    left = Counts(unsubs=1)
    count(
        CounterDelta(MIDNIGHT + DAY - 1, left, MIDNIGHT),
        CounterDelta(MIDNIGHT + 2 * DAY, left, MIDNIGHT),
        CounterDelta(MIDNIGHT - 50, left, MIDNIGHT),  # clocks differ
        CounterDelta(MIDNIGHT + 400 * DAY, left, MIDNIGHT),
        CounterDelta(MIDNIGHT, left),  # of a stay whose join is unknown
    )
    rows = db.session.execute(select(CampaignCohort.age_day, CampaignCohort.left)).all()
    assert {tuple(row) for row in rows} == {(0, 2), (2, 1), (OLDEST_AGE, 1)}


def test_nothing_is_written_without_deltas(count: Callable[..., None]) -> None:
    count()
    assert days() == {}
