"""A connected tracker hears each event over HTTP, beside the templates."""

from __future__ import annotations

import ipaddress
import json
import time

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import Attempt, PostbackState
from app.outbound.transport import Transport
from app.sandbox import people
from app.sandbox.altercpa import AltercpaDouble, Told
from app.sandbox.serving import running
from app.services import destinations, outbox
from app.services.delivery import Delivery
from app.services.ways import Ways

KEY = "42-d3adb33f"
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
ANN = people.Person(101, username="ann")
BOB = people.Person(102)


@pytest.fixture
def altercpa(live_app, change_settings):
    double = AltercpaDouble(KEY)
    with running(double) as url:
        double.domain = url.removeprefix("http://")
        change_settings(outbound_allow=LOOPBACK)
        yield double


@pytest.fixture
def connected(stage, altercpa):
    """The stage without templates, connected to the double; the destination's id."""
    destinations.pause(stage.account, stage.destination, paused=True)
    settings = {"domain": altercpa.domain, "key": KEY}
    return destinations.add(
        stage.account, tracker="altercpa_lite", settings=settings, campaign=stage.campaign
    )


def _deliver(app, ahead=0.0):
    with Transport(allow=LOOPBACK) as transport:
        ways = Ways(app.extensions["trackers"])
        delivery = Delivery(
            transport, ways, lease_seconds=45, clock=lambda: time.time() + ahead, dice=lambda: 0.5
        )
        delivery.run(seconds=30)
    db.session.commit()


def _mine(stage, destination):
    return [row for row in stage.postbacks() if row.destination_id == destination]


def test_each_event_arrives_in_the_trackers_words(app, stage, altercpa, connected):
    now = int(time.time()) - 100
    chat = people.Chat(stage.chat, "x", "supergroup")
    for update in (
        people.start(ANN, f"{stage.code}-c1", now),
        people.join_request(ANN, chat, now + 1),
        people.join(ANN, chat, now + 2),
        people.leave(ANN, chat, now + 3),
        people.start(BOB, f"{stage.code}-c2", now + 4),
        people.join(BOB, chat, now + 5),
        people.kick(BOB, chat, now + 6),
    ):
        stage.play(update)
        _deliver(app)
    rows = _mine(stage, connected)
    assert {row.state for row in rows} == {PostbackState.DELIVERED}
    ann, bob = str(rows[0].lead_id), str(rows[-1].lead_id)
    assert altercpa.told == [
        *(Told("c1", ann, status) for status in ("new", "hold", "approve", "cancel")),
        *(Told("c2", bob, status) for status in ("new", "approve", "trash")),
    ]
    assert altercpa.leads == {("c1", ann): "cancel", ("c2", bob): "trash"}


def test_a_fault_under_status_200_is_tried_again_under_the_same_key(
    app, stage, altercpa, connected
):
    altercpa.faults += ["db", "html"]
    stage.play(people.start(ANN, f"{stage.code}-c1", int(time.time())))
    for ahead in (0, 10, 200):
        _deliver(app, ahead)
    (row,) = _mine(stage, connected)
    assert (row.state, row.tries) == (PostbackState.DELIVERED, 3)
    attempts = list(db.session.scalars(select(Attempt).order_by(Attempt.id)))
    assert [one.verdict for one in attempts] == ["retry", "retry", "delivered"]
    assert len({one.key for one in attempts}) == 1
    assert KEY not in json.dumps([one.request for one in attempts])
    db.session.commit()


def test_a_revoked_key_switches_the_destination_off(app, stage, altercpa, connected):
    altercpa.keys.clear()
    stage.play(people.start(ANN, f"{stage.code}-c1", int(time.time())))
    _deliver(app)
    found = {card.destination.id: card for card in destinations.listed(stage.account).rows}
    assert found[connected].destination.status == 3
    assert "key" in found[connected].destination.reason
    db.session.commit()


def test_what_waited_for_a_deleted_destination_is_discarded(app, stage, altercpa, connected):
    stage.play(people.start(ANN, f"{stage.code}-c1", int(time.time())))
    destinations.remove(stage.account, connected)
    outbox.sweep(db.session.connection(), time.time())
    db.session.commit()
    _deliver(app)
    (row,) = _mine(stage, connected)
    assert row.state == PostbackState.DISCARDED
    assert altercpa.told == []
