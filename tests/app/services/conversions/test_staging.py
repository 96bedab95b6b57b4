"""Which destinations hear of a conversion, and what."""

import json
import time
from dataclasses import replace

import pytest
from sqlalchemy import select

from app.domain.attribution import How
from app.domain.conversions.report import Report
from app.domain.events import origin_of
from app.extensions import db
from app.models import Conversion, Postback, PostbackState
from app.models.postback import FIRST_CONVERSION
from app.services.conversions import record
from app.services.conversions.people import Sender
from app.services.trackers.url_templates import events_mask
from plugins.contract import ALL_KINDS, ConversionKind, EventKind

NOW = float(int(time.time()))
BUY = Report(ConversionKind.PURCHASE, "deposit", 5_000_000, "USD", click="c-1", tid="t1")


@pytest.fixture
def origin(world):
    campaign = world.campaign(code="abc123", chat_title="Chat")
    world.lead(campaign, click="c-1", subscriber=7, username="ann", join_time=5)
    world.destination(campaign_id=campaign, events=events_mask(ALL_KINDS))
    return Sender(world.account_id)


def postbacks():
    return db.session.scalars(select(Postback).order_by(Postback.id)).all()


def test_the_event_tells_of_the_lead_and_of_the_money(origin):
    number = record.record(origin, BUY, NOW).id
    (row,) = postbacks()
    event = json.loads(row.event)
    assert event["id"] == f"abc123-{row.lead_id}-c{number}"
    told = {"kind": "purchase", "value": "5", "currency": "USD", "name": "deposit", "click": "c-1"}
    assert told.items() <= event.items()
    assert (event["subscriber"], event["username"], event["title"]) == (7, "ann", "Chat")
    assert (row.kind, row.sequence, event["sequence"]) == ("purchase", FIRST_CONVERSION, 1)


def test_a_destination_that_was_not_asked_for_conversions_hears_of_none(origin, world):
    world.destination(events=events_mask(EventKind))
    world.destination(events=events_mask([ConversionKind.PURCHASE]))
    record.record(origin, BUY, NOW)
    record.record(origin, Report(ConversionKind.REGISTER, click="c-1"), NOW)
    assert sorted(row.kind for row in postbacks()) == ["purchase", "purchase", "register"]


def test_the_click_that_was_named_is_told_though_the_lead_has_a_newer_one(origin, world):
    lead = db.session.scalars(select(Postback.lead_id)).first()
    campaign = world.campaign()
    source = world.source(campaign)
    newer = world.click(source, external="newer")
    lead = world.lead(campaign, click="newer", source_id=source, click_id=newer, how=How.LINK)
    older = world.click(source, external="older", lead_id=lead)
    world.destination(campaign_id=campaign, events=events_mask(ALL_KINDS))
    record.record(origin, replace(BUY, click="older"), NOW)
    assert json.loads(postbacks()[-1].event)["click"] == "older"
    assert origin_of(postbacks()[-1].event) == (How.ORGANIC, source, older)
    record.record(origin, replace(BUY, click="newer", tid="t2"), NOW)
    assert origin_of(postbacks()[-1].event) == (How.LINK, source, newer)


def test_a_corrected_value_supersedes_what_still_waits_and_keeps_the_event_id(origin):
    number = record.record(origin, BUY, NOW).id
    connection = db.session.connection()
    row = connection.execute(select(Conversion.__table__)).one()
    assert record.change_value(connection, row, 6_000_000, "USD", NOW) == 1
    first, second = postbacks()
    assert (first.state, second.state) == (PostbackState.SUPERSEDED, PostbackState.WAITING)
    events = [json.loads(one.event) for one in (first, second)]
    assert events[0]["id"] == events[1]["id"]
    assert [(event["value"], event["revision"]) for event in events] == [("5", 0), ("6", 1)]
    assert db.session.get(Conversion, number).reported == 2


def test_the_same_value_again_reports_nothing(origin):
    record.record(origin, BUY, NOW)
    connection = db.session.connection()
    row = connection.execute(select(Conversion.__table__)).one()
    assert record.change_value(connection, row, 5_000_000, "USD", NOW) == 0
    assert len(postbacks()) == 1
