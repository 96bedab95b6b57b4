"""What becomes of a claimed postback, by what its tracker is and answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import update

from app.extensions import db
from app.models import Destination, Postback, PostbackState
from app.outbound.result import Failure
from app.sandbox.telegram import people
from app.services.delivery.loop import Delivery
from app.services.delivery.sending import UNREADABLE
from app.services.delivery.targets import DestinationResolver
from plugins.contract import Response, hookimpl, outcome_by_status
from plugins.registry import make_adapter
from tests.support.adapters import PlainPlugin
from tests.support.delivery import Exchange, T, alter, attempts

ANN = people.Person(101, username="ann")
BOB = people.Person(102)


def test_a_missing_tracker_lets_its_postbacks_wait_without_charge(stage, deliver):
    alter(Destination, tracker="not_installed")
    stage.play(people.start(ANN, f"{stage.code}-a", T))
    deliver(Exchange())
    (postback,) = stage.postbacks()
    assert (postback.state, postback.tries) == (PostbackState.WAITING, 0)
    assert "not_installed" in postback.reason


@pytest.mark.parametrize("event", ["", "{", "[]", '{"kind": "wait"}'])
def test_a_row_that_cannot_be_read_fails_visibly_and_the_others_go_on(stage, deliver, clock, event):
    stage.play(people.start(ANN, f"{stage.code}-a", T), people.start(BOB, f"{stage.code}-b", T))
    broken, whole = stage.postbacks()
    db.session.execute(update(Postback).where(Postback.id == broken.id).values(event=event))
    db.session.commit()
    deliver(Exchange())
    broken, whole = stage.postbacks()
    assert whole.state == PostbackState.DELIVERED
    assert (broken.state, broken.tries) == (PostbackState.WAITING, 1)
    assert broken.due > clock.now
    assert broken.reason.startswith(UNREADABLE)
    assert [row.reason for row in attempts() if row.postback_id == broken.id] == [broken.reason]
    destination = db.session.get(Destination, stage.destination)
    assert destination.failures == 0  # it is no fault of the tracker's
    db.session.commit()


@pytest.mark.parametrize("stored", ["{", "[]", "null"])
def test_settings_that_cannot_be_read_let_the_postbacks_wait(stage, deliver, stored):
    stage.play(people.start(ANN, f"{stage.code}-a", T))
    alter(Destination, settings=stored)
    deliver(Exchange())
    (postback,) = stage.postbacks()
    assert (postback.state, postback.tries) == (PostbackState.WAITING, 0)
    assert "settings" in postback.reason


def test_an_event_the_template_no_longer_has_is_discarded(stage, deliver):
    stage.play(people.start(ANN, f"{stage.code}-a", T))
    row = db.session.get(Destination, stage.destination)
    row.settings = json.dumps({"urls": {"approve": "http://127.0.0.2/x"}})
    db.session.commit()
    deliver(Exchange())
    assert stage.postbacks()[0].state == PostbackState.DISCARDED


def test_secrets_of_a_template_are_masked_in_the_attempt(make_stage, deliver):
    stage = make_stage(url="http://127.0.0.2/pb?token=s3cr3t-token-value&x=1")
    row = db.session.get(Destination, stage.destination)
    row.settings = json.dumps(
        {"urls": {"wait": "http://127.0.0.2/pb?token=s3cr3t-token-value&click={click}"}}
    )
    db.session.commit()
    stage.play(people.start(ANN, f"{stage.code}-a", T))
    exchange = Exchange(Response(200, {}, b"you sent s3cr3t-token-value"))
    deliver(exchange)
    (attempt,) = attempts()
    assert "s3cr3t-token-value" in exchange.sent[0].url
    assert "s3cr3t" not in attempt.request + attempt.answer + attempt.reason


def test_a_blocked_address_is_refused_for_good(stage, deliver):
    stage.play(people.start(ANN, f"{stage.code}-a", T))
    deliver(Exchange(Failure.BLOCKED))
    assert stage.postbacks()[0].state == PostbackState.REJECTED


@pytest.mark.parametrize("status", [400, 401, 403, 404, 302])
def test_other_refusals_are_final(stage, deliver, status):
    stage.play(people.start(ANN, f"{stage.code}-a", T))
    deliver(Exchange(Response(status)))
    assert stage.postbacks()[0].state == PostbackState.REJECTED


def test_retry_after_is_obeyed(stage, deliver, clock):
    stage.play(people.start(ANN, f"{stage.code}-a", T))
    deliver(Exchange(Response(429, {"retry-after": "120"})))
    assert stage.postbacks()[0].due >= clock.now + 60


class Looping(PlainPlugin):
    """A stranger's plugin that never comes back."""

    @hookimpl
    def build_request(self, event, settings):
        while True:
            pass

    @hookimpl
    def classify_response(self, response, request, event, settings):
        return outcome_by_status(response)


def test_a_plugin_that_hangs_costs_the_others_one_time_limit_only(make_stage, live_app, clock):
    slow, quick = make_stage(), make_stage()
    alter_row(slow.destination, tracker="looping")
    for number in range(20):
        slow.play(people.start(people.Person(1000 + number), f"{slow.code}-a", T))
    quick.play(people.start(ANN, f"{quick.code}-a", T))

    class WithLooping:
        def get(self, name):
            if name == "looping":
                return make_adapter("looping", Looping(), seconds=0.2)
            return live_app.extensions["trackers"].get(name)

    delivery = Delivery(
        Exchange(),
        DestinationResolver(WithLooping()),
        lease_seconds=45,
        clock=clock,
        rng=lambda: 0.5,
    )
    delivery.run(seconds=60)
    db.session.commit()
    assert quick.postbacks()[0].state == PostbackState.DELIVERED
    reasons = [one.reason for one in slow.postbacks()]
    assert sum("build_request" in reason for reason in reasons) == 1
    assert sum("rests" in reason for reason in reasons) == 19
    assert {one.state for one in slow.postbacks()} == {PostbackState.WAITING}


def alter_row(destination: int, **values: Any) -> None:
    table = Destination.__table__
    db.session.execute(table.update().where(table.c.id == destination).values(**values))
    db.session.commit()
