"""Postbacks that the process sends which decided them."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from app.extensions import db
from app.models import Destination, PostbackState, UpdateState
from app.outbound.transport import Failure
from app.sandbox.telegram import people
from app.services.delivery.limits.concurrency import PER_DESTINATION
from app.services.delivery.loop import Delivery
from app.services.delivery.targets import DestinationResolver
from app.services.leads.process import SENT_AT_ONCE
from app.services.leads.send_at_once import process_and_send
from plugins.contract import Response
from plugins.registry import make_adapter
from tests.support.adapters import PlainPlugin
from tests.support.delivery import Exchange, T, alter, attempts

ANN = people.Person(101, username="ann")
BOB = people.Person(102)


@pytest.fixture
def worker(live_app, clock) -> Callable[..., Any]:
    """`worker(exchange)`: a process; each call of it processes and sends what is there."""

    def make(exchange: Any, trackers: Any = None) -> Callable[..., int]:
        resolver = DestinationResolver(trackers or live_app.extensions["trackers"])
        delivery = Delivery(exchange, resolver, lease_seconds=45, clock=clock, rng=lambda: 0.5)

        def run(woken: Any = lambda _seconds: False, **options: Any) -> int:
            options = {"seconds": 60, **options}
            count = process_and_send(delivery, woken=woken, clock=clock, **options)
            db.session.commit()
            return count

        return run

    return make


@pytest.fixture
def statements(live_app) -> Any:
    """The statements that were executed, and COMMIT for each commit."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    def commit(_connection: Any) -> None:
        seen.append("COMMIT")

    event.listen(db.engine, "before_cursor_execute", note)
    event.listen(db.engine, "commit", commit)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)
    event.remove(db.engine, "commit", commit)


def start(stage: Any, person: people.Person = ANN) -> None:
    stage.receive(people.start(person, f"{stage.code}-a", T))


def test_what_an_update_brings_is_sent_and_settled_without_a_claim(stage, worker, statements):
    start(stage)
    exchange = Exchange()
    assert worker(exchange)() == 1
    (postback,) = stage.postbacks()
    assert (postback.state, postback.tries, postback.lease) == (PostbackState.DELIVERED, 1, None)
    assert exchange.statuses() == ["wait"]
    assert len(attempts()) == 1
    assert not [one for one in statements if one.lstrip().startswith("WITH RECURSIVE next")]


def test_its_outcome_is_written_along_with_the_next_updates(stage, worker, statements):
    start(stage)
    commits: list[str] = []

    def woken(_seconds: float) -> bool:
        if not commits:
            commits.append("before")
            start(stage, BOB)
            del statements[:]
            return True
        return False

    exchange = Exchange()
    assert worker(exchange)(woken) == 2
    assert {row.state for row in stage.postbacks()} == {PostbackState.DELIVERED}
    finished = next(i for i, one in enumerate(statements) if "UPDATE telegram_update" in one)
    settled = next(i for i, one in enumerate(statements) if "INSERT INTO attempt" in one)
    committed = next(i for i, one in enumerate(statements) if i > settled and one == "COMMIT")
    assert settled < finished < committed
    assert len(attempts()) == 2


def test_the_statuses_of_one_lead_go_in_order(stage, worker, deliver):
    chat = people.Chat(stage.chat, "x", "supergroup")
    start(stage)
    stage.receive(people.join_request(ANN, chat, T + 1))
    stage.receive(people.join(ANN, chat, T + 2))
    exchange = Exchange()
    assert worker(exchange)() == 3
    assert exchange.statuses() == ["wait"]
    later = Exchange()
    deliver(later)
    assert later.statuses() == ["hold", "approve"]


def test_a_join_goes_out_at_once_when_the_answer_to_its_start_is_settled_along(stage, worker):
    chat = people.Chat(stage.chat, "x", "supergroup")
    start(stage)
    joins = iter([people.join(ANN, chat, T + 2)])

    def woken(_seconds: float) -> bool:
        for join in joins:
            stage.receive(join)
            return True
        return False

    exchange = Exchange()
    assert worker(exchange)(woken) == 2
    assert exchange.statuses() == ["wait", "approve"]
    assert {row.state for row in stage.postbacks()} == {PostbackState.DELIVERED}


def test_while_a_late_answer_is_awaited_others_are_still_sent_to_at_once(stage, worker, clock):
    start(stage)

    class Late(Exchange):
        """Answers the first only after the second."""

        def poll(self, _seconds):
            return super().poll(_seconds) if len(self.sent) > 1 else []

    def woken(_seconds: float) -> bool:
        clock.now += 30
        if clock.now < began + 40:
            start(stage, BOB)
            return True
        return False

    exchange, began = Late(), clock.now
    assert worker(exchange)(woken, seconds=10, lasting=300) == 2
    assert exchange.statuses() == ["wait", "wait"]
    assert {row.state for row in stage.postbacks()} == {PostbackState.DELIVERED}


