"""Counts of long lists are compacted without being lost or waited for."""

from collections import Counter

from sqlalchemy import delete, select

from app.database.advisory_locks import AdvisoryLock, lock
from app.extensions import db
from app.models import Lead, LeadTally, Span
from app.services.lists import row_counts
from tests.support.world import NOON

START = NOON // 86_400 * 86_400


def test_folding_leaves_one_row_for_each_hour_day_and_sum(app, world):
    campaign = world.campaign()
    for number in range(5):
        world.lead(campaign, start_time=START + number)
    world.lead(campaign, start_time=START + 86_400)
    assert row_counts.compact() == 6
    assert row_counts.compact() == 0
    rows = db.session.execute(select(LeadTally.span, LeadTally.number)).all()
    assert Counter(map(tuple, rows)) == {
        (Span.HOUR, 5): 1, (Span.HOUR, 1): 1, (Span.DAY, 5): 1, (Span.DAY, 1): 1,
        (Span.TOTAL, 6): 1,
    }  # fmt: skip
    db.session.execute(delete(Lead))
    row_counts.compact()
    assert db.session.scalars(select(LeadTally)).all() == []


def test_more_fresh_rows_than_one_transaction_takes_are_all_folded(app, world, monkeypatch):
    monkeypatch.setattr(row_counts, "AT_ONCE", 3)
    campaign = world.campaign()
    for number in range(8):
        world.lead(campaign, start_time=START + 3600 * number)
    assert row_counts.compact() == 8
    sums = select(LeadTally.number).where(LeadTally.span == Span.TOTAL)
    assert db.session.scalars(sums).all() == [8]


def test_a_fold_ends_in_time_and_the_next_one_goes_on(app, world, monkeypatch):
    monkeypatch.setattr(row_counts, "AT_ONCE", 3)
    campaign = world.campaign()
    for number in range(8):
        world.lead(campaign, start_time=START + 3600 * number)
    assert [row_counts.compact(0), row_counts.compact(0), row_counts.compact(0)] == [3, 3, 2]


def test_the_clock_does_not_wait_for_another_that_folds(live_app, world):
    if db.engine.dialect.name == "sqlite":
        return  # one writer at a time, and BUSY_SECONDS for each
    world.lead(world.campaign())
    with db.engine.connect() as other:
        lock(other, AdvisoryLock.COMPACT_ROW_COUNTS)
        assert row_counts.compact() == 0
        other.rollback()
    assert row_counts.compact() > 0
