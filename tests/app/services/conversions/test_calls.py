"""events/add and events/value, each once for a key."""

import time

import pytest
from sqlalchemy import select

from app.errors import BadParameter, KeyReused, NotFound
from app.extensions import db
from app.models import Conversion, ConversionDay
from app.services.conversions import calls, cold

NOW = float(int(time.time()))
BUY = {"event": "deposit", "value": "5", "currency": "USD", "tid": "t1", "click": "c-1"}


@pytest.fixture
def account_id(world):
    world.lead(world.campaign(), click="c-1")
    return world.account_id


def test_an_event_is_recorded_once_under_its_key(account_id):
    first = calls.add(account_id, BUY, NOW, key="k")
    again = calls.add(account_id, BUY, NOW, key="k")
    assert first.answer == again.answer
    assert (first.is_replay, again.is_replay) == (False, True)
    with pytest.raises(KeyReused):
        calls.add(account_id, BUY | {"value": "6"}, NOW, key="k")
    db.session.rollback()
    assert len(db.session.scalars(select(Conversion)).all()) == 1


def test_an_event_that_is_there_already_is_said_so(account_id):
    calls.add(account_id, BUY, NOW)
    assert calls.add(account_id, BUY, NOW).answer["is_new"] is False


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"click": "", "tid": ""}, "click"),
        ({"currency": ""}, "currency"),
        ({"event": "custom"}, "name"),
        ({"value": "x"}, "value"),
    ],
)
def test_what_does_not_fit_together_is_refused_by_name(account_id, changes, field):
    with pytest.raises(BadParameter) as raised:
        calls.add(account_id, BUY | changes, NOW)
    assert raised.value.field == field


def value_of(account_id, number, value, **more):
    calls.set_value(account_id, number, value=value, now=NOW, **more)
    row = db.session.get(Conversion, number, populate_existing=True)
    return row.value_micro, row.currency, row.revision


def test_a_value_is_corrected_as_often_as_need_be(account_id):
    number = calls.add(account_id, BUY, NOW).answer["id"]
    assert value_of(account_id, number, "6") == (6_000_000, "USD", 1)
    assert value_of(account_id, number, "6") == (6_000_000, "USD", 1)
    assert value_of(account_id, number, "7", currency="EUR") == (7_000_000, "EUR", 2)
    days = db.session.scalars(select(ConversionDay).where(ConversionDay.count > 0)).all()
    assert [(day.currency, day.count, day.value_micro) for day in days] == [("EUR", 1, 7_000_000)]


def test_what_was_corrected_before_anybody_heard_of_it_is_no_correction_to_trackers(
    account_id, world
):
    number = calls.add(account_id, BUY | {"click": "c-2"}, NOW).answer["id"]
    assert value_of(account_id, number, "6") == (6_000_000, "USD", 0)
    world.lead(world.campaign(), click="c-2")
    assert cold.attach(NOW) == 1
    assert value_of(account_id, number, "7") == (7_000_000, "USD", 1)


def test_a_refund_stays_below_zero(account_id):
    number = calls.add(account_id, BUY | {"event": "refund"}, NOW).answer["id"]
    assert value_of(account_id, number, "6")[0] == -6_000_000


def test_a_purchase_gets_no_value_below_zero_afterwards(account_id):
    number = calls.add(account_id, BUY, NOW).answer["id"]
    with pytest.raises(BadParameter, match="below zero"):
        value_of(account_id, number, "-6")
    assert value_of(account_id, number, "5") == (5_000_000, "USD", 0)


def test_an_event_of_another_account_has_no_value_here(account_id, others_world):
    number = others_world.conversion()
    with pytest.raises(NotFound):
        calls.set_value(account_id, number, value="6", now=NOW)
    db.session.rollback()


def test_a_value_that_was_set_under_a_key_is_not_set_again(account_id):
    number = calls.add(account_id, BUY, NOW).answer["id"]
    value_of(account_id, number, "6", key="k")
    value_of(account_id, number, "7")
    assert value_of(account_id, number, "6", key="k")[0] == 7_000_000
