"""A report of a conversion knows what the tracker answered to the report before it."""

import json

import pytest
from sqlalchemy import select

from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import Conversion, Postback, PostbackState
from app.models.postback import FIRST_CONVERSION
from app.sandbox.telegram import people
from app.services import postbacks
from app.services.conversions import calls
from app.services.leads import erasure
from app.services.trackers import destinations
from plugins.contract import Response
from tests.support.delivery import Exchange

ANN = people.Person(101, "Ann")
SETTINGS = {
    "key": "atk_live_12345678_abcdefghijklmnopqrstuvwxyz012345", "site": "atid_1",
    "base_url": "http://127.0.0.2", "empty_purchase": "zero", "currency": "EUR",
}  # fmt: skip
TOLD = Response(200, {}, b'{"conversionId": "j97x", "dispatched": true}')


@pytest.fixture
def adtarget(stage, clock):
    """AdTarget, which has heard of Ann's empty purchase if it is asked to deliver."""
    stage.play(people.start(ANN, f"{stage.code}-c-1", int(clock()) - 60))
    settings, campaign = SETTINGS, stage.campaign
    return destinations.add(
        stage.account, tracker="adtarget_capi", settings=settings, campaign=campaign
    )


def report(stage, clock, **fields):
    person = {"event": "purchase", "click": "c-1", "tid": "t1", "time": int(clock())}
    return calls.add(stage.account, person | fields, clock()).answer["id"]


def paths(exchange):
    return [one.url.partition("/api/v1/")[2] for one in exchange.sent if "/api/v1/" in one.url]


def rows():
    wanted = select(Postback).where(Postback.sequence >= FIRST_CONVERSION).order_by(Postback.id)
    found = db.session.scalars(wanted).all()
    db.session.expunge_all()
    db.session.commit()
    return found


def test_a_value_that_comes_days_later_goes_to_the_conversion_and_counts_no_other(
    stage, clock, adtarget, deliver
):
    number = report(stage, clock)
    exchange = Exchange(TOLD)
    deliver(exchange)
    assert paths(exchange) == ["events/conversion"]
    for value in ("60", "70"):
        clock.now += 9 * DAY
        calls.set_value(stage.account, number, value=value, currency="EUR", now=clock())
        exchange = Exchange(Response(200, {}, b"{}"))
        deliver(exchange)
        assert paths(exchange) == [f"leads/{ANN.id}/conversions/j97x/value"]
        assert json.loads(exchange.sent[-1].body)["value"] == float(value)
    assert {row.state for row in rows()} == {PostbackState.DELIVERED}


def test_what_waits_or_failed_hands_on_what_was_known_before(stage, clock, adtarget, deliver):
    number = report(stage, clock, value="5", currency="EUR")
    deliver(Exchange(TOLD))
    for value in ("6", "7"):  # the first correction is superseded before it was sent
        calls.set_value(stage.account, number, value=value, now=clock())
    exchange = Exchange(Response(200, {}, b"{}"))
    deliver(exchange)
    assert paths(exchange) == [f"leads/{ANN.id}/conversions/j97x/value"]
    assert [row.state for row in rows()][1:] == [PostbackState.SUPERSEDED, PostbackState.DELIVERED]


def test_of_a_report_that_nobody_answered_nothing_is_known(stage, clock, adtarget):
    number = report(stage, clock, value="5", currency="EUR")
    lead = db.session.get_one(Conversion, number).lead_id
    connection = db.session.connection()
    assert postbacks.left_by_report(connection, lead, FIRST_CONVERSION) == {}
    assert postbacks.left_by_report(connection, lead, FIRST_CONVERSION + 1) == {}


def test_an_erased_person_leaves_no_number_of_a_tracker(stage, clock, adtarget, deliver):
    number = report(stage, clock, value="5", currency="EUR")
    deliver(Exchange(TOLD))
    calls.set_value(stage.account, number, value="6", now=clock())
    assert [("j97x" in row.adapter_state, "j97x" in row.event) for row in rows()] == [
        (True, False), (False, True),
    ]  # fmt: skip
    erasure.erase(stage.account, ANN.id)
    assert not any("j97x" in row.adapter_state + row.event for row in rows())
