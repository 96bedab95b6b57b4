"""Visits that come together are written together, and each is counted."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from app.database.rows import is_postgresql
from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import Click, Source, SourceDay, table_of
from app.services.clicks import sources, store
from app.services.clicks.store import Visit

NOON = 1_780_000_000.0


@pytest.fixture
def source(live_app, world):
    number = sources.add(world.account_id, campaign=world.campaign(), title="Reels").id
    db.session.commit()
    return number


def click(source, number):
    texts = dict.fromkeys(("visitor", "external", "referrer", "country"), "")
    objects = dict.fromkeys(("ids", "utm", "subs", "ad"), "{}")
    return {
        "account_id": 1, "source_id": source, "campaign_id": 1, "token": f"{number:016}",
        "created": int(NOON), "pressed": int(NOON), "flags": 0, **texts, **objects,
    }  # fmt: skip


def day(source, number):
    row = db.session.get(SourceDay, (source, number))
    db.session.expire_all()
    return row and (row.clicks, row.repeats, row.previews, row.paused)


def test_a_visit_is_stored_when_the_call_returns(source):
    store.record(Visit(source, "clicks", NOON, click(source, 1)))
    assert db.session.scalars(select(Click.token)).all() == [f"{1:016}"]
    assert day(source, int(NOON // DAY)) == (1, 0, 0, 0)


def test_each_kind_of_visit_has_its_counter_and_each_day_its_row(source):
    today, tomorrow = int(NOON // DAY), int(NOON // DAY) + 1
    for counter in ("repeats", "previews", "paused", "paused"):
        store.record(Visit(source, counter, NOON))
    store.record(Visit(source, "previews", NOON + DAY))
    assert (day(source, today), day(source, tomorrow)) == ((0, 1, 1, 2), (0, 0, 1, 0))


def test_visits_side_by_side_lose_no_count(source, live_app):
    def visit(number):
        with live_app.app_context():
            store.record(Visit(source, "clicks", NOON, click(source, number)))

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert day(source, int(NOON // DAY)) == (24, 0, 0, 0)
    assert len(db.session.scalars(select(Click.id)).all()) == 24


def test_a_click_that_the_database_refuses_answers_for_itself_alone(source):
    store.record(Visit(source, "clicks", NOON, click(source, 1)))
    visits = [Visit(source, "clicks", NOON, click(source, number)) for number in (2, 1, 3)]
    entries = [store._Pending(visit) for visit in visits]
    store._write(entries)  # as they come together
    assert [entry.fault is not None for entry in entries] == [False, True, False]
    assert day(source, int(NOON // DAY)) == (3, 0, 0, 0)
    assert len(db.session.scalars(select(Click.id)).all()) == 3
    db.session.commit()
    with pytest.raises(IntegrityError):
        store.record(visits[1])


def test_a_click_belongs_to_whoever_has_its_source_when_it_is_stored(source, other):
    db.session.execute(update(Source).values(account_id=other.id))
    db.session.commit()
    store.record(Visit(source, "clicks", NOON, click(source, 1)))
    assert db.session.scalars(select(Click.account_id)).all() == [other.id]


class TestOnPostgresql:
    """SQLite has one writer at a time, so nobody holds a row there."""

    @pytest.fixture(autouse=True)
    def _only_there(self, live_app):
        with db.engine.connect() as connection:
            if not is_postgresql(connection):
                pytest.skip("SQLite has no row locks")

    def test_nobody_waits_for_a_transfer_that_holds_the_source(self, source, other):
        with db.engine.begin() as transfer:
            transfer.execute(update(table_of(Source)).values(account_id=other.id))
            store.record(Visit(source, "clicks", NOON, click(source, 1)))
        assert len(db.session.scalars(select(Click.id)).all()) == 1
        assert day(source, int(NOON // DAY)) == (1, 0, 0, 0)

    def test_a_transfer_waits_for_clicks_that_are_being_stored(self, source, other):
        with db.engine.begin() as visitor:
            store.current_owners(visitor, [source])
            with db.engine.connect() as transfer:
                transfer.execute(text("SET LOCAL lock_timeout = 50"))
                given = update(table_of(Source)).values(account_id=other.id)
                with pytest.raises(OperationalError):
                    transfer.execute(given)

    def test_counts_that_somebody_holds_are_added_with_the_next_visit(self, source):
        store.record(Visit(source, "clicks", NOON, click(source, 1)))
        with db.engine.begin() as holder:
            holder.execute(select(table_of(SourceDay)).with_for_update())
            store.record(Visit(source, "clicks", NOON, click(source, 2)))
            assert len(db.session.scalars(select(Click.id)).all()) == 2
            assert day(source, int(NOON // DAY)) == (1, 0, 0, 0)
            db.session.commit()
        store.record(Visit(source, "repeats", NOON))
        assert day(source, int(NOON // DAY)) == (2, 1, 0, 0)
        store.record(Visit(source, "repeats", NOON))
        assert day(source, int(NOON // DAY)) == (2, 2, 0, 0)
