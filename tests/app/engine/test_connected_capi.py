"""AdTarget and Altcraft connected: from an update to their doubles and back."""

from __future__ import annotations

import ipaddress
import json
import time

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import Attempt, DestinationStatus, PostbackState
from app.outbound.transport import Transport
from app.sandbox import people
from app.sandbox.adtarget import AdTargetDouble
from app.sandbox.altcraft import AltcraftDouble
from app.sandbox.faults import Manner
from app.sandbox.serving import running
from app.services import destinations
from app.services.delivery import Delivery
from app.services.ways import Ways

KEY = "atk_live_12345678_abcdefghijklmnopqrstuvwxyz012345"
TOKEN = "0123456789abcdef0123456789abcdef"
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
ANN = people.Person(101, username="ann")
BOB = people.Person(102)


@pytest.fixture
def connect(stage, change_settings):
    """`connect("altcraft", {…})`: the stage without templates, connected; the destination's id."""

    def connect(tracker, settings):
        change_settings(outbound_allow=LOOPBACK)
        destinations.pause(stage.account, stage.destination, paused=True)
        return destinations.add(
            stage.account, tracker=tracker, settings=settings, campaign=stage.campaign
        )

    return connect


@pytest.fixture
def adtarget(live_app):
    double = AdTargetDouble()
    double.add_key(KEY)
    double.sites = {"atid_1"}
    with running(double) as url:
        double.url = url
        yield double


@pytest.fixture
def altcraft(live_app):
    double = AltcraftDouble()
    double.tokens, double.databases, double.pixels = {TOKEN}, {1: []}, {7}
    with running(double) as url:
        double.url = url
        yield double


def _deliver(app, ahead=0.0):
    with Transport(allow=LOOPBACK) as transport:
        delivery = Delivery(
            transport,
            Ways(app.extensions["trackers"]),
            lease_seconds=45,
            clock=lambda: time.time() + ahead,
            dice=lambda: 0.5,
        )
        delivery.run(seconds=30)
    db.session.commit()


def _play_everything(app, stage):
    now = int(time.time()) - 100
    for update in (
        people.start(ANN, f"{stage.code}-c1", now),
        people.join_request(ANN, people.Chat(stage.chat), now + 1),
        people.join(ANN, people.Chat(stage.chat), now + 2),
        people.leave(ANN, people.Chat(stage.chat), now + 3),
        people.start(BOB, f"{stage.code}-c2", now + 4),
        people.join(BOB, people.Chat(stage.chat), now + 5),
        people.kick(BOB, people.Chat(stage.chat), now + 6),
    ):
        stage.play(update)
        _deliver(app)


def _mine(stage, destination):
    return [row for row in stage.postbacks() if row.destination_id == destination]


def _attempts():
    rows = list(db.session.scalars(select(Attempt).order_by(Attempt.id)))
    db.session.expunge_all()
    db.session.commit()
    return rows


def test_adtarget_hears_each_event_as_a_conversion(app, stage, adtarget, connect):
    custom = {"type": "Custom"}
    events = {"wait": custom, "cancel": custom, "trash": custom}
    settings = {"key": KEY, "site": "atid_1", "base_url": adtarget.url, "events": events}
    connected = connect("adtarget_capi", settings)
    _play_everything(app, stage)
    assert {row.state for row in _mine(stage, connected)} == {PostbackState.DELIVERED}
    assert [
        (one["telegramUserId"], one.get("customEventName") or one["eventType"])
        for one in adtarget.conversions
    ] == [
        (101, "BotStart"),
        (101, "Lead"),
        (101, "Subscribe"),
        (101, "ChannelLeave"),
        (102, "BotStart"),
        (102, "Subscribe"),
        (102, "ChannelBan"),
    ]
    assert KEY not in json.dumps([one.request for one in _attempts()])


def test_altcraft_keeps_a_profile_of_each_person_and_counts_goals(app, stage, altcraft, connect):
    limits = {"per_second": 1000}  # fourteen requests, and no wish to wait
    settings = {"token": TOKEN, "db_id": 1, "pixel_id": 7, "base_url": altcraft.url, **limits}
    connected = connect("altcraft", settings)
    _play_everything(app, stage)
    assert {row.state for row in _mine(stage, connected)} == {PostbackState.DELIVERED}
    assert [one.data["tg_status"] for one in altcraft.databases[1]] == ["cancel", "trash"]
    told = [goal["goal"].removeprefix("telegram_") for goal in altcraft.goals]
    assert told == ["wait", "hold", "approve", "cancel", "wait", "approve", "trash"]
    assert TOKEN not in json.dumps([one.request for one in _attempts()])


def test_a_lost_goal_is_repeated_alone_and_counted_once(app, stage, altcraft, connect):
    settings = {"token": TOKEN, "db_id": 1, "pixel_id": 7, "base_url": altcraft.url}
    connected = connect("altcraft", settings)
    altcraft.order(Manner.RESET, path="/goals/register")
    stage.play(people.start(ANN, f"{stage.code}-c1", int(time.time())))
    for ahead in (0, 10):
        _deliver(app, ahead)
    (row,) = _mine(stage, connected)
    assert row.state == PostbackState.DELIVERED
    tried = [(one.step, one.verdict) for one in _attempts()]
    assert tried == [("profile", "delivered"), ("goal", "retry"), ("goal", "duplicate")]
    assert len(altcraft.goals) == 1
    one, other = altcraft.calls("/goals/register")
    assert one.headers["request-id"] == other.headers["request-id"]


def test_unpaid_events_wait_until_the_owner_has_paid(app, stage, adtarget, connect):
    events = {"wait": {"type": "Custom"}}
    settings = {"key": KEY, "site": "atid_1", "base_url": adtarget.url, "events": events}
    connected = connect("adtarget_capi", settings)
    adtarget.keys[KEY].state = "unpaid"
    for number, person in enumerate((ANN, BOB)):
        stage.play(people.start(person, f"{stage.code}-c{number}", int(time.time())))
        _deliver(app)
    found = {card.destination.id: card for card in destinations.listed(stage.account).rows}
    assert found[connected].destination.status == DestinationStatus.OFF
    assert "paid" in found[connected].destination.reason
    db.session.commit()
    _deliver(app, ahead=86_400)  # however long it takes, nothing is tried meanwhile
    assert len(adtarget.calls()) == 1
    assert {row.state for row in _mine(stage, connected)} == {PostbackState.WAITING}
    adtarget.keys[KEY].state = "active"
    destinations.pause(stage.account, connected, paused=False)
    _deliver(app, ahead=86_500)
    assert {row.state for row in _mine(stage, connected)} == {PostbackState.DELIVERED}
    assert len(adtarget.conversions) == 2