@pytest.mark.parametrize("answer", [Response(500), Failure.TIMEOUT, Failure.UNREACHABLE])
def test_a_failure_is_recorded_and_tried_again_by_others(stage, worker, deliver, clock, answer):
    start(stage)
    worker(Exchange(answer))()
    (postback,) = stage.postbacks()
    assert (postback.state, postback.tries, postback.lease) == (PostbackState.WAITING, 1, None)
    assert db.session.get(Destination, stage.destination).failures == 1
    db.session.commit()
    clock.now += 100
    assert deliver(Exchange()) == 1
    assert [row.verdict for row in attempts()] == ["retry", "delivered"]


def test_an_open_breaker_holds_here_too(stage, worker, clock):
    send = worker(Exchange(Failure.TIMEOUT))
    for number in range(40):
        start(stage, people.Person(1000 + number))
        send()
    assert len(attempts()) <= 10 + PER_DESTINATION
    assert db.session.get(Destination, stage.destination).blocked_until > clock.now
    db.session.commit()


def test_a_large_batch_is_left_to_the_workers_of_postbacks(stage, worker):
    for number in range(SENT_AT_ONCE + 1):
        start(stage, people.Person(1000 + number))
    exchange = Exchange()
    assert worker(exchange)() == SENT_AT_ONCE + 1
    assert exchange.sent == []
    assert {row.state for row in stage.postbacks()} == {PostbackState.WAITING}


def test_no_more_of_one_destination_is_sent_than_its_limit(stage, worker):
    for number in range(PER_DESTINATION + 4):
        start(stage, people.Person(1000 + number))
    exchange = Exchange()
    worker(exchange)()
    assert len(exchange.sent) == PER_DESTINATION
    states = [row.state for row in stage.postbacks()]
    assert states.count(PostbackState.WAITING) == 4


def test_a_strangers_adapter_is_left_to_the_workers_of_postbacks(stage, worker, live_app):
    """It may hang, and updates would wait for it."""

    class Trackers:
        def get(self, name):
            return make_adapter(name, PlainPlugin())

    alter(Destination, tracker="strange")
    start(stage)
    exchange = Exchange()
    worker(exchange, Trackers())()
    assert exchange.sent == []
    assert stage.postbacks()[0].state == PostbackState.WAITING


class Silent(Exchange):
    """Takes requests and answers none of them before it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = False

    def poll(self, seconds):
        return super().poll(seconds) if self.answers else []


def test_updates_are_processed_while_answers_are_awaited(stage, worker):
    exchange = Silent()
    start(stage)
    came = []

    def woken(_seconds: float) -> bool:
        if len(came) < 3:
            came.append(people.Person(200 + len(came)))
            start(stage, came[-1])
            return True
        exchange.answers = True
        return False

    assert worker(exchange)(woken) == 4
    assert exchange.most_in_flight == 4
    assert {row.state for row in stage.postbacks()} == {PostbackState.DELIVERED}


def test_when_its_time_is_over_answers_are_awaited_and_nothing_more_is_taken_up(
    stage, worker, clock
):
    exchange = Silent()
    start(stage)
    asked = []

    def woken(_seconds: float) -> bool:
        asked.append(1)
        if len(asked) == 1:
            clock.now += 100
            start(stage, BOB)
            return True
        exchange.answers = len(asked) > 3
        return False

    assert worker(exchange)(woken) == 2
    assert [row.state for row in stage.postbacks()] == [
        PostbackState.DELIVERED,
        PostbackState.WAITING,
    ]


def test_a_stop_hands_back_what_has_no_answer(stage, worker):
    exchange = Silent()
    start(stage)
    looks = []

    def woken(_seconds: float) -> bool:
        looks.append(1)
        return False

    exchange.abort = list
    worker(exchange)(woken, stop=lambda: len(looks) > 2)
    (postback,) = stage.postbacks()
    assert (postback.state, postback.tries, postback.lease) == (PostbackState.WAITING, 0, None)
    assert postback.first_try is not None  # it may have arrived
    assert attempts() == []


class Bug(Exception):
    """What code raises that is not right yet."""


def test_an_outcome_that_cannot_be_written_costs_no_update(stage, worker):
    """It was written along with an update; then it is tried by itself, and the update is done."""
    start(stage)
    send, news = worker(Exchange()), []

    def woken(_seconds: float) -> bool:
        if not news:
            news.append(BOB)
            start(stage, BOB)
            return True
        return False

    refused = []

    def refuse(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "INSERT INTO attempt" in statement and not refused:
            refused.append(statement)
            raise Bug

    event.listen(db.engine, "before_cursor_execute", refuse)
    try:
        assert send(woken) == 2
    finally:
        event.remove(db.engine, "before_cursor_execute", refuse)
    assert refused
    assert {row.state for row in stage.updates()} == {UpdateState.DONE}
    assert {row.state for row in stage.postbacks()} == {PostbackState.DELIVERED}
    assert len({row.postback_id for row in attempts()}) == len(attempts()) == 2
