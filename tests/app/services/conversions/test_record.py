"""What is reported twice is stored once."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from app.domain.conversions.report import Report
from app.errors import NotFound
from app.extensions import db
from app.models import Conversion, ConversionDay, Postback
from app.services.conversions.people import Sender
from app.services.conversions.record import record
from plugins.contract import ConversionKind

NOW = 1_800_000_000.0
BUY = Report(ConversionKind.PURCHASE, "deposit", 5_000_000, "USD", click="c-1", tid="t1")


@pytest.fixture
def origin(world):
    world.lead(world.campaign(), click="c-1")
    return Sender(world.account_id, 3)


def sums():
    rows = db.session.scalars(select(ConversionDay)).all()
    return {(row.kind, row.currency): (row.count, row.value_micro) for row in rows}


def test_it_is_stored_once_and_counted_once(origin):
    first, second = (record(origin, BUY, NOW) for _ in range(2))
    assert (first.is_new, second.is_new, first.id) == (True, False, second.id)
    row = db.session.scalars(select(Conversion)).one()
    assert (row.tid, row.key_id, row.time, row.name) == ("t1", 3, int(NOW), "deposit")
    assert sums() == {("purchase", "USD"): (1, 5_000_000)}


def test_one_id_is_another_event_under_another_key_and_as_another_kind(origin):
    record(origin, BUY, NOW)
    record(origin._replace(key_id=4), BUY, NOW)
    record(origin, replace(BUY, kind=ConversionKind.REFUND, value_micro=-5_000_000), NOW)
    assert sums() == {("purchase", "USD"): (2, 10_000_000), ("refund", "USD"): (1, -5_000_000)}


def test_a_value_that_becomes_known_moves_the_sum_to_its_currency(origin):
    record(origin, replace(BUY, value_micro=None, currency=""), NOW)
    assert sums() == {("purchase", ""): (1, 0)}
    record(origin, BUY, NOW)
    assert sums() == {("purchase", ""): (0, 0), ("purchase", "USD"): (1, 5_000_000)}


def test_a_cold_one_is_neither_counted_nor_reported(origin):
    assert record(origin, replace(BUY, click="c-2"), NOW).lead_id is None
    record(origin, replace(BUY, click="c-2", value_micro=1), NOW)
    assert (sums(), db.session.scalars(select(Postback)).all()) == ({}, [])


def test_where_nobody_is_found_nothing_is_stored(origin):
    with pytest.raises(NotFound):
        record(origin, replace(BUY, click="", lead=999), NOW)
    assert db.session.scalars(select(Conversion)).all() == []


def test_it_happened_when_its_sender_says_but_not_in_the_future(origin):
    for tid, time in (("a", int(NOW) - 50), ("b", int(NOW) + 50)):
        record(origin, replace(BUY, tid=tid, time=time), NOW)
    assert list(db.session.scalars(select(Conversion.time).order_by(Conversion.id))) == [
        int(NOW) - 50, int(NOW),
    ]  # fmt: skip
