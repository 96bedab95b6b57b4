"""What becomes of a claimed postback, by what its tracker is and answers."""

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from app.extensions import db
from app.models import Destination, Postback, PostbackState
from app.outbound.result import Failure
from app.sandbox.telegram import people
from app.services.delivery import attempt
from app.services.delivery.limits.hook_time import HookTime
from app.services.delivery.loop import Delivery
from app.services.delivery.sending import UNREADABLE
from app.services.delivery.targets import DestinationResolver
from plugins.contract import (
    DeliveryPolicy,
    Outcome,
    Request,
    Response,
    Verdict,
    hookimpl,
    outcome_by_status,
)
from plugins.registry import make_adapter
from tests.support.adapters import PlainPlugin
from tests.support.courier import Clock
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


class Greedy(PlainPlugin):
    """Sends two steps, of which the second is built anew with what came of the first.

    Each of its calls takes `seconds` of the thread, by the clock `used`.
    """

    def __init__(self, used, seconds):
        self.used, self.seconds = used, seconds
        self.calls: list[str] = []

    @hookimpl
    def build_request(self):
        self._take("build")
        step = Request("GET", "https://127.0.0.2/")
        return (step, replace(step, step="second"))

    @hookimpl
    def classify_response(self):
        return Outcome(Verdict.DELIVERED, state={"id": "7"})

    @hookimpl
    def delivery_policy(self):
        self._take("policy")
        return DeliveryPolicy()

    def _take(self, name):
        self.calls.append(name)
        self.used.now += self.seconds


class Noting(HookTime):
    """Keeps what was counted."""

    def __init__(self, *clocks):
        super().__init__(*clocks)
        self.counted = 0.0

    def _add(self, account, seconds):
        super()._add(account, seconds)
        self.counted += seconds


@pytest.fixture
def run_greedy(stage, clock):
    """`run_greedy(seconds)`: five leads, and one drain; the plugin, and what was counted."""

    def run(seconds):
        used = Clock()
        plugin = Greedy(used, seconds)
        alter_row(stage.destination, tracker="greedy")
        for number in range(5):
            stage.play(people.start(people.Person(1000 + number), f"{stage.code}-a", T))

        class OnlyGreedy:
            def get(self, _name):
                return make_adapter("greedy", plugin)

        delivery = Delivery(
            Exchange(), DestinationResolver(OnlyGreedy()), lease_seconds=45, clock=clock,
            rng=lambda: 0.5,
        )  # fmt: skip
        hook_time = delivery._in_flight.hook_time = Noting(clock, used, lambda: 0)
        delivery.run(seconds=60)
        db.session.commit()
        return plugin, hook_time.counted

    return run


def test_whoever_has_used_up_their_time_has_nothing_built_and_nothing_is_charged(stage, run_greedy):
    plugin, counted = run_greedy(10.0)
    assert plugin.calls == ["policy", "build"]
    assert counted == 20.0
    assert {(row.state, row.tries) for row in stage.postbacks()} == {(PostbackState.WAITING, 0)}


def test_each_call_of_a_hook_is_counted_also_for_the_second_step(stage, run_greedy):
    plugin, counted = run_greedy(1 / 1024)
    assert plugin.calls == ["policy", *["build"] * 10]
    assert counted == 11 / 1024
    assert {row.state for row in stage.postbacks()} == {PostbackState.DELIVERED}


def test_what_it_takes_to_mask_an_answer_is_counted(stage, run_greedy, monkeypatch):
    clocks = []
    usual = Greedy.__init__

    def init(self, used, seconds):
        usual(self, used, seconds)
        clocks.append(used)

    def mask_slowly(_answer, _request):
        clocks[0].now += 1 / 1024
        return ""

    monkeypatch.setattr(Greedy, "__init__", init)
    monkeypatch.setattr(attempt, "shown", mask_slowly)
    _, counted = run_greedy(0.0)
    assert counted == 10 / 1024


def alter_row(destination: int, **values: Any) -> None:
    table = Destination.__table__
    db.session.execute(table.update().where(table.c.id == destination).values(**values))
    db.session.commit()


class SlowToRead(PlainPlugin):
    """To read one of its answers takes a tenth of a second."""

    def __init__(self, clock):
        self.clock = clock
        self.read = 0

    @hookimpl
    def classify_response(self):
        self.read += 1
        self.clock.now += 0.1
        return Outcome(Verdict.DELIVERED)


@pytest.fixture
def slow_to_read(make_stage, live_app, clock):
    """The plugin of an account of which ten postbacks are due, and a delivery."""
    plugin, hostile = SlowToRead(clock), make_stage()
    alter_row(hostile.destination, tracker="slow_to_read")
    for number in range(10):
        hostile.play(people.start(people.Person(1000 + number), f"{hostile.code}-a", T))

    class WithSlow:
        def get(self, name):
            if name == "slow_to_read":
                return make_adapter(name, plugin)
            return live_app.extensions["trackers"].get(name)

    def make(exchange):
        resolver = DestinationResolver(WithSlow())
        delivery = Delivery(exchange, resolver, lease_seconds=45, clock=clock, rng=lambda: 0.5)
        delivery._in_flight.hook_time = HookTime(clock, lambda: clock.now, lambda: 0)
        return delivery

    return plugin, make


def test_who_comes_while_many_answers_wait_to_be_read_is_sent_to_between_them(
    make_stage, slow_to_read
):
    plugin, make_delivery = slow_to_read
    neighbour, read_before = make_stage(url="http://127.0.0.9/neighbour"), []

    def answer(request):
        if "neighbour" in request.url:
            read_before.append(plugin.read)
        return Response(200, {}, b"ok")

    def come_late():
        if plugin.read and not neighbour.postbacks():
            neighbour.play(people.start(ANN, f"{neighbour.code}-a", T))

    make_delivery(Exchange(answer)).run(seconds=60, pulse=come_late)
    assert read_before
    assert read_before[0] < 4
    assert plugin.read == 10


def test_answers_that_cost_little_are_read_before_those_that_cost_much(make_stage, slow_to_read):
    plugin, make_delivery = slow_to_read
    neighbour, read_before = make_stage(url="http://127.0.0.9/neighbour"), []
    for number in range(10):
        neighbour.play(people.start(people.Person(2000 + number), f"{neighbour.code}-a", T))

    def look():
        states = {postback.state for postback in neighbour.postbacks()}
        if not read_before and states == {PostbackState.DELIVERED}:
            read_before.append(plugin.read)

    make_delivery(Exchange()).run(seconds=60, pulse=look)
    assert read_before
    assert read_before[0] < 4
