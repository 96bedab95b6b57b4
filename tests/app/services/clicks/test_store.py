"""Visits that come together are written together, and each is counted."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import Click, SourceDay
from app.services.clicks import sources, store
from app.services.clicks.store import Visit

NOON = 1_780_000_000.0


@pytest.fixture
def source(live_app, world):
    number = sources.add(world.account_id, campaign=world.campaign(), title="Reels").id
    db.session.commit()
    return number


def click(source, number):
    texts = dict.fromkeys(("visitor", "external", "referrer"), "")
    objects = dict.fromkeys(("ids", "utm", "subs", "ad"), "{}")
    return {
        "account_id": 1, "source_id": source, "campaign_id": 1, "token": f"{number:016}",
        "created": int(NOON), "flags": 0, **texts, **objects,
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
