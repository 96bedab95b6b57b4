"""What one try leaves to the next: what is carried, and whether it may have arrived."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from app.extensions import db
from app.models import Destination, DestinationStatus, Postback, PostbackState
from app.outbound.transport import Failure
from app.sandbox.telegram import people
from app.services import postbacks
from app.services.delivery.attempt import TOO_LATE
from app.services.delivery.loop import Delivery
from app.services.delivery.targets import DestinationResolver
from app.services.postbacks import NewPostback
from app.services.trackers import destinations
from plugins.contract import (
    DeliveryPolicy,
    Event,
    Outcome,
    Request,
    Response,
    Verdict,
    hookimpl,
    outcome_by_status,
)
from plugins.registry import Registry, make_adapter
from plugins.testing import sample_event
from tests.support.adapters import PlainPlugin
from tests.support.delivery import OK, Clock, Exchange, alter, attempts

HOUR = 3600.0
REFUSED = Response(401)


class Remembering(PlainPlugin):
    """Two steps if told so; forgets a key after a day, and tells what it was asked."""

    def __init__(self, steps: int = 1) -> None:
        self.names = [f"s{one}" for one in range(steps)]
        self.built: list[Event] = []
        self.fails = False

    @hookimpl
    def build_request(self, event):
        self.built.append(event)
        if self.fails:
            raise ValueError("cannot")
        url = f"https://127.0.0.2/{event.state.get('id', '')}"
        return tuple(Request("GET", url, step=name) for name in self.names)

    @hookimpl
    def classify_response(self, response, event):
        if response.status == 401:
            return Outcome(Verdict.RETRY, "the key is refused", disable_destination=True)
        said = response.json()
        outcome = outcome_by_status(response)
        return Outcome(outcome.verdict, outcome.reason, state=said)

    @hookimpl
    def delivery_policy(self):
        return DeliveryPolicy(retry_window=23 * HOUR, send_superseded=True)


def carrying(status: int = 200, **carry: Any) -> Response:
    return Response(status, {}, json.dumps(carry).encode())


@pytest.fixture
def owe(live_app, stage, clock) -> Callable[[], None]:
    """One postback is due at the tracker `remembering`."""

    def owe() -> None:
        alter(Destination, tracker="remembering", every_event=True)
        event = {
            "id": "e1", "kind": "wait", "time": 1, "lead": 1, "account": 1,
            "campaign": "c", "chat": 1, "subscriber": 1,
        }  # fmt: skip
        owed = NewPostback(
            stage.account, stage.campaign, 1, stage.destination, 1, "wait", json.dumps(event)
        )
        postbacks.stage(db.session.connection(), [owed], clock())
        db.session.commit()

    return owe


@pytest.fixture
def deliver(stage, owe, clock) -> Callable[..., Exchange]:
    """`deliver(plugin, OK, …)`: one drain, in which requests are answered one after the other."""
    owe()

    def deliver(plugin: Remembering, *answers: Any, **options: Any) -> Exchange:
        told = iter(answers)
        exchange = Exchange(lambda _request: next(told))
        adapter = make_adapter("remembering", plugin)
        delivery = Delivery(
            exchange,
            DestinationResolver(Registry({"remembering": adapter})),
            lease_seconds=45,
            clock=clock,
            rng=lambda: 0.5,
        )
        delivery.run(seconds=60, **options)
        db.session.commit()
        return exchange

    return deliver


def claim_and_die(clock: Clock) -> None:
    """A worker takes what is due and is never heard of again; the clock sweeps."""
    postbacks.claim(
        db.session.connection(), now=clock.now, lease="dead", until=clock.now + 45,
        after=0, quota_for=lambda _, most: min(9, most), most=9,
    )  # fmt: skip
    db.session.commit()
    clock.now += 60
    postbacks.sweep(db.session.connection(), clock.now)
    db.session.commit()


@pytest.fixture
def pause(stage, clock) -> Callable[[float], None]:
    """`pause(hours)`: the destination is paused for so long, and resumed."""

    def pause(hours: float) -> None:
        destinations.pause(stage.account, stage.destination, paused=True)
        clock.now += hours * HOUR
        destinations.pause(stage.account, stage.destination, paused=False)

    return pause


# -- what is carried ---------------------------------------------------------


def test_a_step_knows_what_the_one_before_was_answered(stage, deliver):
    exchange = deliver(Remembering(3), carrying(id="5f"), carrying(id="5f"), OK)
    assert [one.url.rpartition("/")[2] for one in exchange.sent] == ["", "5f", "5f"]
    (row,) = stage.postbacks()
    assert (row.state, row.adapter_state) == (PostbackState.DELIVERED, "")


def test_steps_are_built_again_only_for_something_new(stage, deliver):
    plugin = Remembering(3)
    deliver(plugin, OK, carrying(id="5f"), carrying(id="5f"))
    assert [dict(event.state) for event in plugin.built] == [{}, {"id": "5f"}]


def test_what_is_carried_outlives_the_worker(stage, deliver, clock):
    deliver(Remembering(2), carrying(id="5f"), Response(500))
    (row,) = stage.postbacks()
    assert (row.steps, json.loads(row.adapter_state)) == (1, {"id": "5f"})
    clock.now += 100
    claim_and_die(clock)
    (request,) = deliver(Remembering(2), OK).sent
    assert (request.step, request.url.rpartition("/")[2]) == ("s1", "5f")


def test_an_answer_without_a_carry_leaves_it_and_an_empty_one_drops_it(stage, deliver, clock):
    plugin = Remembering()
    for answer in (carrying(500, tries=1), Response(500), carrying(500), Response(500)):
        deliver(plugin, answer)
        clock.now += HOUR
    assert [dict(one.state) for one in plugin.built] == [{}, {"tries": 1}, {"tries": 1}, {}]


def test_an_adapter_is_told_how_often_it_was_tried(stage, deliver, clock):
    plugin = Remembering()
    for answer in (Response(500), Failure.TIMEOUT, OK):
        deliver(plugin, answer)
        clock.now += HOUR
    assert [event.tries for event in plugin.built] == [0, 1, 2]


def test_a_resend_begins_anew(stage, deliver, clock):
    plugin = Remembering()
    deliver(plugin, carrying(404, id="5f"))
    (row,) = stage.postbacks()
    assert postbacks.resend(stage.account, [row.id], clock.now) == 1
    deliver(plugin, OK)
    assert (dict(plugin.built[-1].state), plugin.built[-1].tries) == ({}, 0)


def test_half_a_character_in_an_answer_stops_nobody(stage, deliver, clock):
    plugin = Remembering()
    deliver(plugin, Response(500, {}, b'{"id": "\\ud800"}'))
    clock.now += 60
    deliver(plugin, OK)
    assert plugin.built[-1].state == {"id": "?"}
    assert stage.postbacks()[0].state == PostbackState.DELIVERED


class Angry(dict):
    """No mapping to be read twice, nor compared."""

    def items(self):
        raise RuntimeError("no")

    __eq__ = __len__ = keys = items
    __hash__ = None


def test_a_mapping_of_a_strangers_own_is_copied_or_fails(stage, deliver):
    class Plugin(Remembering):
        @hookimpl
        def classify_response(self):
            return Outcome(Verdict.RETRY, state=Angry(a="b"))

    deliver(Plugin(), OK)
    assert stage.postbacks()[0].tries == 1


def test_an_event_that_carries_may_be_hashed():
    assert hash(sample_event(state={"a": 1})) == hash(sample_event())


def test_an_adapter_cannot_change_what_is_carried(stage, deliver):
    class Greedy(Remembering):
        @hookimpl
        def build_request(self, event):
            event.state["id"] = "mine"

    deliver(Greedy())
    (attempt,) = attempts()
    assert "TypeError" in attempt.reason


def test_a_step_that_cannot_be_built_fails_for_all_to_see_and_the_first_is_kept(
    stage, deliver, clock
):
    class Moody(Remembering):
        @hookimpl
        def build_request(self, event):
            if event.state:
                raise ValueError("cannot")
            return tuple(Request("GET", "https://127.0.0.2/", step=name) for name in self.names)

    exchange = deliver(Moody(2), carrying(id="5f"))
    assert len(exchange.sent) == 1
    assert [one.verdict for one in attempts()] == ["delivered", "retry"]
    (row,) = stage.postbacks()
    assert (row.state, row.steps, row.tries) == (PostbackState.WAITING, 1, 1)
    assert "cannot" in row.reason


def test_steps_that_change_midway_are_built_from_the_beginning(stage, deliver):
    class Fickle(Remembering):
        @hookimpl
        def build_request(self, event):
            names = ["s0", "other"] if event.state else ["s0", "s1"]
            return tuple(Request("GET", "https://127.0.0.2/", step=name) for name in names)

    exchange = deliver(Fickle(), carrying(id="5f"), OK)
    assert [one.step for one in exchange.sent] == ["s0", "other"]
    assert stage.postbacks()[0].state == PostbackState.DELIVERED


# -- what may have arrived ---------------------------------------------------

ARRIVED = [Failure.TIMEOUT, Failure.ABORTED, Failure.TOO_LARGE, Response(500), Response(408)]
REFUSALS = [Failure.UNREACHABLE, Response(429), Response(425), REFUSED]


@pytest.mark.parametrize("answer", ARRIVED)
def test_what_may_have_arrived_is_not_repeated_when_its_key_is_forgotten(
    stage, deliver, pause, answer
):
    deliver(Remembering(), answer)
    pause(25)
    assert deliver(Remembering()).sent == []
    (row,) = stage.postbacks()
    assert (row.state, row.reason, row.tries) == (PostbackState.FAILED, TOO_LATE, 1)
    assert row.settled is not None


@pytest.mark.parametrize("answer", ARRIVED)
def test_it_is_repeated_as_long_as_its_key_is_known(stage, deliver, pause, answer):
    first = deliver(Remembering(), answer)
    pause(22)
    second = deliver(Remembering(), OK)
    assert first.sent[0].idempotency_key == second.sent[0].idempotency_key
    assert stage.postbacks()[0].state == PostbackState.DELIVERED


@pytest.mark.parametrize("answer", REFUSALS)
def test_what_surely_did_not_arrive_is_sent_however_late(stage, deliver, pause, answer):
    deliver(Remembering(), answer)
    pause(100)
    deliver(Remembering(), OK)
    assert stage.postbacks()[0].state == PostbackState.DELIVERED


def test_a_refusal_does_not_undo_a_try_that_may_have_arrived(stage, deliver, pause):
    deliver(Remembering(), Failure.TIMEOUT)
    pause(1)
    deliver(Remembering(), REFUSED)
    pause(24)
    assert deliver(Remembering()).sent == []
    assert stage.postbacks()[0].state == PostbackState.FAILED


def test_what_a_killed_worker_held_may_have_arrived(stage, deliver, pause, clock):
    claim_and_die(clock)
    pause(25)
    assert deliver(Remembering()).sent == []
    (row,) = stage.postbacks()
    assert (row.state, row.tries) == (PostbackState.FAILED, 0)


def test_each_step_has_a_time_of_its_own(stage, deliver, pause):
    deliver(Remembering(2), Failure.TIMEOUT)
    pause(1)
    deliver(Remembering(2), OK, REFUSED)
    pause(48)
    (request,) = deliver(Remembering(2), OK).sent
    assert request.step == "s1"
    assert stage.postbacks()[0].state == PostbackState.DELIVERED


def test_what_was_given_up_may_be_re_sent_under_another_key(stage, deliver, pause, clock):
    first = deliver(Remembering(), Failure.TIMEOUT)
    pause(25)
    deliver(Remembering())
    (row,) = stage.postbacks()
    assert postbacks.resend(stage.account, [row.id], clock.now) == 1
    again = deliver(Remembering(), OK)
    assert first.sent[0].idempotency_key != again.sent[0].idempotency_key


def test_an_adapter_without_a_span_is_repeated_however_late(stage, deliver, pause):
    class Forgetless(Remembering):
        @hookimpl
        def delivery_policy(self):
            return DeliveryPolicy(send_superseded=True)

    deliver(Forgetless(), Failure.TIMEOUT)
    pause(100)
    deliver(Forgetless(), OK)
    assert stage.postbacks()[0].state == PostbackState.DELIVERED


class Silent(Exchange):
    """Answers as told, and then never."""

    def __init__(self, *answers: Response) -> None:
        super().__init__()
        self._answers = list(answers)
        self._tags: list[object] = []

    def start(self, request: Request, tag: object) -> None:
        if self._answers:
            self.answer = self._answers.pop(0)
            super().start(request, tag)
        else:
            self.sent.append(request)
            self._tags.append(tag)

    def abort(self) -> list[object]:
        return self._tags


def test_our_own_end_charges_nothing_but_remembers_what_was_in_the_air(
    stage, deliver, pause, clock
):
    adapter = make_adapter("remembering", Remembering(2))
    resolver = DestinationResolver(Registry({"remembering": adapter}))
    delivery = Delivery(Silent(carrying(id="5f")), resolver, lease_seconds=45, clock=clock)
    turns = iter(range(50))
    delivery.run(seconds=60, stop=lambda: next(turns, 99) > 3)
    db.session.commit()
    (row,) = stage.postbacks()
    assert (row.state, row.tries, row.steps, row.lease) == (PostbackState.WAITING, 0, 1, None)
    assert json.loads(row.adapter_state) == {"id": "5f"}
    assert [one.verdict for one in attempts()] == ["delivered"]
    pause(25)
    assert deliver(Remembering(2)).sent == []
    assert stage.postbacks()[0].state == PostbackState.FAILED


# -- what a refused key costs ------------------------------------------------


def test_a_refused_key_parks_the_destination_and_is_not_charged(stage, deliver, pause):
    for _ in range(12):  # more than there are tries
        deliver(Remembering(), REFUSED)
        assert db.session.get(Destination, stage.destination).status == DestinationStatus.OFF
        db.session.commit()
        (row,) = stage.postbacks()
        assert (row.state, row.tries) == (PostbackState.WAITING, 0)
        pause(0)
    deliver(Remembering(), OK)
    assert stage.postbacks()[0].state == PostbackState.DELIVERED
    assert len(attempts()) == 13


def test_a_refused_event_goes_at_once_when_its_owner_resumes(stage, deliver, pause, clock):
    for answer in (Response(500), REFUSED):
        deliver(Remembering(), answer)
        clock.now += 60
    pause(0)
    deliver(Remembering(), OK)
    assert stage.postbacks()[0].state == PostbackState.DELIVERED


def test_a_refused_event_keeps_its_turn_before_newer_ones(stage, deliver, pause, clock):
    """It was not charged, so a newer status does not supersede it."""
    db.session.execute(Postback.__table__.delete())  # the owed one is another story
    alter(Destination, every_event=False)
    stage.play(people.start(people.Person(101), f"{stage.code}-a", 1_800_000_000))
    deliver(Remembering(), REFUSED)
    stage.play(people.join(people.Person(101), people.Chat(stage.chat), 1_800_000_001))
    pause(0)
    deliver(Remembering(), OK, OK)
    told = [(row.kind, row.state) for row in stage.postbacks()]
    assert told == [("wait", PostbackState.DELIVERED), ("approve", PostbackState.DELIVERED)]
